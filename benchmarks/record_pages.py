"""The pages of the trading record over millions of trades, as a browser asks for them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from benchmarks import trading_rows
from benchmarks.browser import HOW, Page, measured, signed_in
from benchmarks.report import Table, seconds
from benchmarks.servers import empty_tables
from traders.models import TraderConfig
from trading.models import DecisionJournal, Trade
from trading.record.browse import columns

TRADERS = 100
TRADER = "trader_042"
TRADES_A_DECISION = 5


def run(count: int, say: Callable[[str], None]) -> list[Table]:
    make(count, say)
    return [table(count)]


def make(count: int, say: Callable[[str], None]) -> None:
    """So many trades of TRADERS traders, with a decision for every five of them. Trades of the part before are taken as
    they are."""
    if Trade.objects.count() != count or TraderConfig.objects.count() != TRADERS:
        _make_trades(count, say)
    if not DecisionJournal.objects.exists():
        started = time.perf_counter()
        trading_rows.make_decisions(count // TRADES_A_DECISION)
        say(f"{count // TRADES_A_DECISION:,} decisions made in {seconds(time.perf_counter() - started)} s")


def _make_trades(count: int, say: Callable[[str], None]) -> None:
    say(f"{count:,} trades of {TRADERS} traders")
    empty_tables()
    started = time.perf_counter()
    trading_rows.make_record(traders=TRADERS, trades=count)
    trading_rows.vacuum()
    say(f"made in {seconds(time.perf_counter() - started)} s")


def table(count: int, trader_id: str = TRADER) -> Table:
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
        "trades by P&L": {"o": _order(columns.TRADE, "net_pnl")},
        "trades of a trader by P&L": {"trader": trader_id, "o": _order(columns.TRADE, "net_pnl")},
        "trades by side, among the newest": {"o": _order(columns.TRADE, "side")},
        "trades by entry price, among the newest": {"o": _order(columns.TRADE, "entry_price")},
    }
    positions, decisions = (reverse(f"admin:trading_{name}_changelist") for name in ("position", "decisionjournal"))
    of_decisions = {
        "decisions that did something": {},
        "all decisions": {"outcome": "all"},
        "decisions about a symbol": {"symbol": "BTC"},
        "decisions by tokens, among the newest": {"outcome": "all", "o": _order(columns.DECISION, "prompt_tokens")},
    }
    return [
        *((name, f"{trades}?{urlencode(query)}" if query else trades) for name, query in asked.items()),
        ("a trade's ticket", reverse("admin:trading_trade_change", args=[ticket])),
        ("positions, first page", positions),
        ("positions by P&L", f"{positions}?{urlencode({'o': _order(columns.POSITION, 'closed_pnl')})}"),
        *((name, f"{decisions}?{urlencode(query)}") for name, query in of_decisions.items()),
        ("changes by outcome", reverse("admin:trading_trade_outcomes")),
        ("history of a trader with results", reverse("admin:traders_traderconfig_history", args=[trader_id])),
    ]


def _order(shown: Sequence[Any], name: str) -> str:
    """The value of the address that sorts by this column, highest first."""
    return next(f"-{place}" for place, column in enumerate(shown) if column.admin_order_field == name)
