"use strict";

// Ticking rows of a list: all of a page at once, and how many are. The actions need none of this.
document.addEventListener("DOMContentLoaded", () => {
    const form = document.getElementById("selection");
    if (form) count(form);
    // The theme would look for a text input of its own beside ours, to write the file's name into.
    for (const input of document.querySelectorAll('.desk input[type="file"]')) input.hasChangeListener = true;
});

function count(form) {
    const boxes = [...document.querySelectorAll('input[type="checkbox"][form="selection"]')];
    const every = document.querySelector("[data-tick-all]");
    const said = form.querySelector(".chosen");
    const unsaid = said.textContent;
    const refresh = () => {
        const ticked = boxes.filter((box) => box.checked).length;
        said.textContent = ticked ? `${ticked} ${form.dataset.chosen}` : unsaid;
        every.checked = ticked === boxes.length;
        every.indeterminate = ticked > 0 && ticked < boxes.length;
    };
    every.hidden = false;
    every.addEventListener("change", () => {
        for (const box of boxes) box.checked = every.checked;
        refresh();
    });
    for (const box of boxes) box.addEventListener("change", refresh);
    // A browser keeps the ticks when one comes back to the page.
    window.addEventListener("pageshow", refresh);
}
