"""What an export must say, each number against the rows by another way than the exporter's."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import connection

from tests.trading.export.documents.contract import assert_documents


def documents_of(root: Path) -> dict[str, Any]:
    """Every document of the run that readers see, by name."""
    current = (root / "current").resolve()
    return {
        str(path.relative_to(current)).removesuffix(".json"): read(path)
        for path in current.rglob("*.json")
        if path.name != "manifest.json"
    }


def read(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\bNaN\b|Infinity", text)
    return json.loads(text, parse_float=Decimal)


def rows(sql: str, *parameters: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def every_field_of_every_document_is_as_the_contract_says(documents: dict[str, Any]) -> None:
    assert_documents(documents)


def trades_are_those_of_the_table(documents: dict[str, Any]) -> None:
    stored = {
        (trader, symbol, close, entry_price, net): (quantity if side == "long" else -quantity, confidence)
        for trader, symbol, side, close, quantity, entry_price, net, confidence in rows(
            "SELECT trader_id, symbol, side, close_ts_ms, (detail #>> '{quantity,total}')::numeric,"
            " (detail #>> '{prices,avg_entry}')::numeric, net_pnl, confidence FROM trades"
        )
    }
    shown = documents["trades"]["trades"]

    assert len(shown) == len(rows("SELECT id FROM trades"))
    for row in shown:
        key = (
            *(row["model_id"], row["symbol"], int(row["exit_time"] * 1000), row["entry_price"]),
            row["realized_net_pnl"],
        )
        quantity, confidence = stored[key]
        assert row["quantity"] == quantity
        assert row["confidence"] == (None if confidence is None else confidence / 100)
        assert row["side"] == ("long" if row["quantity"] > 0 else "short")


def the_leaderboard_counts_and_sums_every_trade(documents: dict[str, Any]) -> None:
    nets: dict[str, list[Decimal]] = {}
    for trader, net in rows("SELECT trader_id, (detail #>> '{pnl,net}')::numeric FROM trades"):
        nets.setdefault(trader, []).append(net)
    board = documents["leaderboard"]["leaderboard"]

    assert {row["id"] for row in board} == {trader for (trader,) in rows("SELECT id FROM trader_config")}
    for row in board:
        own = nets.get(row["id"], [])
        assert row["num_trades"] == len(own)
        assert (row["num_wins"], row["num_losses"]) == (sum(n > 0 for n in own), sum(n < 0 for n in own))
        assert row["win_dollars"] == sum(n for n in own if n > 0)
        assert row["lose_dollars"] == sum(n for n in own if n < 0)
    returns = [row["return_pct"] for row in board if row["return_pct"] is not None]
    assert returns == sorted(returns, reverse=True)


def the_newest_row_of_a_trader_is_its_last_equity_and_what_it_holds(documents: dict[str, Any]) -> None:
    held = {row["model_id"]: row["positions"] for row in documents["positions"]["accountTotals"]}
    newest = {row["model_id"]: row for row in documents["account-totals"]["accountTotals"]}
    board = {row["id"]: row for row in documents["leaderboard"]["leaderboard"]}
    for trader, equity, ts_ms in rows(
        "SELECT DISTINCT ON (trader_id) trader_id, equity_usd, ts_ms FROM equity_snapshots ORDER BY 1, ts_ms DESC"
    ):
        last_close = rows("SELECT max(close_ts_ms) FROM trades WHERE trader_id = %s", trader)[0][0] or 0
        if ts_ms >= last_close:
            assert newest[trader]["dollar_equity"] == equity == board[trader]["equity"]
    for trader, row in newest.items():
        if trader != "buynhold_btc":
            assert row["positions"] == held[trader]
            assert board[trader]["equity"] == row["dollar_equity"]
    before = [row for row in documents["account-totals"]["accountTotals"] if row is not newest[row["model_id"]]]
    assert not any(row["positions"] for row in before)


def positions_are_those_that_are_open(documents: dict[str, Any]) -> None:
    stored = {
        (trader, symbol): (quantity if side == "long" else -quantity, opened, confidence)
        for trader, symbol, side, quantity, opened, confidence in rows(
            "SELECT trader_id, symbol, side, quantity, opened_ms, (detail #>> '{risk,confidence}')::numeric"
            " FROM positions WHERE status = 'open'"
        )
    }
    shown = {
        (row["model_id"], symbol): (held["quantity"], held["entry_time"] * 1000, held["confidence"])
        for row in documents["positions"]["accountTotals"]
        for symbol, held in row["positions"].items()
    }

    assert shown.keys() == stored.keys()
    for key, (quantity, opened, confidence) in stored.items():
        assert shown[key] == (quantity, opened, None if confidence is None else confidence / 100)


def a_trader_without_equity_earns_from_its_trades(documents: dict[str, Any]) -> None:
    recorded = {trader for (trader,) in rows("SELECT DISTINCT trader_id FROM equity_snapshots")}
    for row in documents["leaderboard"]["leaderboard"]:
        nets = rows("SELECT sum(net_pnl) FROM trades WHERE trader_id = %s", row["id"])[0][0]
        if row["id"] not in recorded and nets is not None:
            assert row["equity"] == 10_000 + nets
            assert row["return_pct"] == nets / 100


def the_benchmark_is_bitcoin_bought_at_its_first_price(documents: dict[str, Any]) -> None:
    shown = [row for row in documents["account-totals"]["accountTotals"] if row["model_id"] == "buynhold_btc"]
    prices = dict(
        rows(
            "SELECT close_ts_ms, max((detail #>> '{prices,avg_exit}')::numeric) FROM trades"
            " WHERE symbol = 'BTC' GROUP BY 1"
        )
    )

    assert bool(shown) == bool(prices)
    for row in shown:
        # After its last trade it goes on at that price.
        at = max(ts_ms for ts_ms in prices if ts_ms <= row["timestamp"] * 1000)
        price = prices[at]
        assert at == row["timestamp"] * 1000 or row["positions"]["BTC"]["price_timestamp"] == at
        first = prices[int(shown[0]["timestamp"] * 1000)]
        assert abs(row["dollar_equity"] - 10_000 * price / first) < Decimal("0.01")


CHECKS = (
    every_field_of_every_document_is_as_the_contract_says,
    trades_are_those_of_the_table,
    the_leaderboard_counts_and_sums_every_trade,
    the_newest_row_of_a_trader_is_its_last_equity_and_what_it_holds,
    positions_are_those_that_are_open,
    a_trader_without_equity_earns_from_its_trades,
    the_benchmark_is_bitcoin_bought_at_its_first_price,
)
