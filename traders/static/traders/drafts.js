"use strict";

// Keeps what is typed into a form with a draft in the browser's storage, and puts it back when the form is opened again:
// after a login, a step back, a link elsewhere, a crash. Where the storage is full or switched off, forms work without.
// One entry a tab, so that two tabs of one form do not overwrite each other.
(() => {
    const PREFIX = "nof0.draft.";
    const LONGEST_MS = 14 * 24 * 3600 * 1000;
    const MOST = 50;
    const MOST_CHARACTERS = 1_000_000;
    const NEVER_KEPT = new Set(["csrfmiddlewaretoken", "draft", "step"]);
    const PAUSE_MS = 250;
    const SENT_MS = 5000;

    const entries = {
        names() {
            try {
                return Object.keys(localStorage).filter((name) => name.startsWith(PREFIX));
            } catch {
                return [];
            }
        },
        read(name) {
            try {
                const entry = JSON.parse(localStorage.getItem(name));
                return entry && Array.isArray(entry.fields) ? entry : null;
            } catch {
                return null;
            }
        },
        write(name, entry) {
            const text = JSON.stringify(entry);
            if (text.length > MOST_CHARACTERS) return;
            for (let tries = 0; tries < 3; tries++) {
                try {
                    localStorage.setItem(name, text);
                    return;
                } catch {
                    // Full: the oldest entry gives way.
                    const others = oldestFirst(entries.names().filter((other) => other !== name));
                    if (!others.length) return;
                    entries.remove(others[0]);
                }
            }
        },
        remove(name) {
            try {
                localStorage.removeItem(name);
            } catch {
                // Nothing is kept then.
            }
        },
    };

    function oldestFirst(names) {
        const at = new Map(names.map((name) => [name, entries.read(name)?.at ?? 0]));
        return names.sort((a, b) => at.get(a) - at.get(b));
    }

    // The tab keeps its name through loads and logins; a copy of a tab gets the same one.
    function tab() {
        try {
            const name = sessionStorage.getItem(PREFIX + "tab") ?? Math.random().toString(36).slice(2);
            sessionStorage.setItem(PREFIX + "tab", name);
            return name;
        } catch {
            return "0";
        }
    }

    // The server names drafts that were saved or discarded; `all` after a logout.
    function clearEnded() {
        const cookie = document.cookie.split("; ").find((one) => one.startsWith("ended_drafts="));
        if (!cookie) return;
        const ended = new Set(cookie.slice("ended_drafts=".length).split("."));
        for (const name of entries.names()) {
            if (ended.has("all") || ended.has(entries.read(name)?.draft)) entries.remove(name);
        }
        document.cookie = "ended_drafts=; path=/; max-age=0; samesite=lax";
    }

    // What is too old or too much, and what belongs to another account of this browser.
    function clearAway(account) {
        const names = entries.names();
        for (const name of names) {
            const entry = entries.read(name);
            if (!entry || entry.account !== account || Date.now() - entry.at > LONGEST_MS) entries.remove(name);
        }
        const left = oldestFirst(entries.names());
        for (const name of left.slice(0, Math.max(0, left.length - MOST))) entries.remove(name);
    }

    const isTyped = (input) =>
        input.name && !input.disabled && !NEVER_KEPT.has(input.name) && !("notKept" in input.dataset) &&
        !["hidden", "submit", "button", "file", "password", "image", "reset"].includes(input.type);
    const isTicked = (input) => input.type === "checkbox" || input.type === "radio";

    // [[name, value], ...] of the form: as it is, or as the server sent it.
    function fieldsOf(form, asSent = false) {
        const found = [];
        for (const input of form.elements) {
            if (input.type === "hidden" && input.name && !NEVER_KEPT.has(input.name)) found.push([input.name, input.value]);
            if (!isTyped(input)) continue;
            if (isTicked(input)) {
                if (asSent ? input.defaultChecked : input.checked) found.push([input.name, input.value]);
            } else if (input.tagName === "SELECT") {
                const chosen = [...input.options].filter((option) => (asSent ? option.defaultSelected : option.selected));
                const shown = chosen.length || input.multiple ? chosen : [...input.options].slice(0, 1);
                for (const option of shown) found.push([input.name, option.value]);
            } else {
                found.push([input.name, asSent ? input.defaultValue : input.value]);
            }
        }
        return found;
    }

    const asText = (fields) => JSON.stringify(fields.map(([name, value]) => [name, value.replaceAll("\r\n", "\n")]));

    function put(form, fields) {
        const values = new Map();
        for (const [name, value] of fields) values.set(name, [...(values.get(name) ?? []), value]);
        for (const input of form.elements) {
            if (!isTyped(input)) continue;
            const kept = values.get(input.name) ?? [];
            if (isTicked(input)) input.checked = kept.includes(input.value);
            else if (input.tagName === "SELECT") {
                for (const option of input.options) option.selected = kept.includes(option.value);
            } else if (kept.length) input.value = kept.shift();
        }
        form.dispatchEvent(new Event("input", { bubbles: true }));
    }

    const versionOf = (fields) => fields.find(([name]) => name === "expected_version")?.[1] ?? "";
    const namesOf = (fields) => new Set(fields.map(([name]) => name));

    // Whether the page has an input for each text that was kept, and began on the same version.
    function fits(form, entry) {
        const here = new Set([...form.elements].map((input) => input.name));
        return (
            versionOf(entry.fields) === versionOf(fieldsOf(form, true)) &&
            [...namesOf(entry.fields)].every((name) => here.has(name))
        );
    }

    function attend(form, mark, notices) {
        const { account, page } = mark.dataset;
        const stem = `${PREFIX}${account}.${page}.`;
        const own = stem + tab();
        const sent = fieldsOf(form, true);
        const isFilled = "filled" in mark.dataset;
        const isFlow = notices !== null && "takes" in notices.dataset;
        const part = (name) => notices?.querySelector(`[data-draft="${name}"]`);

        const keep = () => {
            const fields = fieldsOf(form);
            if (!isFilled && asText(fields) === asText(sent)) entries.remove(own);
            else entries.write(own, { account, page, draft: mark.value, at: Date.now(), began: asText(sent), fields });
        };

        const say = (name, entry) => {
            const notice = part(name);
            if (!notice) return;
            const time = notice.querySelector("time");
            time.dateTime = new Date(entry.at).toISOString();
            time.textContent = momentWords(entry.at);
            notice.hidden = false;
            const offered = part("offered");
            if (offered?.dataset.id === entry.draft) offered.hidden = true;
            notice.querySelector("[data-draft-discard]").addEventListener("click", () => discard(entry));
        };

        const discard = (entry) => {
            clearTimeout(waiting);
            stopped = true;
            for (const name of entries.names()) if (entries.read(name)?.draft === entry.draft) entries.remove(name);
            if (isFlow) send([["draft", entry.draft], ["step", "discard"]]);
            else location.replace(page);
        };

        const send = (fields) => {
            const sender = document.createElement("form");
            sender.method = "post";
            sender.action = page;
            sender.hidden = true;
            const token = form.querySelector('[name="csrfmiddlewaretoken"]').value;
            for (const [name, value] of [["csrfmiddlewaretoken", token], ...fields]) {
                const input = document.createElement("textarea");
                input.name = name;
                input.value = value;
                sender.append(input);
            }
            document.body.append(sender);
            stopped = true;
            sender.submit();
        };

        const restore = (entry) => {
            put(form, entry.fields);
            mark.value = entry.draft;
            keep();
            say("restored", entry);
        };

        let waiting = 0;
        let stopped = false;
        const settle = () => {
            clearTimeout(waiting);
            if (waiting && !stopped) keep();
            waiting = 0;
        };

        // Under a name of its own, an entry is not written over by what is typed next.
        const setAside = (entry) => entries.write(`${stem}${entry.draft}`, entry);
        const mine = entries.read(own);
        if (isFilled) {
            // The server's page is the newest, unless something was typed on this very page before.
            if (mine && mine.draft !== mark.value) setAside(mine);
            if (mine?.began === asText(sent) && asText(mine.fields) !== mine.began) restore(mine);
            else keep();
        } else {
            const others = entries.names().filter((name) => name !== own && entries.read(name)?.page === page);
            const entry = mine ?? entries.read(oldestFirst(others).at(-1));
            if (entry && (fits(form, entry) || !isFlow)) {
                restore(entry);
            } else if (entry) {
                if (entry === mine) {
                    setAside(entry);
                    entries.remove(own);
                }
                say("waiting", entry);
                part("waiting")
                    .querySelector("[data-draft-show]")
                    .addEventListener("click", () => send([...entry.fields, ["draft", entry.draft], ["step", "back"]]));
            }
        }

        const typed = () => {
            clearTimeout(waiting);
            waiting = setTimeout(settle, PAUSE_MS);
        };
        form.addEventListener("input", typed);
        form.addEventListener("change", typed);
        window.addEventListener("pagehide", settle);
        document.addEventListener("visibilitychange", settle);
        form.addEventListener("submit", settle);
    }

    // A second press of the same button sends nothing. The server answers it with the first one's version all the same.
    function sendOnce(form) {
        let sentAt = 0;
        form.addEventListener("submit", (event) => {
            if (Date.now() - sentAt < SENT_MS) event.preventDefault();
            else sentAt = Date.now();
        });
        window.addEventListener("pageshow", () => (sentAt = 0));
    }

    document.addEventListener("DOMContentLoaded", () => {
        clearEnded();
        const account = document.querySelector("[data-account]")?.dataset.account;
        if (account) clearAway(account);
        for (const mark of document.querySelectorAll('input[name="draft"][data-account]')) {
            sendOnce(mark.form);
            if ([...mark.form.elements].some(isTyped)) attend(mark.form, mark, document.querySelector("[data-drafts]"));
        }
    });
})();
