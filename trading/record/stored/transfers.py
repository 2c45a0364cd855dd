"""Transfers of traders, as returns see them. Reads only."""

from __future__ import annotations

from collections.abc import Collection

from trading.models import EquityTransfer
from trading.schema.facts import Flow, TransferKind

NO_FLOWS: tuple[Flow, ...] = ()


def flows(trader_ids: Collection[str] | None = None) -> dict[str, tuple[Flow, ...]]:
    """{trader: its transfers in order of time} of those that have any; None: of all traders. One statement over a small
    table."""
    found = EquityTransfer.objects.order_by("trader_id", "ts_ms", "pk")
    if trader_ids is not None:
        found = found.filter(trader__in=trader_ids)
    by_trader: dict[str, list[Flow]] = {}
    for trader_id, ts_ms, amount, kind in found.values_list("trader_id", "ts_ms", "amount_usd", "kind"):
        flow = Flow(trader_id, ts_ms, amount, is_start=kind == TransferKind.INITIAL)
        by_trader.setdefault(trader_id, []).append(flow)
    return {trader_id: tuple(rows) for trader_id, rows in by_trader.items()}
