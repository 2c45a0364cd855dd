"""The page of a control of one or many traders: what it does, in numbers; the reason; and the request."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from traders.controls import facts
from traders.controls.pages.forms import ControlForm
from traders.controls.pages.presentation import PreviewShown, unpinning
from traders.controls.preview import ControlChoice, MovedMeanwhile, control_as_seen, preview
from traders.controls.services import Asked
from traders.controls.words import kind_words
from traders.drafts import pages as drafts
from traders.pages.config_page import ConfigPage, may_stop
from traders.pages.preview_flow import is_save
from traders.schema.controls.rows import OPERATOR, STOPPING_KINDS, ControlKind
from traders.schema.problems import InvalidConfig
from traders.versions.bulk.chosen import TRADER, chosen_ids, list_url, nobody_chosen
from traders.versions.rules.errors import UnknownConfig, UnknownVersion
from traders.words.messages import translated

CHANGE = "traders.change_traderconfig"


def may_control(request: HttpRequest, kind: ControlKind) -> bool:
    """A setting may allow to viewers what only takes risk away."""
    return may_stop(request) if kind in STOPPING_KINDS else request.user.has_perm(CHANGE)


_FIELDS = ("reason", "minutes", "version", "symbol", "cause", "keep_trading")
"""What the form takes from the address; the rest of it is the list's filter."""


def control_url(kind: ControlKind, *trader_ids: str) -> str:
    return f"{reverse(f'admin:traders_control_{kind}')}?{urlencode([(TRADER, name) for name in trader_ids])}"


def control_view(page: ConfigPage, *, kind: ControlKind) -> HttpResponse:
    """The traders of `chosen.chosen_ids`."""
    trader_ids = chosen_ids(page)
    if not trader_ids:
        return nobody_chosen(page)
    try:
        return _answer(page, kind, trader_ids)
    except UnknownConfig as unknown:
        messages.warning(page.request, _("There is no trader “%(id)s”.") % {"id": unknown.config_id})
        return HttpResponseRedirect(page.list_url)


def _answer(page: ConfigPage, kind: ControlKind, trader_ids: list[str]) -> HttpResponse:
    request, asks = page.request, is_save(page.request)
    if kind is ControlKind.CLOSE:
        trader_ids = _holding_among(trader_ids)
    chosen = _chosen(request.POST if asks else request.GET)
    shown = preview(kind, trader_ids, chosen)
    if chosen.cause not in shown.held_causes and shown.held_causes:
        chosen = replace(chosen, cause=shown.held_causes[0])
        shown = preview(kind, trader_ids, chosen)
    form = ControlForm(request.POST if asks else None, shown, request.GET)
    moved = False
    if asks and form.is_valid():
        given = form.cleaned_data
        asked = Asked(
            reason=given["reason"],
            actor=page.actor,
            until=form.until,
            version=given.get("version"),
            symbol=given.get("symbol") or None,
            cause=given.get("cause") or OPERATOR,
            keep_trading=bool(given.get("keep_trading")),
        )
        try:
            written = control_as_seen(kind, trader_ids, asked, seen=request.POST.get("seen", ""))
        except MovedMeanwhile:
            moved = True
        except InvalidConfig as invalid:
            form.add_problems(invalid.problems)
        except UnknownVersion as unknown:
            form.add_error("version", translated(unknown.message))
        else:
            _say(page, kind, trader_ids, any(row.is_new for row in written))
            return drafts.ended(request, HttpResponseRedirect(_after_url(page, trader_ids)))
    if moved:
        shown = preview(kind, trader_ids, chosen)
    return page.render(
        "control.html",
        kind_words(kind),
        shown=PreviewShown(shown),
        form=form,
        moved=moved,
        chosen=" ".join(trader_ids),
        back=_after_url(page, trader_ids),
        offers=_offers(request, kind, trader_ids) if shown.positions else [],
        unpinning=unpinning(shown) if kind is ControlKind.UNPIN else [],
    )


def _chosen(given: QueryDict) -> ControlChoice:
    """What the form holds, valid or not. A close of one symbol pauses nothing."""
    version = given.get("version", "").strip()
    return ControlChoice(
        cause=given.get("cause") or OPERATOR,
        keeps_trading=bool(given.get("symbol") or given.get("keep_trading")),
        version=int(version) if version.isascii() and version.isdecimal() and len(version) < 10 else None,
    )


def _holding_among(trader_ids: list[str]) -> list[str]:
    """Of many, those that have something to close; all where none has, which the answer says."""
    held = facts.open_positions(trader_ids) or {}
    return [name for name in trader_ids if held.get(name)] or trader_ids


def _say(page: ConfigPage, kind: ControlKind, trader_ids: list[str], is_new: bool) -> None:
    what = {"what": kind_words(kind), "n": len(trader_ids), "id": trader_ids[0]}
    if not is_new:
        messages.info(page.request, _("%(what)s: this stands already, nothing was written.") % what)
    elif len(trader_ids) == 1:
        messages.success(page.request, _("%(what)s: asked of %(id)s.") % what)
    else:
        words = ngettext("%(what)s: asked of %(n)d trader.", "%(what)s: asked of %(n)d traders.", len(trader_ids))
        messages.success(page.request, words % what)


def _offers(request: HttpRequest, kind: ControlKind, trader_ids: list[str]) -> list[tuple[str, str]]:
    """What may be wanted instead of a stop that leaves positions open."""
    if kind is not ControlKind.STOP:
        return []
    others = [(ControlKind.DRAIN, _("Drain instead")), (ControlKind.CLOSE, _("Close positions"))]
    return [(words, control_url(other, *trader_ids)) for other, words in others if may_control(request, other)]


def _after_url(page: ConfigPage, trader_ids: list[str]) -> str:
    if len(trader_ids) == 1:
        return ConfigPage(page.admin, page.request, trader_ids[0]).overview_url
    return list_url(page, without=_FIELDS)
