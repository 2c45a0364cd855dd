"""The search of the site: its page, and the part that the dialog of the top bar asks for at each letter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from traders.accounts.writer import may_enter
from traders.fleet.finding import find_traders
from traders.pages import seams
from traders.pages.found import MOST_EACH, Found, FoundKind
from traders.words.typed import half_width
from trading.record.browse.finding import find_records

LONGEST = 300


def find_view(request: HttpRequest) -> HttpResponse:
    """`?q=`; with `part` only the lines, for the dialog."""
    text = half_width(request.GET.get("q", "")).strip()[:LONGEST]
    kinds = [kind for kind in _kinds(request, text) if kind.lines] if text else []
    context = {"q": text, "kinds": kinds, "count": sum(len(kind.lines) for kind in kinds)}
    if "part" in request.GET:
        answer: HttpResponse = TemplateResponse(request, "nof0site/found.html", context | {"is_part": True})
    else:
        context = {**admin.site.each_context(request), "title": _("Search"), **context}
        answer = TemplateResponse(request, "nof0site/find.html", context)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def find_link(request: HttpRequest) -> SafeString | str:
    """In the top bar: a link to the page, which find.js makes a dialog. Nothing before the login."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or not may_enter(user):
        return ""
    return render_to_string("nof0site/find_link.html")


seams.top_bar.insert(0, find_link)


def _kinds(request: HttpRequest, text: str) -> Iterator[FoundKind]:
    yield from find_traders(request, text)
    yield FoundKind(_("Pages"), "space_dashboard", _pages(request, text))
    yield from find_records(request, text)


def _pages(request: HttpRequest, text: str) -> Sequence[Found]:
    """Of the menus, by words in their titles; those that begin so first."""
    words = text.casefold().split()
    found = [one for one in _every_page(request) if all(word in one.title.casefold() for word in words)]
    return sorted(found, key=lambda one: not one.title.casefold().startswith(words[0]))[:MOST_EACH]


def _every_page(request: HttpRequest) -> Iterator[Found]:
    """What the account may open: the side menu, the menu of the account, and what begins with a button elsewhere."""
    site: Any = admin.site
    for group in site.get_sidebar_list(request):
        for item in group["items"]:
            if item["has_permission"]:
                yield Found(str(item["title"]), str(group.get("title") or ""), str(item["link"]))
    for link in site._get_account_links(request):
        yield Found(str(link["title"]), _("Your account"), str(link["link"]))
    if request.user.has_perm("traders.add_traderconfig"):
        yield Found(_("Add trader"), _("Traders"), reverse("admin:traders_traderconfig_add"))
