"use strict";

// `14:05`, or `2026-11-01 14:05` of another day, in the zone of the times on the page.
function momentWords(at) {
    const timeZone = document.querySelector("meta[data-zone]")?.dataset.zone;
    const [day, clock] = new Date(at).toLocaleString("sv-SE", { timeZone }).split(" ");
    const today = new Date().toLocaleString("sv-SE", { timeZone }).split(" ")[0];
    return (day === today ? "" : `${day} `) + clock.slice(0, 5);
}

// Beside each field of a moment: a button that opens the browser's own picker. Its choice is written as text, so that
// the field has 24 hours in every language. Without this the moment is typed.
(() => {
    document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("input[data-moment]").forEach(add));

    function add(field) {
        const picker = document.createElement("input");
        if (!picker.showPicker) return;
        picker.type = "datetime-local";
        picker.tabIndex = -1;
        picker.setAttribute("aria-hidden", "true");
        const icon = document.createElement("span");
        icon.className = "material-symbols-outlined";
        icon.setAttribute("aria-hidden", "true");
        icon.textContent = "calendar_month";
        const button = document.createElement("button");
        button.type = "button";
        button.className = "pick";
        button.title = field.dataset.pick;
        button.setAttribute("aria-label", field.dataset.pick);
        button.append(icon);
        const place = document.createElement("span");
        place.className = "pick-place";
        // Beside the button, since a control within a control is none for a screen reader.
        place.append(button, picker);
        button.addEventListener("click", () => {
            picker.value = field.value.trim().replace(" ", "T").slice(0, 16);
            picker.showPicker();
        });
        picker.addEventListener("input", () => {
            field.value = picker.value.replace("T", " ");
            field.dispatchEvent(new Event("input", { bubbles: true }));
            field.dispatchEvent(new Event("change", { bubbles: true }));
        });
        (field.closest("label") || field).after(place);
    }
})();
