"""Reads differences, and what the record holds of a trader to compare it."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Count

from traders.database.among import among
from trading.columns import EQUITY_COUNTED
from trading.differences.models import UNSETTLED
from trading.differences.rules import AccountHere, HeldHere, RestingOrderKind, UnknownDifference
from trading.models import EquitySnapshot, ExchangeDifference
from trading.schema.position import PositionRecord


def unsettled_counts(trader_ids: Collection[str] | None = None) -> dict[str, int]:
    """{trader_id: how many}, of those of these traders (None: of all) that have some."""
    rows = ExchangeDifference.objects.filter(UNSETTLED).order_by()
    if trader_ids is not None:
        rows = rows.filter(among("trader", trader_ids))
    return dict(rows.values_list("trader_id").annotate(Count("pk")))


def unsettled(trader_id: str | None) -> list[ExchangeDifference]:
    """Oldest first; None: of all traders."""
    rows = ExchangeDifference.objects.filter(UNSETTLED).order_by("pk")
    return list(rows if trader_id is None else rows.filter(trader=trader_id))


def existing(difference_id: int, *, lock: bool = False) -> ExchangeDifference:
    """One that is not settled. Raises UnknownDifference."""
    rows = ExchangeDifference.objects.filter(UNSETTLED, pk=difference_id)
    row = (rows.select_for_update() if lock else rows).first()
    if row is None:
        raise UnknownDifference(difference_id)
    return row


def newest(trader_id: str) -> dict[tuple[str, str], ExchangeDifference]:
    """{(kind, subject): the last row}, settled or not."""
    rows = ExchangeDifference.objects.filter(trader=trader_id).order_by("kind", "subject", "-pk")
    return {(row.kind, row.subject): row for row in rows.distinct("kind", "subject")}


def account_here(trader_id: str, held: Collection[PositionRecord]) -> AccountHere:
    points = EquitySnapshot.objects.filter(EQUITY_COUNTED, trader=trader_id).order_by("-ts_ms")
    return AccountHere(tuple(_held(position) for position in held), points.values_list("ts_ms", "equity_usd").first())


def _held(position: PositionRecord) -> HeldHere:
    orders, entry = position.detail.orders, position.detail.entry
    named = {RestingOrderKind.STOP: orders.sl_oid, RestingOrderKind.TARGET: orders.tp_oid} if orders else {}
    return HeldHere(
        position.symbol,
        position.side,
        entry.quantity,
        entry.price,
        {kind: str(order_id) for kind, order_id in named.items() if order_id is not None},
    )
