"""What the leaderboard reads: the trades of the shown traders, of all only where it is sorted by them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest
from django.test import Client

from tests.trading.overview.conftest import Equity
from tests.trading_factories import make_trade
from trading.overview import board, queries
from trading.record.writing.trades import record_trade

pytestmark = pytest.mark.django_db
PAGE = "/admin/"


def test_the_trades_of_the_shown_traders_alone_are_summed(
    viewer: Client, equity: Equity, monkeypatch: pytest.MonkeyPatch
) -> None:
    equity("steady_long", h2="1000", h0="1100")
    equity("quick_short", h2="1000", h0="1000")
    record_trade(make_trade(net="5"))
    record_trade(make_trade(net="7", trader_id="quick_short"))
    asked = list[Any]()
    summed = queries.trade_sums

    def trade_sums(trader_ids: Collection[str] | None = None) -> dict[str, queries.BoardTradeSums]:
        asked.append(trader_ids)
        return summed(trader_ids)

    monkeypatch.setattr(queries, "trade_sums", trade_sums)
    monkeypatch.setattr(board, "PER_PAGE", 1)

    shown = viewer.get(PAGE).context["board"].value
    assert [(line.trader_id, line.pnl_usd) for line in shown.lines] == [("steady_long", 5)]
    by_trades = viewer.get(f"{PAGE}?sort=pnl").context["board"].value
    assert [(line.trader_id, line.pnl_usd) for line in by_trades.lines] == [("quick_short", 7)]
    assert asked == [["steady_long"], None]
