"""Engines that repeat what was set aside change nothing, and are told so."""

from __future__ import annotations

from typing import Any

from tests.engine_client import Engine
from tests.engine_fixtures import engine, engine_with
from tests.trading.api.test_record import BTC, CLOSE, CLOSED, EQUITY, OPENED_MS, POSITIONS, TRADES, _trade
from trading.models import Position, Trade
from trading.record.exclusions import services as exclusions
from trading.schema.exclusion import RecordKey, RecordKind

__all__ = ["engine", "engine_with"]


def aside(kind: RecordKind, name: str) -> str:
    [entry] = exclusions.set_aside([RecordKey(kind, name)], reason="a test order", actor="mei").entries
    return entry.record_id


def told(body: Any) -> Any:
    mark = body["set_aside"]
    return mark and (mark["by"], mark["reason"])


def test_a_trade_sent_again_stays_set_aside_and_the_answer_says_so(engine: Engine) -> None:
    first = engine.put(TRADES, _trade())
    assert told(first.body) is None
    aside(RecordKind.TRADE, first.body["id"])

    again = engine.put(TRADES, _trade())
    assert (again.status, told(again.body)) == (200, ("mei", "a test order"))
    assert Trade.objects.get().exclusion_id


def test_a_position_sent_again_stays_set_aside_and_cannot_be_closed(engine: Engine) -> None:
    engine.put(POSITIONS, BTC)
    name = aside(RecordKind.POSITION, "steady_long|BTC")

    again = engine.put(POSITIONS, BTC)
    assert (again.status, again.body["id"], told(again.body)) == (200, name, ("mei", "a test order"))
    assert engine.get(POSITIONS).body["positions"] == []
    closed = engine.post(CLOSE, CLOSED)
    assert closed.status == 409
    assert "was set aside by mei" in closed.body["detail"]
    assert Position.objects.get().status == "open"


def test_another_position_opens_in_the_symbol_and_is_closed(engine: Engine) -> None:
    engine.put(POSITIONS, BTC)
    aside(RecordKind.POSITION, "steady_long|BTC")
    other = BTC | {"entry": BTC["entry"] | {"time_ms": OPENED_MS + 5}}
    assert told(engine.put(POSITIONS, other).body) is None
    assert engine.post(CLOSE, CLOSED).status == 200


def test_a_close_sent_again_after_its_trade_was_set_aside_changes_nothing(engine: Engine) -> None:
    engine.put(POSITIONS, BTC)
    made = engine.post(CLOSE, CLOSED)
    aside(RecordKind.TRADE, made.body["id"])
    again = engine.post(CLOSE, CLOSED)
    assert (again.status, told(again.body)) == (200, ("mei", "a test order"))


def test_equity_sent_again_is_counted_as_set_aside(engine: Engine) -> None:
    points = {"points": [{"ts_ms": OPENED_MS + n, "equity_usd": 10_000} for n in range(3)]}
    engine.put(EQUITY, points)
    aside(RecordKind.EQUITY, f"steady_long|{OPENED_MS + 1}")
    assert engine.put(EQUITY, points).body == {"recorded": 0, "known": 3, "set_aside": 1}
