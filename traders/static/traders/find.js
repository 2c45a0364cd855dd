"use strict";

// The search of the top bar as a dialog: Ctrl+K, Cmd+K or /. Without this its link leads to the page of the search.
(() => {
    const WAIT_MS = 120;
    let dialog = null;

    document.addEventListener("DOMContentLoaded", () => {
        const link = document.querySelector("a[data-find]");
        if (!link || !window.HTMLDialogElement) return;
        link.addEventListener("click", (event) => {
            if (event.ctrlKey || event.metaKey || event.shiftKey) return;
            event.preventDefault();
            open(link);
        });
        // Before the theme, whose own palette opens by the same keys.
        window.addEventListener("keydown", (event) => {
            const isCommand = (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k";
            if (!isCommand && (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target))) return;
            if (document.querySelector("dialog[open]:not(.find)")) return;
            event.preventDefault();
            event.stopImmediatePropagation();
            open(link);
        }, { capture: true });
    });

    function isTyping(target) {
        return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
    }

    function open(link) {
        dialog ??= made(link);
        if (!dialog.open) dialog.showModal();
        dialog.querySelector("input").select();
    }

    function made(link) {
        const found = document.createElement("dialog");
        found.className = "page find";
        found.setAttribute("aria-label", link.dataset.label);
        const field = Object.assign(document.createElement("input"), {
            type: "search", maxLength: 300, autocomplete: "off", spellcheck: false, placeholder: link.dataset.placeholder,
        });
        const roles = { role: "combobox", "aria-label": link.dataset.placeholder, "aria-autocomplete": "list", "aria-controls": "found", "aria-expanded": "false" };
        for (const [name, value] of Object.entries(roles)) field.setAttribute(name, value);
        const lines = document.createElement("div");
        lines.innerHTML = '<div id="found" role="listbox" hidden></div>';
        const said = Object.assign(document.createElement("p"), { className: "said faint", textContent: link.dataset.help });
        said.setAttribute("role", "status");
        found.append(field, lines, said);
        document.body.append(found);
        watch(field, lines, said, link);
        found.addEventListener("click", (event) => {
            if (event.target === found) found.close();
        });
        return found;
    }

    function watch(field, lines, said, link) {
        let waiting = 0;
        let asked = null;
        let at = -1;
        const options = () => [...lines.querySelectorAll("[role=option]")];

        field.addEventListener("input", () => {
            clearTimeout(waiting);
            waiting = setTimeout(ask, WAIT_MS);
        });
        field.addEventListener("keydown", async (event) => {
            const all = options();
            const last = all.length - 1;
            const to = { ArrowDown: at >= last ? 0 : at + 1, ArrowUp: at <= 0 ? last : at - 1, PageDown: last, PageUp: 0 }[event.key];
            if (to !== undefined && all.length) {
                event.preventDefault();
                choose(to);
            } else if (event.key === "Enter" && !event.isComposing) {
                event.preventDefault();
                // Enter before the answer came is of what is typed, not of what was found before.
                if (waiting) {
                    clearTimeout(waiting);
                    await ask();
                }
                const chosen = options()[at];
                if (chosen && (event.ctrlKey || event.metaKey)) window.open(chosen.href, "_blank");
                else if (chosen) location.href = chosen.href;
            }
        });

        async function ask() {
            waiting = 0;
            asked?.abort();
            asked = new AbortController();
            const query = new URLSearchParams({ part: "1", q: field.value });
            try {
                const answer = await fetch(`${link.href}?${query}`, { signal: asked.signal, cache: "no-store" });
                if (!answer.ok || answer.redirected) throw new Error(answer.status);
                show(await answer.text());
            } catch (error) {
                if (error.name === "AbortError") return;
                show("");
                said.textContent = link.dataset.failed;
            }
        }

        function show(html) {
            lines.innerHTML = html || '<div id="found" role="listbox" hidden></div>';
            const part = lines.firstElementChild;
            const count = options().length;
            part.hidden = !count;
            field.setAttribute("aria-expanded", String(count > 0));
            said.textContent = part.dataset.said || link.dataset.help;
            at = -1;
            field.removeAttribute("aria-activedescendant");
            if (count) choose(0);
        }

        function choose(number) {
            options()[at]?.setAttribute("aria-selected", "false");
            at = number;
            const chosen = options()[at];
            chosen.setAttribute("aria-selected", "true");
            chosen.scrollIntoView({ block: "nearest" });
            field.setAttribute("aria-activedescendant", chosen.id);
        }
    }
})();
