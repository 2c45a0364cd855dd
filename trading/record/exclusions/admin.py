"""The pages that set rows aside and include them again: a preview, then the reason; and the list of all entries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from traders.drafts import pages as drafts
from traders.pages.reason_form import ReasonForm
from traders.schema.problems import InvalidConfig
from traders.words import messages as words
from traders.words.trader_field import offered_traders
from trading.record.exclusions import corrected
from trading.record.exclusions import queries as exclusion_log
from trading.record.exclusions import services as exclusions
from trading.record.exclusions.forms import KIND_WORDS, AsideFilterForm, ChosenForm
from trading.record.exclusions.queries import LoggedExclusion
from trading.record.exclusions.services import ExclusionChange
from trading.record.pages import RecordPage
from trading.record.rules.errors import RecordError, UnknownRecord
from trading.schema.exclusion import Exclusion, RecordKey, RecordKind
from trading.templatetags.record import NONE, count, gain, money, percent

PERMISSION = "trading.exclude_record"
_EQUITY = "trading.view_equitysnapshot"
PER_PAGE = 50
OFFERED = 500
SHOWN = 50
TICKETS = {
    RecordKind.TRADE: "admin:trading_trade_change",
    RecordKind.POSITION: "admin:trading_position_change",
    RecordKind.DECISION: "admin:trading_decisionjournal_change",
    RecordKind.EQUITY: "admin:trading_recordexclusion_equity",
}
LISTS = {
    RecordKind.TRADE: "admin:trading_trade_changelist",
    RecordKind.POSITION: "admin:trading_position_changelist",
    RecordKind.DECISION: "admin:trading_decisionjournal_changelist",
}
_GAINS = frozenset({"net_pnl", "gross_pnl", "closed_pnl", "funding"})
_MONEY = frozenset({"fees", "equity"})
_PERCENT = frozenset({"win_rate_pct", "return_pct", "max_drawdown_pct"})
_WORDS = {
    "trades": pgettext_lazy("how many", "trades"),
    "wins": gettext_lazy("winning trades"),
    "net_pnl": gettext_lazy("net P&L, USD"),
    "gross_pnl": gettext_lazy("gross P&L, USD"),
    "fees": gettext_lazy("commission, USD"),
    "funding": gettext_lazy("funding, USD"),
    "win_rate_pct": gettext_lazy("win rate, %"),
    "open_positions": gettext_lazy("open positions"),
    "closed_positions": gettext_lazy("closed positions"),
    "closed_pnl": gettext_lazy("P&L of closed positions, USD"),
    "decisions": gettext_lazy("decisions"),
    "equity_points": gettext_lazy("equity points"),
    "equity": gettext_lazy("equity, USD"),
    "return_pct": gettext_lazy("return, %"),
    "max_drawdown_pct": gettext_lazy("maximum drawdown, %"),
}


def may_exclude(request: HttpRequest) -> bool:
    return request.user.has_perm(PERMISSION)


@dataclass(frozen=True)
class MovedFigure:
    """A figure of a trader before and after, as the page writes it."""

    trader_id: str
    label: Any
    before: Any
    after: Any


@dataclass(frozen=True)
class TicketMark:
    """What a ticket shows about its row being set aside. `entries`: all entries of the row, newest first. `before`: the
    row that it corrects, `after`: the one that corrects it, as (id, address)."""

    key: RecordKey
    current: Exclusion | None
    entries: list[Exclusion]
    may_change: bool
    before: tuple[str, str] | None
    after: tuple[str, str] | None

    @property
    def change_query(self) -> str:
        undo = {"undo": "1"} if self.current else {}
        return urlencode({"kind": self.key.kind, "id": self.key.name, **undo})

    @property
    def correct_query(self) -> str:
        return urlencode({"kind": self.key.kind, "id": self.key.name})


def mark_of(request: HttpRequest, key: RecordKey, *also: str) -> TicketMark:
    """`also` are ids that the row had before."""
    line = [one.id for one in corrected.family(key)]
    place = line.index(key.id) if key.id in line else 0
    return TicketMark(
        key,
        exclusions.mark(key),
        exclusions.history(key.kind, {key.id, *also}),
        may_exclude(request),
        _with_address(replace(key, id=line[place - 1])) if place else None,
        _with_address(replace(key, id=line[place + 1])) if line[place + 1 :] else None,
    )


def chosen_row(page: RecordPage) -> RecordKey | None:
    """The one row that the address names; None, with a message, where it names none."""
    chosen = ChosenForm(page.request.GET)
    if chosen.is_valid() and len(chosen.keys) == 1:
        return chosen.keys[0]
    messages.warning(page.request, _("Choose one row."))
    return None


def _with_address(key: RecordKey) -> tuple[str, str]:
    return key.id, _ticket(key)


def change_view(page: RecordPage) -> HttpResponse:
    """Previews the rows of `ChosenForm`; saves with `step=save` and a reason."""
    request = page.request
    chosen = ChosenForm(request.POST if request.method == "POST" else request.GET)
    if not chosen.is_valid():
        for errors in chosen.errors.values():
            for error in errors:
                messages.warning(request, str(error))
        return HttpResponseRedirect(page.list_url)
    form = ReasonForm(request.POST if request.POST.get("step") == "save" else None)
    if form.is_bound and form.is_valid():
        try:
            return drafts.ended(request, _saved(page, chosen, form.cleaned_data["reason"]))
        except InvalidConfig as invalid:
            form.add_problems(invalid.problems)
        except UnknownRecord as unknown:
            return _gone(page, unknown)
        except RecordError as refused:
            messages.error(request, _("Not done: %(why)s.") % {"why": words.why(refused)})
    return _preview(page, chosen, form)


def log_view(page: RecordPage) -> HttpResponse:
    actors = exclusion_log.actors(OFFERED)
    form = AsideFilterForm(page.request.GET, actors=actors)
    lines: list[LoggedExclusion] = []
    older: int | None = None
    if form.is_valid():
        lines, older = exclusion_log.logged(form.where(), older_than=form.cleaned_data["older"], size=PER_PAGE)
    asked = form.asked()
    return page.render(
        "aside_log.html",
        _("Set aside"),
        form=form,
        lines=[(line, _ticket(line.entry.key), KIND_WORDS[line.entry.kind], _undo_query(line)) for line in lines],
        asked=urlencode(asked),
        filtered=bool(asked),
        is_later=bool(form.data.get("older")),
        older=f"?{urlencode({**asked, 'older': older})}" if older else "",
        may_exclude=may_exclude(page.request),
        kinds=KIND_WORDS.items(),
        actors=actors,
        suspect=exclusion_log.suspect_points(SHOWN) if page.request.user.has_perm(_EQUITY) else [],
        traders=offered_traders(),
    )


def _undo_query(line: LoggedExclusion) -> str:
    """The query that includes the row again; empty if it is not set aside now."""
    key = line.entry.key
    return urlencode({"kind": key.kind, "id": key.name, "undo": "1"}) if line.is_aside_now else ""


def _saved(page: RecordPage, chosen: ChosenForm, reason: str) -> HttpResponse:
    user = page.request.user
    change = exclusions.set_aside(
        chosen.keys,
        reason=reason,
        actor=user.get_username(),
        account_id=user.pk,
        undo=chosen.cleaned_data["undo"],
    )
    done = len(change.entries)
    if done:
        said = (
            ngettext("Included %(n)d row again.", "Included %(n)d rows again.", done)
            if change.is_undo
            else ngettext("Set %(n)d row aside.", "Set %(n)d rows aside.", done)
        )
        messages.success(page.request, said % {"n": done})
    if change.already:
        said = ngettext("%(n)d row needed no change.", "%(n)d rows needed no change.", len(change.already))
        messages.warning(page.request, said % {"n": len(change.already)})
    return HttpResponseRedirect(_back(page, change))


def _back(page: RecordPage, change: ExclusionChange) -> str:
    """The ticket if there is one row, else the list of its kind."""
    touched = [entry.key for entry in change.entries] or [key for key, _entry in change.already]
    if len(touched) == 1 and not (change.is_undo and touched[0].kind is RecordKind.POSITION):
        # An open position gets the id of an open one again.
        return _ticket(touched[0])
    return reverse(LISTS[touched[0].kind]) if touched[0].kind in LISTS else page.list_url


def _preview(page: RecordPage, chosen: ChosenForm, form: ReasonForm) -> HttpResponse:
    undo = chosen.cleaned_data["undo"]
    change: ExclusionChange | None = None
    try:
        change = exclusions.preview(chosen.keys, undo=undo)
    except UnknownRecord as unknown:
        return _gone(page, unknown)
    except RecordError as refused:
        messages.error(page.request, _("It cannot be done now: %(why)s.") % {"why": words.why(refused)})
    keys = chosen.keys
    return page.render(
        "aside_change.html",
        _("Include again") if undo else _("Set aside"),
        change=change,
        undo=undo,
        kind=keys[0].kind,
        kind_words=KIND_WORDS[keys[0].kind],
        ids=chosen.ids,
        rows=[(key, _ticket(key)) for key in keys[:SHOWN]],
        more=max(0, len(keys) - SHOWN),
        moved=list(_moved(change)) if change else [],
        form=form,
        back=_ticket(keys[0]) if len(keys) == 1 else "",
        opened_at=f"{page.request.path}?{urlencode([('kind', keys[0].kind), *[('id', one) for one in chosen.ids]])}",
    )


def _moved(change: ExclusionChange) -> Iterator[MovedFigure]:
    for trader_id, name, before, after in change.moved_figures():
        yield MovedFigure(trader_id, _WORDS[name], _written(name, before), _written(name, after))


def _written(name: str, value: Any) -> Any:
    if value is None:
        return NONE
    if name in _GAINS:
        return gain(value)
    if name in _MONEY:
        return money(value)
    return percent(value) if name in _PERCENT else count(value)


def _ticket(key: RecordKey) -> str:
    """The address of the row's page."""
    return reverse(TICKETS[key.kind], args=[key.name])


def _gone(page: RecordPage, unknown: UnknownRecord) -> HttpResponse:
    messages.warning(page.request, _("Nothing was changed: %(why)s.") % {"why": words.why(unknown)})
    return HttpResponseRedirect(page.list_url)
