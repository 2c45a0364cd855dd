"use strict";

// The way back to a list leads to the list as it was last filtered in this tab: after a save, a restore or any other page
// in between. Without scripts or storage it leads to the whole list.
document.addEventListener("DOMContentLoaded", () => {
    const account = document.querySelector("meta[data-account]")?.dataset.account;
    if (!account) return;
    const nameOf = (path) => `nof0.list.${account}.${path}`;
    if (document.querySelector('.page form.filters[role="search"]')) keep(nameOf(location.pathname), location.search);
    for (const link of document.querySelectorAll(".page .crumbs a, .page a[data-to-list]")) {
        if (link.origin !== location.origin || link.search) continue;
        link.search = kept(nameOf(link.pathname));
    }
});

function keep(name, query) {
    try {
        if (query) sessionStorage.setItem(name, query);
        else sessionStorage.removeItem(name);
    } catch {
        // Nothing is kept then.
    }
}

function kept(name) {
    try {
        return sessionStorage.getItem(name) ?? "";
    } catch {
        return "";
    }
}
