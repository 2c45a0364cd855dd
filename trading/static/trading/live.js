"use strict";

// The live page looks again by itself, part by part, as long as somebody sees it and wants it to.
document.addEventListener("DOMContentLoaded", () => {
    const state = document.getElementById("live-state");
    const wanted = document.querySelector("[data-live-switch]");
    const said = document.querySelector("[data-live-said]");
    wanted.hidden = false;
    said.textContent = state.dataset.says;
    setInterval(() => {
        if (wanted.checked && !document.hidden) refresh(said, state.dataset);
    }, 1000 * state.dataset.every);
    for (const button of document.querySelectorAll(".live-steps [data-confirm]")) {
        button.addEventListener("click", (event) => {
            if (!confirm(button.dataset.confirm)) event.preventDefault();
        });
    }
});

async function refresh(said, words) {
    try {
        const answer = await fetch(location.href, { cache: "no-store" });
        if (!answer.ok || answer.redirected) throw new Error(answer.status);
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        for (const part of document.querySelectorAll("[data-live]")) {
            const now = page.getElementById(part.id);
            // Whoever is inside a part keeps what they look at.
            if (now && !part.contains(document.activeElement)) part.innerHTML = now.innerHTML;
        }
        said.textContent = words.says;
    } catch {
        said.textContent = words.lost;
    }
}
