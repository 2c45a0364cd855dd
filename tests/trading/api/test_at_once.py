"""The same request twice at the same moment: both are answered 200, and it is recorded once."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.at_once import at_once
from tests.engine_client import Engine
from trading.models import EquitySnapshot, Position, Trade

pytestmark = pytest.mark.django_db(transaction=True)

OPENED_MS = 1_760_000_000_000
PAIRS = 15
PATH = "/traders/steady_long"


def position(number: int) -> dict[str, Any]:
    entry = {"price": 100, "quantity": 2, "time_ms": OPENED_MS + number}
    return {"symbol": f"S{number}", "side": "long", "entry": entry, "exit_plan": {"sl_price": 90}}


def close(number: int) -> dict[str, Any]:
    pnl = {"gross": 20, "commission": 1, "net": 19}
    return {"symbol": f"S{number}", "price": 110, "closed_at_ns": (OPENED_MS + 60_000) * 10**6 + number, "pnl": pnl}


def trade(number: int) -> dict[str, Any]:
    detail = {
        "time": {"open_ts_ms": OPENED_MS, "close_ts_ms": OPENED_MS + 60_000, "duration_seconds": 60},
        "prices": {"avg_entry": 100, "avg_exit": 110},
        "quantity": {"total": 2},
        "pnl": {"gross": 20, "net": Decimal("19.5")},
    }
    return {"symbol": f"T{number}", "side": "short", "closed_at_ns": (OPENED_MS + 60_000) * 10**6, "detail": detail}


def pairs(send: Callable[[int], Any]) -> list[int]:
    """The statuses of PAIRS pairs of one request each, all sent together."""
    replies = at_once(*[lambda n=n: send(n) for n in range(PAIRS) for _ in range(2)])
    return [reply.status for reply in replies]


def test_pairs_of_openings_closes_and_trades_are_all_answered_200(engine: Engine) -> None:
    assert pairs(lambda n: engine.put(f"{PATH}/positions", position(n))) == [200] * 2 * PAIRS
    assert pairs(lambda n: engine.post(f"{PATH}/positions/close", close(n))) == [200] * 2 * PAIRS
    assert pairs(lambda n: engine.put(f"{PATH}/trades", trade(n))) == [200] * 2 * PAIRS
    assert (Position.objects.count(), Trade.objects.count()) == (PAIRS, 2 * PAIRS)


def test_pairs_of_equity_and_decisions_are_all_answered_200(engine: Engine) -> None:
    point = {"equity_usd": Decimal("10000.5")}
    entry = {"config_version": 1, "decided_at": "2026-01-08T10:30:00Z", "success": True, "detail": {}}

    equity = pairs(lambda n: engine.put(f"{PATH}/equity", {"points": [point | {"ts_ms": OPENED_MS + n}]}))
    decisions = pairs(lambda n: engine.post(f"{PATH}/decisions", entry | {"key": f"k{n}"}))

    assert equity == decisions == [200] * 2 * PAIRS
    assert EquitySnapshot.objects.count() == PAIRS
