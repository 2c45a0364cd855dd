"use strict";

// A new token: copied by a button, and gone when its page is loaded again. Without this it is marked and copied by hand.
document.addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("[data-copy]")) offer(button);
    const form = document.querySelector("form.token");
    if (form) sendOnce(form);
    const traders = [...document.querySelectorAll('[name="traders"]')];
    if (traders.length) limitTogether(traders, [...document.querySelectorAll('input[name="reach"]')]);
    const day = document.getElementById("f-until");
    if (day) keepTogether(day, [...document.querySelectorAll('input[name="lasts"]')]);
});

function offer(button) {
    const source = document.getElementById(button.dataset.copy);
    // A reload would send the form again: let it open the list instead.
    history.replaceState(null, "", "../");
    button.hidden = false;
    button.addEventListener("click", async () => {
        await copy(source);
        button.textContent = button.dataset.done;
    });
}

async function copy(source) {
    // Browsers keep the clipboard from pages that came without encryption, but for what is marked.
    if (navigator.clipboard) return navigator.clipboard.writeText(source.textContent);
    getSelection().selectAllChildren(source);
    document.execCommand("copy");
}

// A second click would throw away the answer to the first, and with it the token.
function sendOnce(form) {
    let sent = false;
    form.addEventListener("submit", (event) => {
        if (sent) event.preventDefault();
        sent = true;
    });
    window.addEventListener("pageshow", () => (sent = false));
}

// Naming a trader means "these only", and "all traders" means that none is named.
function limitTogether(traders, choices) {
    const [all, some] = ["", "some"].map((value) => choices.find((choice) => choice.value === value));
    for (const field of traders) field.addEventListener("input", () => (some.checked ||= field.checked || Boolean(field.value.trim() && field.type !== "checkbox")));
    all.addEventListener("change", () => {
        for (const field of traders) field.type === "checkbox" ? (field.checked = false) : (field.value = "");
    });
}

// Whoever picks a day means it, and whoever picks another duration means no day.
function keepTogether(day, choices) {
    const onTheDay = choices.find((choice) => choice.value === "date");
    day.addEventListener("input", () => (onTheDay.checked = Boolean(day.value) || onTheDay.checked));
    for (const choice of choices) choice.addEventListener("change", () => choice !== onTheDay && (day.value = ""));
}
