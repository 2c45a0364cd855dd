"""Rules about engines and what they record."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from traders.schema.durations import duration_text
from traders.schema.messages import _
from trading.alarms.queries import open_subjects
from trading.alarms.rules.catalogue import AlarmName
from trading.alarms.watching import queries
from trading.alarms.watching.causes import AlarmLook, Cause, positions_words
from trading.differences import queries as differences
from trading.differences.alarm import alarm_words
from trading.live.keys import PRICE
from trading.schema.common import Side

MODEL_WINDOW = timedelta(minutes=15)
NAMED = 10
EVENT_WINDOW = timedelta(days=1)
"""So long ago something may have happened and still raise an alarm, if the watch was away."""


def report_overdue(look: AlarmLook) -> Iterator[Cause]:
    found, oldest = _overdue(look, queries.overdue(look.now, look.threshold))
    if found:
        message = _(
            "Running traders without a report: %(count)s; the oldest report is %(age)s old",
            count=len(found),
            age=duration_text(oldest, units=2),
        )
        yield Cause(message, traders=found, figures={"traders": len(found), "oldest_s": oldest})


def equity_stale(look: AlarmLook) -> Iterator[Cause]:
    found, oldest = _overdue(look, queries.stale_equity(look.now, look.threshold))
    if found:
        message = _(
            "Running traders without new equity: %(count)s; the oldest is %(age)s old",
            count=len(found),
            age=duration_text(oldest, units=2),
        )
        yield Cause(message, traders=found, figures={"traders": len(found), "oldest_s": oldest})


def _overdue(look: AlarmLook, rows: list[Any]) -> tuple[list[str], int]:
    """(traders, the age of the oldest in seconds)."""
    late = [row for row in rows if look.is_overdue(row.last, float(row.allowed_seconds))]
    oldest = max(((look.now - row.last).total_seconds() for row in late), default=0)
    return [row.id for row in late], round(oldest)


def prices_stale(look: AlarmLook) -> Iterator[Cause]:
    """By what the exporter saw, which an exporter that is silent does not know."""
    seen = look.status.live_ages.get(PRICE.name) if look.status else None
    if seen is None or not (positions := queries.open_positions()):
        return
    age = round(seen + look.status_age_seconds)
    if look.is_overdue(look.ago(age), look.threshold):
        message = _(
            "The youngest price is %(age)s old; open positions: %(count)s",
            age=duration_text(age, units=2),
            count=positions,
        )
        yield Cause(message, figures={"youngest_price_s": age, "open_positions": positions})


def no_live_stop(look: AlarmLook) -> Iterator[Cause]:
    if found := queries.without_stop(look.ago(look.threshold)):
        named = positions_words(found[:NAMED])
        message = _("Positions without a stop-loss order (%(count)s): %(named)s", count=len(found), named=named)
        yield Cause(
            message,
            traders=sorted({row.trader_id for row in found}),
            figures={"positions": len(found)},
            grows_by=("positions",),
        )


def exchange_differs(look: AlarmLook) -> Iterator[Cause]:
    for trader_id, count in sorted(differences.unsettled_counts().items()):
        yield Cause(
            alarm_words(trader_id, count),
            subject=trader_id,
            traders=[trader_id],
            figures={"differences": count},
            grows_by=("differences",),
        )


def liquidation(look: AlarmLook) -> Iterator[Cause]:
    for row in queries.liquidated(look.now - EVENT_WINDOW):
        message = _(
            "%(trader)s was liquidated in %(symbol)s (%(side)s), net %(net)s USD",
            trader=row.trader_id,
            symbol=row.symbol,
            side=Side(row.side).words,
            net=f"{row.net_pnl:,.2f}",
        )
        yield Cause(message, subject=row.id, traders=[row.trader_id], figures={"net_pnl_usd": row.net_pnl})


def against_control(look: AlarmLook) -> Iterator[Cause]:
    """The record takes what happened at an exchange, and marks it. One alarm a ban, to which further entries are
    added."""
    by_ban: dict[str, list[Any]] = {}
    for row in queries.against_control(look.now - EVENT_WINDOW):
        ban = f"control {row.control_id}" if row.control_id else f"retired {row.trader_id}"
        by_ban.setdefault(ban, []).append(row)
    for ban, found in by_ban.items():
        named = positions_words(found[:NAMED])
        reason = found[0].reason or ""
        message = (
            _("%(named)s was entered although entries were banned: %(reason)s", named=named, reason=reason)
            if len(found) == 1
            else _(
                "Entries made although entries were banned (%(count)s): %(reason)s; %(named)s",
                count=len(found),
                reason=reason,
                named=named,
            )
        )
        figures = {"entries": len(found), "newest_ms": found[-1].at_ms}
        traders = sorted({row.trader_id for row in found})
        yield Cause(message, subject=ban, traders=traders, figures=figures, grows_by=("entries", "newest_ms"))


def model_errors(look: AlarmLook) -> Iterator[Cause]:
    """From the threshold on; an alarm that is open stays so until a decision succeeds, or none fails any more."""
    opened = open_subjects(AlarmName.MODEL_ERRORS)
    for row in queries.failing_models(look.now - MODEL_WINDOW):
        if row.failed < look.threshold and row.model not in opened:
            continue
        message = _("%(count)s decisions of %(model)s failed in a row", count=row.failed, model=row.model)
        yield Cause(message, subject=row.model, traders=row.traders, figures={"failed": row.failed})


def engine_error(look: AlarmLook) -> Iterator[Cause]:
    """Of engines that report; one that is silent is overdue."""
    if found := queries.reported_errors(look.now):
        named = "; ".join(f"{row.id}: {row.error}" for row in found[:NAMED])
        message = _("Running traders that report an error (%(count)s): %(named)s", count=len(found), named=named)
        yield Cause(message, traders=[row.id for row in found], figures={"traders": len(found)})


def engine_clock(look: AlarmLook) -> Iterator[Cause]:
    found = queries.clock_refusals(look.ago(look.threshold * 3600))
    if found.traders:
        message = _(
            "Records refused because the engine's clock is %(ahead)s ahead: %(count)s",
            count=found.refused,
            ahead=duration_text(found.ahead_ms / 1000, units=2),
        )
        figures = {"refused": found.refused, "ahead_ms": found.ahead_ms}
        yield Cause(message, traders=[name for name in found.traders if name], figures=figures)


def close_without_trade(look: AlarmLook) -> Iterator[Cause]:
    if found := queries.closes_without_trade(look.now - EVENT_WINDOW, look.ago(look.threshold)):
        named = ", ".join(row.id for row in found[:10])
        message = _("Closes without a trade (%(count)s): %(named)s", count=len(found), named=named)
        yield Cause(message, traders=sorted({row.trader_id for row in found}), figures={"closes": len(found)})
