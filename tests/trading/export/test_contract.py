"""Every document of an export against the contract, and every number against the rows by another way."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from tests.trading.arena_sample import write_all
from tests.trading.documents.contract import assert_documents
from tests.trading.export.record import make_desk
from tests.trading_factories import OPENED_MS
from trading.exporter.cycle import Exporter
from trading.exporter.options import Options

pytestmark = pytest.mark.django_db

ARENA = Path(__file__).resolve().parents[4] / "shared" / "data" / "alpha-arena"
HOUR_MS = 3_600_000


def import_arena(source: Path, scratch: Path) -> None:
    try:
        call_command("import_arena", str(source), "--rejects", str(scratch / "rejects"), stdout=StringIO())
    except SystemExit as ended:
        # Refused records are the import's matter.
        if ended.code != 3:
            raise


def exported(root: Path) -> dict[str, Any]:
    Exporter(Options(root)).cycle(analytics_seconds=None)
    current = (root / "current").resolve()
    return {
        str(path.relative_to(current)).removesuffix(".json"): _read(path)
        for path in current.rglob("*.json")
        if path.name != "manifest.json"
    }


def _read(path: Path) -> Any:
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
        price = prices[int(row["timestamp"] * 1000)]
        first = prices[int(shown[0]["timestamp"] * 1000)]
        assert abs(row["dollar_equity"] - 10_000 * price / first) < Decimal("0.01")


def what_the_arena_gave_comes_back(documents: dict[str, Any]) -> None:
    given = {row["id"]: row for row in _read(ARENA / "trades.json")["trades"]}

    assert documents["trades"]["trades"]
    for row in documents["trades"]["trades"]:
        assert row == given[row["id"]]
    published = {row["id"]: row for row in _read(ARENA / "leaderboard.json")["leaderboard"]}
    for row in documents["leaderboard"]["leaderboard"]:
        assert row["equity"] == published[row["id"]]["equity"]
        assert abs(row["return_pct"] - published[row["id"]]["return_pct"]) < Decimal("0.01")
    positions = {row["model_id"]: row["positions"] for row in _read(ARENA / "positions.json")["accountTotals"]}
    for row in documents["positions"]["accountTotals"]:
        for symbol, held in row["positions"].items():
            assert {name: held[name] for name in positions[row["model_id"]][symbol]} == positions[row["model_id"]][
                symbol
            ]


def hours_count_from_the_first_equity_and_show_their_first_point(documents: dict[str, Any]) -> None:
    ann = [row for row in documents["account-totals"]["accountTotals"] if row["model_id"] == "ann"]

    assert [row["since_inception_hourly_marker"] for row in ann] == list(range(30))
    assert [row["dollar_equity"] for row in ann] == [*(1000 + hour for hour in range(29)), 2029]
    assert ann[-1]["timestamp"] == Decimal(OPENED_MS + 29 * HOUR_MS + 60_000) / 1000
    assert ann[5]["since_inception_minute_marker"] == 300
    assert ann[5]["cum_pnl_pct"] == Decimal("0.5")
    assert ann[5]["id"] == "ann_5"


CHECKS = (
    every_field_of_every_document_is_as_the_contract_says,
    trades_are_those_of_the_table,
    the_leaderboard_counts_and_sums_every_trade,
    the_newest_row_of_a_trader_is_its_last_equity_and_what_it_holds,
    positions_are_those_that_are_open,
    a_trader_without_equity_earns_from_its_trades,
    the_benchmark_is_bitcoin_bought_at_its_first_price,
)


def test_the_documents_of_a_desk(tmp_path: Path) -> None:
    make_desk()
    documents = exported(tmp_path / "export")

    for holds in (*CHECKS, hours_count_from_the_first_equity_and_show_their_first_point):
        holds(documents)


def test_the_documents_of_a_small_arena(tmp_path: Path) -> None:
    (tmp_path / "arena").mkdir()
    import_arena(write_all(tmp_path / "arena"), tmp_path)
    documents = exported(tmp_path / "export")

    for holds in CHECKS:
        holds(documents)


@pytest.mark.skipif(not (ARENA / "trades.json").exists(), reason=f"no records in {ARENA}")
def test_the_documents_of_real_records(tmp_path: Path) -> None:
    import_arena(ARENA, tmp_path)
    documents = exported(tmp_path / "export")

    for holds in (*CHECKS, what_the_arena_gave_comes_back):
        holds(documents)
