"""What engines report beyond the declared fields is recorded, under `detail.extra`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine_client import Engine
from tests.trading.api.test_record import BTC, CLOSE, CLOSED, POSITIONS, TRADES, _trade
from trading.models import DecisionJournal, Position, Trade
from trading.record.check import services as check_record

DECISIONS = "/traders/steady_long/decisions"


def _decision(detail: dict[str, Any], **changed: Any) -> dict[str, Any]:
    entry = {"key": "k", "config_version": 1, "decided_at": "2026-01-08T10:30:00Z", "success": True, "detail": detail}
    return entry | changed


def test_a_decision_is_recorded_with_what_is_not_known(engine: Engine) -> None:
    decision = {"symbol": "BTC", "action": "partial_close", "close_pct": 50}
    body = _decision({"decisions": [decision], "engine_build": "9f"}, run_id="r1")

    reply = engine.post(DECISIONS, body)

    assert reply.status == 200
    assert reply.body["kept"] == ["decisions[0].close_pct", "engine_build", "run_id"]
    detail = DecisionJournal.objects.get().detail
    assert detail["decisions"][0]["action"] == "partial_close"
    assert detail["extra"] == {"decisions[0].close_pct": 50, "engine_build": "9f", "run_id": "r1"}
    assert engine.post(DECISIONS, body).body == reply.body
    assert not [one for looked in check_record.check(["decision_journal"]) for one in looked.findings]


def test_positions_and_trades_keep_it_too(engine: Engine) -> None:
    held = engine.put(POSITIONS, BTC | {"margin_mode": "cross", "entry": BTC["entry"] | {"cloid": "0xab"}})
    closed = engine.post(CLOSE, CLOSED | {"reason": "stop"})
    later = {"closed_at_ns": _trade()["closed_at_ns"]}
    traded = engine.put(TRADES, _trade(liquidity="maker") | later)

    assert (held.body["kept"], closed.body["kept"], traded.body["kept"]) == (
        ["entry.cloid", "margin_mode"],
        ["reason"],
        ["liquidity"],
    )
    assert Position.objects.get().detail["extra"] == {"margin_mode": "cross", "entry.cloid": "0xab"}
    assert {row.detail["extra"].popitem() for row in Trade.objects.all()} == {
        ("reason", "stop"),
        ("liquidity", "maker"),
    }


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("PUT", POSITIONS, BTC | {"risk": {"confidence": 0.85}}, "risk.confidence"),
        ("PUT", TRADES, _trade(risk={"confidence": 0.85}), "risk.confidence"),
        (
            "POST",
            DECISIONS,
            _decision({"decisions": [{"symbol": "BTC", "action": "hold", "confidence": 0.85}]}),
            "decisions[0].confidence",
        ),
    ],
)
def test_a_confidence_as_a_fraction_is_set_aside(engine: Engine, method: str, path: str, body: Any, field: str) -> None:
    reply = engine.send(method, path, body)

    assert (reply.status, reply.body["kept"]) == (200, [field])


@pytest.mark.parametrize("seconds", [None, 60, 60.0000000001, 59.9995])
def test_the_duration_of_a_trade_is_derived_and_compared_to_the_millisecond(engine: Engine, seconds: Any) -> None:
    time = _trade()["detail"]["time"] | {"duration_seconds": seconds}
    body = _trade(time={name: value for name, value in time.items() if value is not None})

    assert engine.put(TRADES, body).status == 200
    assert Trade.objects.get().detail["time"]["duration_seconds"] == 60


def test_another_duration_is_refused(engine: Engine) -> None:
    assert engine.put(TRADES, _trade(time=_trade()["detail"]["time"] | {"duration_seconds": 61})).status == 422
