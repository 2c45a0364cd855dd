"""Setting rows aside in the browser: the effect first, then a reason; and the page that lists who did so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from traders.models import TraderConfig
from traders.pages.reason_form import ReasonForm
from traders.schema.problems import InvalidConfig
from traders.words import messages as words
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
PER_PAGE = 50
OFFERED = 500
SHOWN = 50
TICKETS = {
    RecordKind.TRADE: "admin:trading_trade_change",
    RecordKind.POSITION: "admin:trading_position_change",
    RecordKind.DECISION: "admin:trading_decisionjournal_change",
}
LISTS = {
    RecordKind.TRADE: "admin:trading_trade_changelist",
    RecordKind.POSITION: "admin:trading_position_changelist",
    RecordKind.DECISION: "admin:trading_decisionjournal_changelist",
}
_GAINS = frozenset({"net_pnl", "gross_pnl", "closed_pnl"})
_MONEY = frozenset({"fees", "equity"})
_PERCENT = frozenset({"win_rate_pct", "return_pct", "max_drawdown_pct"})
_WORDS = {
    "trades": gettext_lazy("trades"),
    "wins": gettext_lazy("won"),
    "net_pnl": gettext_lazy("net P&L, USD"),
    "gross_pnl": gettext_lazy("gross P&L, USD"),
    "fees": gettext_lazy("fees, USD"),
    "win_rate_pct": gettext_lazy("won, %"),
    "open_positions": gettext_lazy("open positions"),
    "closed_positions": gettext_lazy("closed positions"),
    "closed_pnl": gettext_lazy("closed for, USD"),
    "decisions": gettext_lazy("decisions"),
    "equity_points": gettext_lazy("equity points"),
    "equity": gettext_lazy("equity, USD"),
    "return_pct": gettext_lazy("return, %"),
    "max_drawdown_pct": gettext_lazy("max drawdown, %"),
}


def may_exclude(request: HttpRequest) -> bool:
    return request.user.has_perm(PERMISSION)


@dataclass(frozen=True)
class Moved:
    """A figure of a trader before and after, as the page writes it."""

    trader_id: str
    label: Any
    before: Any
    after: Any


@dataclass(frozen=True)
class TicketMark:
    """How a ticket says that its row is set aside. `entries` are all that was ever said of it, newest first."""

    kind: RecordKind
    record_id: str
    current: Exclusion | None
    entries: list[Exclusion]
    may_change: bool

    @property
    def change_query(self) -> str:
        undo = {"undo": "1"} if self.current else {}
        return urlencode({"kind": self.kind, "id": self.record_id, **undo})


def mark_of(request: HttpRequest, kind: RecordKind, record_id: str, *also: str) -> TicketMark:
    """`also` are ids that the row had before."""
    return TicketMark(
        kind,
        record_id,
        exclusions.mark(kind, record_id),
        exclusions.history(kind, {record_id, *also}),
        may_exclude(request),
    )


def change_view(page: RecordPage) -> HttpResponse:
    """What `ChosenForm` names: previewed, and with `step=save` and a reason done."""
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
            return _saved(page, chosen, form.cleaned_data["reason"])
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
        traders=TraderConfig.objects.order_by("pk").values_list("pk", flat=True)[:OFFERED],
    )


def _undo_query(line: LoggedExclusion) -> str:
    """Empty for an entry that there is nothing to undo of."""
    return urlencode({"kind": line.entry.kind, "id": line.entry.record_id, "undo": "1"}) if line.is_aside_now else ""


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
            ngettext("Took %(n)d row back in.", "Took %(n)d rows back in.", done)
            if change.is_undo
            else ngettext("Set %(n)d row aside.", "Set %(n)d rows aside.", done)
        )
        messages.success(page.request, said % {"n": done})
    if change.already:
        said = ngettext("%(n)d row was so already.", "%(n)d rows were so already.", len(change.already))
        messages.warning(page.request, said % {"n": len(change.already)})
    return HttpResponseRedirect(_back(page, change))


def _back(page: RecordPage, change: ExclusionChange) -> str:
    """To the ticket of the one row, else to the list of its kind."""
    touched = [entry.key for entry in change.entries] or [key for key, _entry in change.already]
    if len(touched) == 1 and not (change.is_undo and touched[0].kind is RecordKind.POSITION):
        # An open position that is taken back in has another id again.
        return _ticket(touched[0]) or page.list_url
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
        _("Take back in") if undo else _("Set aside"),
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
    )


def _moved(change: ExclusionChange) -> Iterator[Moved]:
    for trader_id, name, before, after in change.moved_figures():
        yield Moved(trader_id, _WORDS[name], _written(name, before), _written(name, after))


def _written(name: str, value: Any) -> Any:
    if value is None:
        return NONE
    if name in _GAINS:
        return gain(value)
    if name in _MONEY:
        return money(value)
    return percent(value) if name in _PERCENT else count(value)


def _ticket(key: RecordKey) -> str:
    """Empty for what has none."""
    return reverse(TICKETS[key.kind], args=[key.id]) if key.kind in TICKETS else ""


def _gone(page: RecordPage, unknown: UnknownRecord) -> HttpResponse:
    messages.warning(page.request, _("Nothing was changed: %(why)s.") % {"why": unknown})
    return HttpResponseRedirect(page.list_url)
