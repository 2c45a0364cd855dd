"""Compares reports of engines with the record, and settles what differs."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from traders.versions.reason import required_reason
from traders.versions.services import existing_trader
from trading.alarms import services as alarms
from trading.alarms.rules.catalogue import AlarmName
from trading.differences import queries, rules, taking, writer
from trading.differences.alarm import alarm_words
from trading.differences.rules import NEEDS_PRICE, AccountThere, DifferenceKind, HeldHere, Settlement
from trading.live import services as live
from trading.models import ExchangeDifference
from trading.record.writing import positions
from trading.schema.common import Side
from trading.schema.position import PositionRecord


@dataclass(frozen=True, slots=True)
class SettlementPreview:
    """The position that the difference is about, before and after; None: none is open."""

    before: PositionRecord | None
    after: PositionRecord | None


def reconcile(trader_id: str, there: AccountThere, *, actor: str) -> list[ExchangeDifference]:
    """Compares, stores what differs and raises the alarm; the trader's differences that are not settled, oldest first.
    Raises UnknownConfig."""
    existing_trader(trader_id)
    with writer.at_once(trader_id):
        here = queries.account_here(trader_id, positions.open_whole(trader_id))
        kinds = rules.compared(here, there)
        new = writer.keep(trader_id, rules.differences(here, there), compared=kinds, reported_by=actor)
        left = queries.unsettled(trader_id)
        if new:
            alarms.raise_alarm(
                AlarmName.EXCHANGE_DIFFERS,
                alarm_words(trader_id, len(left)),
                subject=trader_id,
                traders=[trader_id],
                figures={"differences": len(left)},
            )
    return left


def unsettled(trader_id: str | None = None) -> list[ExchangeDifference]:
    """Oldest first; of all traders without one. Raises UnknownConfig."""
    if trader_id is not None:
        existing_trader(trader_id)
    return queries.unsettled(trader_id)


def existing(difference_id: int) -> ExchangeDifference:
    """One that is not settled. Raises UnknownDifference."""
    return queries.existing(difference_id)


def preview(difference_id: int, how: Settlement, price: Decimal | None) -> SettlementPreview:
    """What `settle` would do: it does it and rolls it back. Raises the same but for the reason."""
    with writer.settling(difference_id, is_preview=True) as row:
        before = taking.held(row)
        if how is Settlement.TAKEN:
            taking.take(row, price)
        return SettlementPreview(before, taking.held(row))


def settle(
    difference_id: int,
    how: Settlement,
    *,
    price: Decimal | None = None,
    reason: str,
    actor: str,
    account_id: int | None = None,
) -> None:
    """Taken: the record is brought to what the exchange says, with fills at `price` where it says none. Dismissed: the
    record stays, and the same difference comes up no more. The last one ends the trader's ban and the alarm.

    Raises UnknownDifference, InvalidConfig for the reason, CannotBeTaken and RecordError.
    """
    said = required_reason(reason)
    with writer.settling(difference_id) as row:
        if how is Settlement.TAKEN:
            taking.take(row, price)
        writer.settle(row, how, reason=said, actor=actor, account_id=account_id)
        if not queries.unsettled(row.trader_id):
            alarms.end_alarm(AlarmName.EXCHANGE_DIFFERS, row.trader_id, by=actor)
    if how is Settlement.TAKEN:
        live.changed(row.trader_id)
        if row.kind == DifferenceKind.EQUITY:
            live.equity_changed(row.trader_id)


def suggested_price(row: ExchangeDifference) -> Decimal | None:
    """Of the fill that the record lacks, by what the exchange said; None where it said nothing, or none is needed."""
    price = _said_price(row)
    # JSON has whole numbers too.
    return None if price is None else Decimal(price)


def _said_price(row: ExchangeDifference) -> Any:
    kind, known = DifferenceKind(row.kind), row.detail["known"]
    if kind not in NEEDS_PRICE:
        return None
    if kind is DifferenceKind.ONLY_THERE:
        return known.get("entry_price") or known.get("mark_price")
    if kind is DifferenceKind.ONLY_HERE:
        return known.get("mark_price")
    position = taking.held(row)
    if position is None:
        return None
    entry = position.detail.entry
    here = HeldHere(position.symbol, Side(position.side), entry.quantity, entry.price)
    return rules.fill_price(here, row.detail["theirs"], known)
