"""The pages of the trading record over millions of trades, as a browser asks for them."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import reverse

from benchmarks.browser import HOW, Page, measured, signed_in
from benchmarks.report import Table
from trading.models import Trade


def table(count: int, trader_id: str) -> Table:
    client = signed_in()
    rows = []
    for name, url in _pages(trader_id):
        found = measured(client, Page(url))
        rows.append((name, found.at(0.5), found.at(0.95), str(found.queries), f"{found.kilobytes:.0f}"))
    return Table(f"Pages of the record, {count:,} trades", ("Page", "p50 ms", "p95 ms", "queries", "KB"), rows, (HOW,))


def _pages(trader_id: str) -> list[tuple[str, str]]:
    trades = reverse("admin:trading_trade_changelist")
    ticket = Trade.objects.filter(trader=trader_id).order_by("-close_ts_ms").values_list("pk", flat=True)[0]
    asked = {
        "trades, first page": {},
        "trades of a trader": {"trader": trader_id},
        "trades of a version": {"trader": trader_id, "version": "7"},
        "trades in a symbol": {"symbol": "BTC"},
    }
    return [
        *((name, f"{trades}?{urlencode(query)}" if query else trades) for name, query in asked.items()),
        ("a trade's ticket", reverse("admin:trading_trade_change", args=[ticket])),
        ("positions, first page", reverse("admin:trading_position_changelist")),
        ("changes by outcome", reverse("admin:trading_trade_outcomes")),
        ("history of a trader with results", reverse("admin:traders_traderconfig_history", args=[trader_id])),
    ]
