"use strict";

// The browser's zone, in which the server writes times unless the account chose another.
document.cookie = `zone=${Intl.DateTimeFormat().resolvedOptions().timeZone}; path=/; max-age=31536000; samesite=lax`
    + (location.protocol === "https:" ? "; secure" : "");

document.addEventListener("DOMContentLoaded", () => {
    addSkipLink();
    document.querySelectorAll(".page .scroll").forEach(watchWidth);
});
// Parts of a page that were read again.
document.addEventListener("charts:draw", (event) => event.detail?.querySelectorAll?.(".scroll").forEach(watchWidth));

// The theme's own pages have no way past their menus.
function addSkipLink() {
    const words = document.querySelector("[data-skip]")?.dataset.skip;
    if (!words || document.querySelector("a.skip")) return;
    document.body.prepend(Object.assign(document.createElement("a"), { className: "skip", href: "#content", textContent: words }));
}

// The head of a table sticks to the window only where no box around the table scrolls.
const widths = new ResizeObserver((entries) => {
    for (const { target } of entries) {
        const box = target.parentElement;
        box?.classList.toggle("fits", target.offsetWidth <= box.clientWidth);
    }
});

function watchWidth(box) {
    const table = box.querySelector(":scope > table");
    if (!table) return;
    widths.observe(table);
    box.classList.toggle("fits", table.offsetWidth <= box.clientWidth);
}

// While a configuration is edited: marks what differs from the version it began on, and lists it.
// Saving, preview and errors need none of this.
document.addEventListener("DOMContentLoaded", () => {
    const form = document.querySelector("[data-live-changes]");
    if (form) watch(form);
});

// The theme shows a page only when its scripts are ready, a moment after they say so; what is not shown cannot take the
// focus before. Whoever is at another field by then stays there.
document.addEventListener("alpine:initialized", () => setTimeout(focusMarked));
window.addEventListener("load", focusMarked);

function focusMarked() {
    if (document.activeElement === document.body) document.querySelector(".page [autofocus]")?.focus();
}

function watch(form) {
    const fields = [...form.querySelectorAll("[data-field]")].map((field) => ({
        field,
        input: field.querySelector("input, select, textarea"),
    }));
    const refresh = () => show(form, fields.filter(mark));
    form.addEventListener("input", refresh);
    form.addEventListener("change", refresh);
    refresh();
}

function valueOf(input) {
    return input.type === "checkbox" ? String(input.checked) : input.value.trim();
}

function mark({ field, input }) {
    const differs = valueOf(input) !== field.dataset.began;
    field.classList.toggle("is-changed", differs);
    field.querySelector(".was").hidden = !differs;
    return differs;
}

function show(form, changed) {
    const list = form.querySelector("[data-changes]");
    list.replaceChildren(...changed.map((one) => line(one, list.dataset)));
    if (!changed.length) list.append(Object.assign(document.createElement("li"), { textContent: list.dataset.none }));
    const groups = new Set(changed.map(({ field }) => field.closest("fieldset").dataset.group));
    for (const link of form.querySelectorAll(".groups [data-group]")) {
        link.classList.toggle("has-changes", groups.has(link.dataset.group));
    }
}

function line({ field, input }, words) {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = "#" + input.id;
    link.textContent = field.querySelector("label").textContent;
    link.addEventListener("click", (event) => {
        event.preventDefault();
        input.focus();
    });
    const was = document.createElement("del");
    was.textContent = field.dataset.was;
    const now = document.createElement("ins");
    now.textContent = input.type === "checkbox" ? words[input.checked ? "on" : "off"] : shown(input);
    item.append(link, document.createElement("br"), was, " → ", now);
    return item;
}

function shown(input) {
    const text = input.tagName === "SELECT" ? input.selectedOptions[0]?.textContent ?? "" : input.value;
    return text.length > 80 ? text.slice(0, 79) + "…" : text;
}
