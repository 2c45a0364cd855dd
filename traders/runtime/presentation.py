"""Presents what an engine reported of a trader, and its cooldowns.

Engines write these rows. A value of an unexpected type is shown as it is, a missing one as a dash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Window
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from traders.models import TraderConfig, TraderSymbolCooldown
from traders.runtime.rules import State, stale_after
from traders.runtime.states import state_of_trader
from traders.schema import jsonio
from traders.schema.runtime import as_reported
from traders.words import settings as words
from traders.words.moments import time_element
from traders.words.reasons import cooldown_words

COOLDOWNS_SHOWN = 50
NONE = "–"
_LATEST_YEAR = 9998  # in another time zone the year after may be beyond Python's time
_ROUNDED_BELOW = 10**20  # Decimal has 28 digits
_EARLIEST_YEAR = 2000  # before it stands for "never": the year 1 is an engine's zero


@dataclass(frozen=True)
class CooldownShown:
    """`until` and `since` are times with their exact value on hover; `holds` is false once it is over."""

    symbol: str
    holds: bool
    until: SafeString | str
    reason: str
    losses: str
    last_loss: str
    since: SafeString | str


@dataclass(frozen=True)
class RuntimeShown:
    """`facts` are (label, value) of the last report, empty when no engine has reported."""

    state: State
    is_reported: bool
    is_stale: bool
    reported: SafeString | str
    facts: list[tuple[str, str]]
    cooldowns: list[CooldownShown]
    more_cooldowns: int


def runtime_of(trader: TraderConfig, now: datetime) -> RuntimeShown:
    """`trader` with its runtime state joined. One query."""
    report = trader.runtime_state
    is_reported = report.active_config_version is not None
    cooldowns = TraderSymbolCooldown.objects.filter(trader_id=trader.pk)
    counted = cooldowns.annotate(total=Window(Count("symbol")))
    newest = list(counted.order_by("-cooldown_until", "symbol")[:COOLDOWNS_SHOWN])
    return RuntimeShown(
        state=state_of_trader(trader, now),
        is_reported=is_reported,
        is_stale=is_reported and now - report.updated_at > stale_after(trader.decision_interval_seconds),
        reported=when(report.updated_at, now),
        facts=_facts(trader, now) if is_reported else [],
        cooldowns=[_cooldown(row, now) for row in newest],
        more_cooldowns=max(0, newest[0].total - COOLDOWNS_SHOWN) if newest else 0,
    )


def _facts(trader: TraderConfig, now: datetime) -> list[tuple[str, str]]:
    report, detail = trader.runtime_state, trader.runtime_state.detail
    allocation, performance = _part(detail, "allocation"), _part(detail, "performance")
    return [
        (_("Active version"), _version(report.active_config_version, trader.version)),
        (_("Engine"), _("running") if report.is_running else _("not running")),
        (_("Last decision"), _moment(_part(detail, "decision").get("last_at"), now)),
        (_("Next decision"), _due(_part(detail, "decision").get("next_at"), now)),
        (_("Paused"), _pause(_part(as_reported(detail), "pause"), now)),
        (_("Equity, USD"), shown(_rounded(allocation.get("equity_usd")))),
        (_("Used margin, USD"), shown(_rounded(allocation.get("used_margin_usd")))),
        (_("Available margin, USD"), shown(_rounded(allocation.get("available_margin_usd")))),
        (_("Total P&L, USD"), gain(_rounded(performance.get("total_pnl_usd")))),
        (_("Sharpe ratio"), shown(_rounded(performance.get("sharpe_ratio")))),
        (_("Last error"), _error(detail.get("last_error") if isinstance(detail, dict) else None, now)),
    ]


def _version(active: int | None, latest: int) -> str:
    if active == latest:
        return f"v{active}"
    return _("v%(active)s, the latest is v%(latest)s") % {"active": active, "latest": latest}


def _pause(pause: Mapping[str, Any], now: datetime) -> str:
    until = _parsed(pause.get("until"))
    if until is None or until <= now:
        return _("no")
    reason = shown(pause.get("reason"))
    said = format_html("{} {}", _("until"), when(until, now))
    return said if reason == NONE else format_html("{}: {}", said, reason)


def _error(error: Any, now: datetime) -> str:
    """A text, or `{message, at}`."""
    if isinstance(error, dict) and "message" in error:
        at = _moment(error.get("at"), now)
        return shown(error["message"]) if at == NONE else format_html("{} · {}", shown(error["message"]), at)
    return shown(error)


def _cooldown(row: TraderSymbolCooldown, now: datetime) -> CooldownShown:
    detail = row.detail if isinstance(row.detail, dict) else {}
    return CooldownShown(
        symbol=row.symbol,
        holds=row.cooldown_until > now,
        until=when(row.cooldown_until, now),
        reason=cooldown_words(shown(detail.get("reason"))),
        losses=shown(detail.get("consecutive_losses")),
        last_loss=gain(_rounded(detail.get("last_loss_pnl"))),
        since=_moment(detail.get("triggered_at"), now),
    )


def when(moment: datetime, now: datetime) -> SafeString:
    """`10:30, 4 min ago` or `10:37, in 3 min`, with the exact time on hover."""
    return time_element(moment, now, may_lie_ahead=True)


def shown(value: Any) -> str:
    if value is None or value == "":
        return NONE
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return words.number(value)
    if isinstance(value, str):
        return value
    try:
        return jsonio.dumps(value)
    except (ValueError, RecursionError):
        return _("cannot be shown")


def gain(value: Any) -> str:
    """A gain or a loss by its sign and an arrow."""
    if not isinstance(value, Decimal | int) or isinstance(value, bool) or value == 0:
        return shown(value)
    return f"▲ +{words.number(value)}" if value > 0 else f"▼ −{words.number(-value)}"


def _rounded(value: Any) -> Any:
    """A number that a program worked out, to the cent; anything else as it is."""
    return round(value, 2) if isinstance(value, Decimal) and abs(value) < _ROUNDED_BELOW else value


def _moment(text: Any, now: datetime) -> str:
    moment = _parsed(text)
    return when(moment, now) if moment else NONE


def _due(text: Any, now: datetime) -> str:
    moment = _parsed(text)
    if moment is None or moment > now:
        return _moment(text, now)
    return format_html("{} {}", _("was due"), when(moment, now))


def _parsed(text: Any) -> datetime | None:
    """An engine's RFC 3339 text with its zone; None for what is none, or the zero of its clock."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo and _EARLIEST_YEAR <= moment.year <= _LATEST_YEAR else None


def _part(detail: Any, name: str) -> Mapping[str, Any]:
    part = detail.get(name) if isinstance(detail, dict) else None
    return part if isinstance(part, dict) else {}
