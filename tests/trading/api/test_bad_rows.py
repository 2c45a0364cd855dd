"""An engine goes on beside rows that cannot be read: it reads the others, and closes and updates a spoilt position."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import given

from tests.engine_client import Engine
from tests.examples import few_examples
from tests.rows_from_before import take_rules_away
from tests.trading.bad_rows import (
    CLOSED_MS,
    add_decision,
    add_position,
    add_trade,
    added,
    decision_detail,
    mutated,
    position_detail,
    trade_detail,
)
from trading.models import Position

TRADER = "steady_long"
POSITIONS = f"/traders/{TRADER}/positions"
OPENED_MS = CLOSED_MS - 1_000_000
ENTRY = {"price": 100, "quantity": 1, "time_ms": OPENED_MS, "leverage": 5}
BTC: dict[str, Any] = {"symbol": "BTC", "side": "long", "entry": ENTRY}
FILLS = [
    {"type": "entry", "price": 100, "quantity": 1, "ts_ms": OPENED_MS},
    {"type": "entry", "price": 130, "quantity": 2, "ts_ms": OPENED_MS + 1},
]


def close(symbol: str = "SOL", **more: Any) -> dict[str, Any]:
    pnl = {"gross": 10, "commission": 1, "net": 9}
    return {"symbol": symbol, "price": 110, "closed_at_ns": CLOSED_MS * 10**6, "pnl": pnl, **more}


def test_positions_that_can_be_read_are_answered_without_the_others(engine: Engine) -> None:
    engine.put(POSITIONS, BTC)
    add_position(TRADER, position_detail(orders=[7]))
    add_position(TRADER, position_detail(margin_mode="cross"), symbol="ETH")
    reply = engine.get(POSITIONS)

    assert reply.status == 200
    assert [one["symbol"] for one in reply.body["positions"]] == ["BTC", "ETH"]
    assert "margin_mode" not in reply.body["positions"][1]["detail"]


@pytest.mark.parametrize("spoilt", [{"orders": [7]}, {"risk": {"confidence": "80"}}, {"reported": {"at_ms": -5}}])
def test_a_position_that_cannot_be_read_is_closed_with_its_trade(engine: Engine, spoilt: dict[str, Any]) -> None:
    add_position(TRADER, position_detail(**spoilt))
    reply = engine.post(f"{POSITIONS}/close", close())

    assert reply.status == 200
    assert reply.body["detail"]["prices"] == {"avg_entry": 100, "avg_exit": 110}
    assert Position.objects.get().status == "closed"
    assert engine.post(f"{POSITIONS}/close", close()).body == reply.body


def test_what_the_detail_does_not_tell_of_the_entry_is_taken_from_its_fills(engine: Engine) -> None:
    add_position(TRADER, position_detail(entry={**ENTRY, "price": "NaN"}))

    refused = engine.post(f"{POSITIONS}/close", close())
    assert refused.status == 422
    assert refused.body["problems"][0]["path"] == "fills"
    assert "detail.entry.price must be a number" in refused.body["detail"]

    reply = engine.post(f"{POSITIONS}/close", close(fills=FILLS))
    assert reply.status == 200
    assert reply.body["detail"]["prices"]["avg_entry"] == 120
    assert reply.body["detail"]["quantity"] == {"total": 3}
    assert reply.body["detail"]["time"]["open_ts_ms"] == OPENED_MS


def test_a_position_that_cannot_be_read_is_updated(engine: Engine) -> None:
    add_position(TRADER, position_detail(orders=[7]), symbol="BTC")
    reply = engine.put(POSITIONS, BTC | {"exit_plan": {"tp_price": 120}})

    assert reply.status == 200
    assert [one["detail"]["exit_plan"] for one in engine.get(POSITIONS).body["positions"]] == [{"tp_price": 120}]


def test_an_update_keeps_what_another_release_stored(engine: Engine) -> None:
    detail = position_detail(margin_mode="cross", risk={"confidence": 80, "model": {"name": "m"}})
    add_position(TRADER, detail, symbol="BTC")
    engine.put(POSITIONS, BTC | {"exit_plan": {"tp_price": 120}})

    stored = Position.objects.get().detail
    assert (stored["margin_mode"], stored["risk"]) == ("cross", {"confidence": 80, "model": {"name": "m"}})
    assert stored["exit_plan"] == {"tp_price": 120}


def test_a_symbol_is_opened_again_after_a_closed_position_that_cannot_be_read(engine: Engine) -> None:
    add_position(TRADER, position_detail(), symbol="BTC")
    with connection.cursor() as cursor:
        cursor.execute('UPDATE positions SET status = \'closed\', detail = detail || \'{"close": {"price": "x"}}\'')
    reply = engine.put(POSITIONS, BTC | {"entry": ENTRY | {"time_ms": OPENED_MS + 5}})

    assert reply.status == 200
    assert sorted(Position.objects.values_list("status", flat=True)) == ["closed", "open"]


def test_an_id_that_a_trade_that_cannot_be_read_has_taken_is_a_conflict(engine: Engine) -> None:
    add_trade("swift_short", trade_detail(fills=5))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO trades (id, symbol, side, close_ts_ms, detail, trader_id)"
            " SELECT %s, 'ETH', 'long', close_ts_ms, detail, %s FROM trades WHERE trader_id = 'swift_short'",
            [f"{TRADER}|ETH|{CLOSED_MS * 10**6}", TRADER],
        )
    add_position(TRADER, position_detail(), symbol="ETH")
    reply = engine.post(f"{POSITIONS}/close", close("ETH"))

    assert reply.status == 409
    assert "cannot be read (detail.fills" in reply.body["detail"]


def test_a_decision_that_cannot_be_read_can_order_a_position(engine: Engine) -> None:
    number = add_decision(TRADER, decision_detail(usage=[]))

    assert engine.put(POSITIONS, BTC | {"decision_id": int(number)}).status == 200


def test_an_entry_whose_key_a_spoilt_decision_has_taken_is_a_conflict(engine: Engine) -> None:
    add_decision(TRADER, decision_detail(usage=[], origin={"system": "api", "key": "k"}))
    body = {"key": "k", "config_version": 1, "decided_at": "2026-01-01T00:00:00Z", "success": True, "detail": {}}
    reply = engine.post(f"/traders/{TRADER}/decisions", body)

    assert reply.status == 409
    assert "cannot be read" in reply.body["detail"]


def test_spoilt_runtime_states_and_cooldowns_stop_no_request(engine: Engine) -> None:
    take_rules_away()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE trader_runtime_state SET detail = '[5]', updated_at = 'infinity', is_running = false")
        cursor.execute(
            "INSERT INTO trader_symbol_cooldowns (trader_id, symbol, cooldown_until, detail)"
            " VALUES (%s, 'BTC', 'infinity', '[]'), (%s, 'ETH', now() + interval '1 hour', '{\"new\": 1}')",
            [TRADER, TRADER],
        )

    assert engine.get(f"/traders/{TRADER}/runtime").status == 200
    assert engine.post(f"/traders/{TRADER}/heartbeat", {}).status == 200
    assert {one["symbol"] for one in engine.get(f"/traders/{TRADER}/cooldowns").body["cooldowns"]} == {"BTC", "ETH"}
    assert engine.put(f"/traders/{TRADER}/runtime", {"active_config_version": 1, "is_running": True}).status == 200


@given(position=mutated(position_detail()), trade=mutated(trade_detail()), decision=mutated(decision_detail()))
@few_examples()
def test_whatever_is_stored_stops_no_request(engine: Engine, position: Any, trade: Any, decision: Any) -> None:
    with transaction.atomic():
        engine.put(POSITIONS, BTC)
        is_held = added(lambda: add_position(TRADER, position))
        added(lambda: add_trade(TRADER, trade))
        added(lambda: add_decision(TRADER, decision))
        reply = engine.get(POSITIONS)

        assert reply.status == 200
        assert "BTC" in {one["symbol"] for one in reply.body["positions"]}
        closed = engine.post(f"{POSITIONS}/close", close(fills=FILLS))
        assert closed.status in ({200, 422} if is_held else {409})
        transaction.set_rollback(True)
