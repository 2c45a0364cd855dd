"""A trade is one row, whether the engine, an export of our own, or an arena's files bring it, and in any order."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.engine_client import Engine
from tests.engine_fixtures import EngineWith, _placed_at_once, engine, engine_with
from tests.trading.arena_sample import CLOSED, OPENED, write_trades
from tests.trading.arena_sample import trade as arena_trade
from trading.export.documents.trades import trade_object
from trading.export.documents.wire import encode
from trading.imports.arena_service import import_arena
from trading.imports.report import TableReport
from trading.models import Trade, VersionResult
from trading.record.stored import rows

__all__ = ["EngineWith", "_placed_at_once", "engine", "engine_with"]

TRADES = "/traders/steady_long/trades"
POSITIONS = "/traders/steady_long/positions"
OPENED_MS, CLOSED_MS = round(OPENED * 1000), round(CLOSED * 1000)


def sent(entry: dict[str, Any] | None = None, exit: dict[str, Any] | None = None, **changed: Any) -> dict[str, Any]:
    """What an engine records of the arena's sample trade; `entry` and `exit` are the ids of its fills."""
    ends = (("entry", entry, OPENED_MS, "100000.5"), ("exit", exit, CLOSED_MS, "100100.25"))
    detail = {
        "time": {
            "open_ts_ms": OPENED_MS,
            "close_ts_ms": CLOSED_MS,
            "duration_seconds": Decimal(CLOSED_MS - OPENED_MS) / 1000,
        },
        "prices": {"avg_entry": Decimal("100000.5"), "avg_exit": Decimal("100100.25")},
        "quantity": {"total": Decimal("0.25")},
        "pnl": {"gross": Decimal("24.9375"), "commission": Decimal("2.55"), "net": Decimal("22.25")},
        "fills": [
            {"type": end, "price": Decimal(price), "quantity": Decimal("0.25"), "ts_ms": ts_ms, **ids}
            for end, ids, ts_ms, price in ends
            if ids is not None
        ],
    }
    return {"symbol": "BTC", "side": "long", "closed_at_ns": CLOSED_MS * 10**6, "detail": detail | changed}


def of_arena(number: int = 1, **changed: Any) -> dict[str, Any]:
    return arena_trade(number, "steady_long", **changed)


def imported(directory: Path, *records: Any) -> tuple[TableReport, list[str]]:
    refused: list[str] = []
    report = import_arena(
        path=write_trades(directory, *records), actor="cli:test", on_reject=lambda one: refused.append(one.message)
    )
    return report.table("trades"), refused


def exported() -> list[dict[str, Any]]:
    return [json.loads(encode(trade_object(one))) for one in rows.trades(rows.TRADES.order_by("pk"))]


def net_pnl() -> Decimal:
    return sum((one.net_pnl for one in VersionResult.objects.all()), Decimal(0))


FILLS: list[dict[str, Any]] = [
    {},
    {"entry": {}, "exit": {}},
    {"entry": {"order_id": 5001}, "exit": {"order_id": 6001}},
    {"entry": {"order_id": "5001", "fill_id": "7001"}, "exit": {"order_id": "6001", "fill_id": "8001"}},
]


@pytest.mark.parametrize("fills", FILLS)
def test_an_engines_trade_that_an_arena_brings_again_is_known(engine: Engine, tmp_path: Path, fills: Any) -> None:
    first = engine.put(TRADES, sent(**fills)).body

    table, refused = imported(tmp_path, of_arena())

    assert (table.inserted, table.known, refused) == (0, 1, [])
    assert Trade.objects.get().id == first["id"]
    assert net_pnl() == Decimal("22.25")


def test_fills_in_another_order_are_the_same_trade(engine: Engine) -> None:
    body = sent(entry={"order_id": 5001, "fill_id": 7001}, exit={"order_id": 6001, "fill_id": 8001})
    first = engine.put(TRADES, body)
    other = body | {"detail": body["detail"] | {"fills": body["detail"]["fills"][::-1]}}
    assert (engine.put(TRADES, other).status, Trade.objects.get().id) == (200, first.body["id"])
    cheaper = [fill | {"price": fill["price"] - 1} for fill in body["detail"]["fills"]]
    assert engine.put(TRADES, body | {"detail": body["detail"] | {"fills": cheaper}}).status == 409


@pytest.mark.parametrize("fills", FILLS)
def test_an_arenas_trade_that_the_engine_sends_again_is_known(engine: Engine, tmp_path: Path, fills: Any) -> None:
    imported(tmp_path, of_arena())

    reply = engine.put(TRADES, sent(**fills))

    assert (reply.status, reply.body["id"]) == (200, Trade.objects.get().id)
    assert net_pnl() == Decimal("22.25")


@pytest.mark.parametrize("fills", FILLS)
def test_our_own_export_imports_again_with_nothing_doubled(engine: Engine, tmp_path: Path, fills: Any) -> None:
    engine.put(TRADES, sent(**fills))
    imported(tmp_path, arena_trade(2))

    table, refused = imported(tmp_path, *exported())

    assert (table.inserted, table.known, refused) == (0, 2, [])
    assert Trade.objects.count() == 2


def test_several_exit_fills_come_back_from_an_export_as_the_same_trade(engine: Engine, tmp_path: Path) -> None:
    body = sent(entry={"fill_id": 7001}, exit={"fill_id": 8001})
    last = body["detail"]["fills"].pop()
    body["detail"]["fills"] += [last | {"quantity": Decimal("0.1")}, last | {"quantity": Decimal("0.15"), "fill_id": 3}]
    engine.put(TRADES, body)

    assert imported(tmp_path, *exported())[0].known == 1


def test_a_contradiction_is_reported_at_each_door_and_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    first = engine.put(TRADES, sent(entry={"fill_id": 7001})).body

    table, refused = imported(tmp_path, of_arena(realized_net_pnl=99))
    again = engine.put(TRADES, sent(entry={"fill_id": 7001}, pnl={"gross": 24, "net": 99}))

    assert (table.inserted, table.conflicts, "other content" in refused[0]) == (0, 1, True)
    assert again.status == 409
    assert Trade.objects.get().id == first["id"]


def test_two_that_close_in_one_millisecond_with_different_fills_are_two(engine: Engine, tmp_path: Path) -> None:
    first = engine.put(TRADES, sent(entry={"fill_id": 1}, exit={"fill_id": 9})).body
    second = engine.put(TRADES, sent(entry={"fill_id": 2}, exit={"fill_id": 9}))

    assert (second.status, second.body["id"]) == (200, f"{first['id']}|2")
    assert engine.put(TRADES, sent(entry={"fill_id": 2}, exit={"fill_id": 9})).body == second.body
    assert imported(tmp_path, of_arena())[0].inserted == 1
    assert Trade.objects.count() == 3
    assert net_pnl() == 3 * Decimal("22.25")


def test_a_close_whose_trade_an_arena_brought_first_closes_the_position_and_answers_that_trade(
    engine: Engine, tmp_path: Path
) -> None:
    entry = {"price": Decimal("100000.5"), "quantity": Decimal("0.25"), "time_ms": OPENED_MS}
    engine.put(POSITIONS, {"symbol": "BTC", "side": "long", "entry": entry})
    imported(tmp_path, of_arena())
    close = {
        "symbol": "BTC",
        "price": Decimal("100100.25"),
        "closed_at_ns": CLOSED_MS * 10**6 + 77,
        "pnl": sent()["detail"]["pnl"],
    }

    first, again = engine.post(f"{POSITIONS}/close", close), engine.post(f"{POSITIONS}/close", close)

    assert (first.status, again.status) == (200, 200)
    assert first.body["id"] == again.body["id"] == Trade.objects.get().id
    assert engine.get(POSITIONS).body["positions"] == []


def test_a_trade_that_was_set_aside_is_known_and_still_counts_nowhere(engine: Engine, tmp_path: Path) -> None:
    from trading.record.exclusions import services as exclusions
    from trading.schema.exclusion import RecordKey, RecordKind

    first = engine.put(TRADES, sent()).body
    exclusions.set_aside([RecordKey(RecordKind.TRADE, first["id"])], reason="test run", actor="mei")

    table, _refused = imported(tmp_path, of_arena())

    assert (table.inserted, table.known, table.set_aside) == (0, 1, 1)
    assert engine.put(TRADES, sent()).body["set_aside"]["by"] == "mei"


def test_ids_that_javascript_cannot_read_are_texts_too(engine: Engine, tmp_path: Path) -> None:
    large = 2**53 + 1
    engine.put(TRADES, sent(entry={"fill_id": large, "order_id": 2**53 - 1}, exit={"fill_id": -large}))

    (shown,) = exported()

    assert (shown["entry_tid"], shown["entry_tid_str"], shown["exit_tid_str"]) == (large, str(large), str(-large))
    assert "entry_oid_str" not in shown
    assert imported(tmp_path, shown)[0].known == 1
    assert exported() == [shown]


def test_a_position_of_the_engine_that_an_arena_still_shows_is_known(engine: Engine, tmp_path: Path) -> None:
    from tests.trading.arena_sample import account, position, write

    entry = {"price": Decimal("2500.1"), "quantity": Decimal("1.75"), "time_ms": 1_750_001_000_000}
    engine.put(POSITIONS, {"symbol": "ETH", "side": "short", "entry": entry})
    path = write(tmp_path, "positions.json", "accountTotals", [account(position(), model_id="steady_long")])

    report = import_arena(path=path, actor="cli:test", on_reject=lambda one: None)

    assert (report.table("positions").known, report.table("positions").conflicts) == (1, 0)
