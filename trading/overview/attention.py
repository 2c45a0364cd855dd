"""What needs attention: the open alarms, each with what to press and with what changed before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from traders.controls.pages.fleet import may_release
from traders.controls.pages.trader import may_control
from traders.controls.words import kind_words
from traders.schema.controls.rows import ControlKind
from traders.schema.messages import gettext_noop
from traders.schema.settings.fleet import FLEET_ID
from traders.words.messages import translated
from trading.alarms import presentation
from trading.alarms.presentation import AlarmState
from trading.alarms.rules.catalogue import AlarmName, Severity
from trading.alarms.watching.queries import conflicts as conflicts_before
from trading.models import Alarm
from trading.overview import queries

MOST_SHOWN = 6
"""So that it is seen without scrolling; the page of alarms has the rest."""
MOST_READ = 200
MOST_NAMED = 3
MOST_CHOSEN = 50
"""Traders that an address names."""
CHANGE_WINDOW = timedelta(days=1)
MOST_VERSIONS = 500

_CONTROLS = {
    AlarmName.CONTROL_NOT_FOLLOWED: ControlKind.STOP,
    AlarmName.AGAINST_CONTROL: ControlKind.CLOSE,
    AlarmName.CLOSE_EXPIRED: ControlKind.CLOSE,
    AlarmName.NO_LIVE_STOP: ControlKind.CLOSE,
    AlarmName.PIN_OLD: ControlKind.UNPIN,
    AlarmName.REPORT_OVERDUE: ControlKind.PAUSE,
    AlarmName.LIQUIDATION: ControlKind.PAUSE,
    AlarmName.BUDGET: ControlKind.RESUME,
    AlarmName.GUARD_FIRED: ControlKind.RESUME,
}
# (url name, permission) of the page where it is mended.
_PAGES = {
    AlarmName.PRICES_STALE: ("admin:trading_position_live", "trading.view_position"),
    AlarmName.EXCHANGE_DIFFERS: ("admin:trading_exchangedifference_changelist", "trading.view_exchangedifference"),
    AlarmName.MODEL_ERRORS: ("admin:trading_decisionjournal_changelist", "trading.view_decisionjournal"),
    AlarmName.CONFLICT_WAITING: ("admin:traders_conflicts", "traders.view_traderconfig"),
    AlarmName.UNREADABLE_ROWS: ("admin:trading_trade_unreadable", "trading.view_trade"),
    AlarmName.CLOSE_WITHOUT_TRADE: ("admin:trading_position_changelist", "trading.view_position"),
    AlarmName.FILE_DIFFERS: ("admin:traders_traderconfig_changelist", "traders.view_traderconfig"),
    AlarmName.VERSION_BEHIND: ("admin:traders_traderconfig_changelist", "traders.view_traderconfig"),
    AlarmName.ENGINE_ERROR: ("admin:traders_traderconfig_changelist", "traders.view_traderconfig"),
    AlarmName.EQUITY_STALE: ("admin:traders_traderconfig_changelist", "traders.view_traderconfig"),
}
_URGENCY: dict[str, int] = {Severity.PAGE: 0, Severity.NOTIFY: 1}


@dataclass(frozen=True, slots=True)
class ChangeBefore:
    """The newest version of one of an item's traders from the day before the item."""

    trader_id: str
    version: int
    who: str
    why: str
    at: datetime
    url: str


@dataclass(frozen=True, slots=True)
class AttentionItem:
    """An open alarm, or what will be one if it lasts, without a key. `press` are (words, address) of the pages where it
    is mended, the first one first."""

    alarm: Alarm
    title: str
    said: str
    advice: str
    acknowledged: str
    is_acknowledged: bool
    press: Sequence[tuple[str, str]]
    change: ChangeBefore | None = None

    @property
    def traders(self) -> list[str]:
        """The first of those concerned, where neither the message nor a button names them."""
        named = [trader_id for trader_id in self.alarm.traders if trader_id in self.said]
        return [] if named or len(self.alarm.traders) < 2 else self.alarm.traders[:MOST_NAMED]

    @property
    def more_traders(self) -> int:
        return len(self.alarm.traders) - len(self.traders)

    @property
    def is_page(self) -> bool:
        return bool(self.alarm.severity == Severity.PAGE)


@dataclass(frozen=True, slots=True)
class Attention:
    """`more`: open items beside the shown ones. `unwatched`: why nothing new would be seen, else empty."""

    shown: Sequence[AttentionItem]
    more: int
    acknowledged: Sequence[AttentionItem]
    unwatched: str


def attention(request: HttpRequest, now: datetime) -> Attention:
    """Three statements. The most urgent first, of those the newest; what is acknowledged stands apart."""
    alarms = list(Alarm.objects.filter(ended_at__isnull=True).order_by("-first_at")[:MOST_READ])
    alarms += _conflicts(request, alarms, now)
    alarms.sort(key=lambda alarm: _URGENCY.get(alarm.severity, 2))
    items = [_item(request, alarm, now) for alarm in alarms]
    open_ones = [item for item in items if not item.is_acknowledged]
    shown = _with_changes(open_ones[:MOST_SHOWN])
    acknowledged = [item for item in items if item.is_acknowledged]
    return Attention(shown, max(0, len(open_ones) - MOST_SHOWN), acknowledged, presentation.unwatched())


def _conflicts(request: HttpRequest, alarms: Iterable[Alarm], now: datetime) -> list[Alarm]:
    """Sync conflicts for which there is no alarm yet: its rule waits, because most are settled at once, by whoever made
    them. Who looks at the page is told at once."""
    is_known = any(alarm.rule == AlarmName.CONFLICT_WAITING for alarm in alarms)
    if is_known or not _may_look(request, _PAGES[AlarmName.CONFLICT_WAITING][1]):
        return []
    found = conflicts_before(now)
    if not found.waiting:
        return []
    return [
        Alarm(
            rule=AlarmName.CONFLICT_WAITING,
            severity=Severity.NOTIFY,
            message=gettext_noop("Sync conflicts that wait: %(count)s"),
            parameters={"count": found.waiting},
            traders=[name for name in found.configs if name != FLEET_ID],
            first_at=found.first,
        )
    ]


def _item(request: HttpRequest, alarm: Alarm, now: datetime) -> AttentionItem:
    rule = presentation.rule_of(alarm.rule)
    press = _press(request, alarm)
    if not press and alarm.pk:
        press = [(_("What to do"), reverse("admin:trading_alarm_change", args=[alarm.pk]))]
    return AttentionItem(
        alarm,
        presentation.rule_words(alarm.rule),
        presentation.message_words(alarm),
        translated(rule.advice) if rule else "",
        presentation.acknowledged_words(alarm, now),
        presentation.state_of(alarm, now) is AlarmState.ACKNOWLEDGED,
        press,
    )


def _press(request: HttpRequest, alarm: Alarm) -> list[tuple[str, str]]:
    if alarm.rule not in list(AlarmName):
        return []
    name, found = AlarmName(alarm.rule), []
    is_of_fleet = name in (AlarmName.GUARD_FIRED, AlarmName.BUDGET) and not alarm.traders
    if is_of_fleet:
        if may_release(request):
            found.append((_("Release"), reverse("admin:traders_fleet_release")))
    elif (kind := _CONTROLS.get(name)) and alarm.traders and may_control(request, kind):
        chosen = urlencode([("trader", trader_id) for trader_id in alarm.traders[:MOST_CHOSEN]])
        found.append((kind_words(kind), f"{reverse(f'admin:traders_control_{kind}')}?{chosen}"))
    if (
        name is AlarmName.CONFIG_CHANGED
        and alarm.subject.isdecimal()
        and _may_look(request, "traders.view_traderconfig")
    ):
        found.append((_("Change set"), reverse("admin:traders_changeset", args=[alarm.subject])))
    elif name in _PAGES and (page := _page(request, name, alarm)):
        found.append(page)
    if len(alarm.traders) == 1 and name not in _PAGES and _may_look(request, "traders.view_traderconfig"):
        found.append((alarm.traders[0], reverse("admin:traders_traderconfig_overview", args=alarm.traders)))
    return found


def _page(request: HttpRequest, name: AlarmName, alarm: Alarm) -> tuple[str, str] | None:
    url_name, permission = _PAGES[name]
    if not _may_look(request, permission):
        return None
    if url_name.endswith("traderconfig_changelist") and len(alarm.traders) == 1:
        page = "history" if name is AlarmName.VERSION_BEHIND else "overview"
        return alarm.traders[0], reverse(f"admin:traders_traderconfig_{page}", args=alarm.traders)
    return _page_words(name), reverse(url_name)


def _page_words(name: AlarmName) -> str:
    return {
        AlarmName.PRICES_STALE: _("Live"),
        AlarmName.EXCHANGE_DIFFERS: _("Differences"),
        AlarmName.MODEL_ERRORS: _("Decisions"),
        AlarmName.CONFLICT_WAITING: _("Sync conflicts"),
        AlarmName.UNREADABLE_ROWS: _("Unreadable rows"),
        AlarmName.CLOSE_WITHOUT_TRADE: _("Positions"),
    }.get(name, _("Traders"))


def _may_look(request: HttpRequest, permission: str) -> bool:
    return request.user.has_perm(permission) or request.user.has_perm(permission.replace(".view_", ".change_"))


def _with_changes(items: Sequence[AttentionItem]) -> list[AttentionItem]:
    traders = {trader_id for item in items for trader_id in item.alarm.traders}
    if not traders:
        return list(items)
    first = min(item.alarm.first_at for item in items)
    last = max(item.alarm.first_at for item in items)
    versions = queries.versions_between(traders, first - CHANGE_WINDOW, last, MOST_VERSIONS)
    return [_with_change(item, versions) for item in items]


def _with_change(item: AttentionItem, versions: Iterable[Any]) -> AttentionItem:
    until = item.alarm.first_at
    for row in versions:
        if row.id in item.alarm.traders and until - CHANGE_WINDOW <= row.history_date <= until:
            url = reverse("admin:traders_changeset", args=[row.change_set])
            who, why = row.history_user_id, row.history_change_reason
            change = ChangeBefore(row.id, row.version, who, why, row.history_date, url)
            return replace(item, change=change)
    return item
