"""Values that occur at exchanges: recorded, recorded and marked, or refused with the reason."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from tests.engine_client import Engine
from tests.engine_fixtures import _placed_at_once, engine
from tests.trading_factories import OPENED_MS
from trading.models import EquitySnapshot, Position, Trade

__all__ = ["_placed_at_once", "engine"]

TRADER = "/traders/steady_long"
CLOSED_MS = OPENED_MS + 60_000
OPENING: dict[str, Any] = {
    "symbol": "BTC",
    "side": "long",
    "entry": {"price": 45000, "quantity": 1, "time_ms": OPENED_MS},
}
ROUND: dict[str, Any] = {
    "symbol": "ETH",
    "side": "short",
    "closed_at_ns": CLOSED_MS * 1_000_000,
    "detail": {
        "time": {"open_ts_ms": OPENED_MS, "close_ts_ms": CLOSED_MS},
        "prices": {"avg_entry": 10, "avg_exit": 9},
        "quantity": {"total": 1},
        "pnl": {"gross": 1, "net": 1},
    },
}
FILL = {"type": "exit", "price": 9, "quantity": 1, "ts_ms": CLOSED_MS}
DECIDED: dict[str, Any] = {
    "key": "one",
    "config_version": 1,
    "decided_at": "2026-01-08T10:30:00Z",
    "success": True,
    "detail": {"decisions": [{"symbol": "BTC", "action": "open_long"}]},
}


def with_value(body: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    made = deepcopy(body)
    *way, last = path.split(".")
    place = made
    for name in way:
        place = place.setdefault(name, {})
    place[last] = value
    return made


def opened(engine: Engine, path: str, value: Any) -> Any:
    return engine.put(f"{TRADER}/positions", with_value(OPENING, path, value))


def traded(engine: Engine, path: str, value: Any) -> Any:
    return engine.put(f"{TRADER}/trades", with_value(ROUND, path, value))


def decided(engine: Engine, path: str, value: Any) -> Any:
    return engine.post(f"{TRADER}/decisions", with_value(DECIDED, path, value))


SEND = {"position": opened, "trade": traded, "decision": decided}


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("position", "entry.quantity", Decimal("1e-12")),
        ("position", "entry.quantity", 10**15),
        ("position", "entry.price", Decimal("0.000000000001")),
        ("position", "entry.leverage", Decimal("2.5")),
        ("position", "entry.commission", Decimal("-0.5")),
        ("position", "side", "LONG"),
        ("position", "side", "Long"),
        ("position", "orders.entry_oid", 2**63),
        ("position", "orders.entry_oid", "x" * 128),
        ("position", "orders", None),
        ("position", "exchange", None),
        ("position", "exit_plan.invalidation_condition", ""),
        ("trade", "side", "SHORT"),
        ("trade", "detail.prices.avg_exit", 0),
        ("trade", "detail.pnl.commission", -3),
        ("trade", "detail.pnl.commission", None),
        ("trade", "detail.pnl.funding", -3),
        ("trade", "detail.fills", None),
        ("trade", "detail.fills", [FILL | {"price": 0}]),
        ("trade", "detail.time.duration_seconds", None),
        ("decision", "detail.decisions", None),
        ("decision", "detail.positions", [{"symbol": "BTC", "side": "LONG", "quantity": 1}]),
        ("decision", "detail.decisions", [{"symbol": "BTC", "action": "hold", "leverage": 0, "confidence": 82.5}]),
    ],
)
def test_it_is_recorded(engine: Engine, kind: str, path: str, value: Any) -> None:
    reply = SEND[kind](engine, path, value)

    assert (reply.status, reply.body.get("kept")) == (200, []), reply.body
    assert SEND[kind](engine, path, value).status == 200


@pytest.mark.parametrize(
    ("kind", "path", "value", "kept"),
    [
        ("position", "entry.leverage", 0, "entry.leverage"),
        ("position", "entry.leverage", 5000, "entry.leverage"),
        ("position", "entry.leverage", "10x", "entry.leverage"),
        ("position", "risk.confidence", Decimal("0.85"), "risk.confidence"),
        ("position", "risk.confidence", "85%", "risk.confidence"),
        ("position", "risk.confidence", 120, "risk.confidence"),
        ("position", "exit_plan.tp_price", 0, "exit_plan.tp_price"),
        ("position", "exchange.provider", "", "exchange.provider"),
        ("position", "reported.liquidation_price", -3, "reported.liquidation_price"),
        ("position", "orders.entry_oid", Decimal("1.5"), "orders.entry_oid"),
        ("position", "orders", "none", "orders"),
        ("trade", "detail.risk.confidence", Decimal("0.7"), "risk.confidence"),
        ("trade", "detail.fills", [FILL | {"liquidation": {"mark": 1}}], "fills[0].liquidation"),
        ("decision", "detail.decisions", [{"symbol": "BTC", "action": "hold", "confidence": Decimal("0.8")}], ""),
        ("decision", "detail.account", {"positions": -1}, "account.positions"),
        ("decision", "detail.prompt", {"template_sha256": "abc"}, "prompt.template_sha256"),
    ],
)
def test_it_is_recorded_and_marked(engine: Engine, kind: str, path: str, value: Any, kept: str) -> None:
    reply = SEND[kind](engine, path, value)

    assert (reply.status, reply.body.get("kept")) == (200, [kept or "decisions[0].confidence"]), reply.body


@pytest.mark.parametrize(
    ("kind", "path", "value", "message"),
    [
        ("position", "entry.price", 0, "must be above 0"),
        ("position", "entry.price", -1, "must be above 0"),
        ("position", "entry.price", "45000", "must be a number"),
        ("position", "entry.quantity", 10**16, "must not be beyond 1,000,000,000,000,000"),
        ("position", "side", "buy", "must be 'long' or 'short'"),
        ("trade", "detail.prices.avg_entry", 0, "must be above 0"),
        ("trade", "detail.prices.avg_exit", -1, "must be 0 or more"),
        ("trade", "detail.quantity.total", 0, "must be above 0"),
        ("trade", "side", "sell", "must be 'long' or 'short'"),
    ],
)
def test_it_is_refused_with_the_reason(engine: Engine, kind: str, path: str, value: Any, message: str) -> None:
    reply = SEND[kind](engine, path, value)

    assert (reply.status, reply.body["problems"][0]) == (422, {"path": path, "message": message})


def test_an_entry_has_a_price(engine: Engine) -> None:
    reply = traded(engine, "detail.fills", [FILL | {"type": "entry", "price": 0}])
    assert (reply.status, Trade.objects.count()) == (422, 0)


def test_a_position_whose_symbol_was_settled_at_nothing_is_closed_at_0(engine: Engine) -> None:
    assert engine.put(f"{TRADER}/positions", OPENING).status == 200
    at_0 = {"price": 0, "quantity": Decimal("0.5"), "at_ms": OPENED_MS + 1, "order_id": 1}
    assert engine.post(f"{TRADER}/positions/BTC/reduce", at_0).status == 200
    assert engine.post(f"{TRADER}/positions/BTC/increase", at_0 | {"order_id": 2}).status == 422

    reply = engine.post(
        f"{TRADER}/positions/close", {"symbol": "BTC", "price": 0, "closed_at_ns": CLOSED_MS * 1_000_000}
    )

    assert (reply.status, reply.body["detail"]["pnl"]["gross"]) == (200, -45000)
    assert Position.objects.get().status == "closed"


def test_equity_may_be_0_or_negative(engine: Engine) -> None:
    points = [{"ts_ms": OPENED_MS + place, "equity_usd": value} for place, value in enumerate((0, -5, 10**15))]
    assert engine.put(f"{TRADER}/equity", {"points": points}).body["recorded"] == 3
    assert EquitySnapshot.objects.count() == 3
