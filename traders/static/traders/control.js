"use strict";

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
    if (document.activeElement === document.body) document.querySelector(".desk [autofocus]")?.focus();
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
