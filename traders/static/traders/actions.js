"use strict";

// Ticking rows of a list: all of a page at once, and how many are; boxes of a form: found while one types, all and none at
// once. The actions and forms need none of this.
document.addEventListener("DOMContentLoaded", () => {
    const form = document.getElementById("selection");
    if (form) count(form);
    for (const set of document.querySelectorAll("[data-ticks]")) ticks(set);
    // The theme would look for a text input of its own beside ours, to write the file's name into.
    for (const input of document.querySelectorAll('.page input[type="file"]')) input.hasChangeListener = true;
});

function count(form) {
    const boxes = [...document.querySelectorAll('input[type="checkbox"][form="selection"]')];
    const every = document.querySelector("[data-tick-all]");
    const said = form.querySelector(".chosen");
    const unsaid = said.textContent;
    const refresh = () => {
        const ticked = boxes.filter((box) => box.checked).length;
        said.textContent = ticked ? form.dataset.chosen.replace("{n}", ticked) : unsaid;
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

// Where boxes are left for the server, it finds and ticks: only it knows the others.
function ticks(set) {
    const boxes = [...set.querySelectorAll('input[type="checkbox"]')];
    const find = set.querySelector("[data-ticks-find]");
    const said = set.querySelector("[data-ticks-said]");
    if (set.hasAttribute("data-ticks-partial")) return;
    const count = () => {
        if (!said) return;
        const ticked = boxes.filter((box) => box.checked).length;
        said.textContent = said.dataset.ticksSaid.replace("{n}", ticked).replace("{all}", boxes.length);
    };
    const show = () => {
        const words = find.value.toLowerCase().split(/[\s,;]+/).filter(Boolean);
        for (const box of boxes) {
            box.closest("label").hidden = words.length > 0 && !words.some((word) => box.value.toLowerCase().includes(word));
        }
    };
    if (find) find.addEventListener("input", show);
    for (const button of set.querySelectorAll("[data-ticks-set]")) {
        button.addEventListener("click", (event) => {
            event.preventDefault();
            for (const box of boxes) {
                if (!box.closest("label").hidden) box.checked = button.dataset.ticksSet === "all";
            }
            count();
        });
    }
    for (const box of boxes) box.addEventListener("change", count);
}
