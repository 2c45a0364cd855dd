"use strict";

// A page with `data-live-page` reads itself again every `data-every` seconds, while it is seen and its checkbox is
// ticked, and takes over each part with `data-live` that has changed. While the site does not answer, the page is
// dimmed and says since when.
document.addEventListener("DOMContentLoaded", () => {
    const root = document.querySelector("[data-live-page]");
    if (!root) return;
    const wanted = document.querySelector("[data-live-switch]");
    const lost = document.querySelector("[data-live-lost]");
    const shown = new Map();
    for (const part of parts(document)) shown.set(part.id, part.innerHTML);
    // Charts draw into their parts: what the server sent is compared, not what stands there.
    let lostAt = null;
    let isBusy = false;

    wanted.hidden = false;
    document.querySelector("[data-live-said]").textContent = root.dataset.says;
    setInterval(look, 1000 * root.dataset.every);
    document.addEventListener("visibilitychange", look);
    for (const button of document.querySelectorAll(".live-steps [data-confirm]")) {
        button.addEventListener("click", (event) => {
            if (!confirm(button.dataset.confirm)) event.preventDefault();
        });
    }

    async function look() {
        if (isBusy || !wanted.checked || document.hidden) return;
        isBusy = true;
        try {
            const answer = await fetch(location.href, { cache: "no-store" });
            if (!answer.ok || answer.redirected) throw new Error(answer.status);
            takeOver(new DOMParser().parseFromString(await answer.text(), "text/html"));
            lostAt = null;
        } catch {
            lostAt ??= new Date();
        }
        isBusy = false;
        say();
    }

    function takeOver(page) {
        for (const part of parts(document)) {
            const now = page.getElementById(part.id);
            // Whoever is inside a part, or has opened a form in it, keeps what they look at.
            if (!now || shown.get(part.id) === now.innerHTML || isInUse(part)) continue;
            shown.set(part.id, now.innerHTML);
            const opened = [...part.querySelectorAll("details[open]")].map((one) => one.className);
            part.innerHTML = now.innerHTML;
            for (const name of opened) for (const one of part.getElementsByClassName(name)) one.open = true;
            document.dispatchEvent(new CustomEvent("charts:draw", { detail: part }));
        }
    }

    function say() {
        const isLost = lostAt !== null;
        root.classList.toggle("is-lost", isLost);
        lost.hidden = !isLost;
        lost.textContent = isLost ? root.dataset.lost.replace("{time}", momentWords(lostAt)) : "";
    }

    function isInUse(part) {
        return part.contains(document.activeElement) || part.querySelector(".acknowledging[open]") !== null;
    }

    function parts(from) {
        return from.querySelectorAll("[data-live]");
    }
});
