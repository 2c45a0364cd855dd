"""Rows that this release did not write: inserted by SQL, as another program would, from before the rules of today."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

from django.db import DatabaseError, connection, transaction
from hypothesis import strategies as st

from tests.rows_from_before import take_rules_away
from traders.schema import jsonio

CLOSED_MS = 1_795_918_000_000
_TRADE = """
INSERT INTO trades (id, symbol, side, close_ts_ms, detail, trader_id) VALUES (%s, %s, 'long', %s, %s::jsonb, %s)
"""
_POSITION = """
INSERT INTO positions (id, symbol, side, status, detail, trader_id) VALUES (%s, %s, 'long', 'open', %s::jsonb, %s)
"""
_DECISION = """
INSERT INTO decision_journal (config_version, cycle_number, decided_at, success, detail, trader_id)
SELECT 1, coalesce(max(cycle_number), 0) + 1, %s, true, %s::jsonb, %s FROM decision_journal WHERE trader_id = %s
RETURNING id
"""


def trade_detail(**more: Any) -> dict[str, Any]:
    return {
        "pnl": {"net": 9, "gross": 10, "commission": 1},
        "time": {"open_ts_ms": CLOSED_MS - 1_000_000, "close_ts_ms": CLOSED_MS, "duration_seconds": 1000},
        "prices": {"avg_entry": 100, "avg_exit": 110},
        "quantity": {"total": 1},
        "risk": {"leverage": 5, "confidence": 80},
        "fills": [
            {"type": "entry", "order_id": 7, "price": 100, "quantity": 1, "ts_ms": CLOSED_MS - 1_000_000},
            {"type": "exit", "order_id": 8, "price": 110, "quantity": 1, "ts_ms": CLOSED_MS},
        ],
        "exit_plan": {"tp_price": 120},
        "versions": {"entry": 1, "exit": 1},
        **more,
    }


def position_detail(**more: Any) -> dict[str, Any]:
    return {
        "entry": {"price": 100, "quantity": 1, "time_ms": CLOSED_MS - 1_000_000, "leverage": 5},
        "orders": {"entry_oid": 7},
        "risk": {"confidence": 80},
        "reported": {"unrealized_pnl": 1},
        "versions": {"entry": 1},
        **more,
    }


def decision_detail(**more: Any) -> dict[str, Any]:
    return {
        "decisions": [{"symbol": "BTC", "action": "open_long", "confidence": 80, "position_size_usd": 100}],
        "actions": [{"symbol": "BTC", "action": "open_long", "ok": True, "order_id": 7}],
        "positions": [{"symbol": "ETH", "side": "long", "quantity": 1}],
        "account": {"equity_usd": 1000},
        "answer": {"model": "m", "text": "Up."},
        "usage": {"prompt_tokens": 5},
        **more,
    }


def add_trade(
    trader_id: str, detail: Any, *, number: int = 1, symbol: str = "BTC", close_ts_ms: int = CLOSED_MS
) -> str:
    trade_id = f"{trader_id}|{symbol}|sql{number}"
    _run(_TRADE, [trade_id, symbol, close_ts_ms, _text(detail), trader_id])
    return trade_id


def add_position(trader_id: str, detail: Any, *, symbol: str = "SOL") -> str:
    position_id = f"{trader_id}|{symbol}"
    _run(_POSITION, [position_id, symbol, _text(detail), trader_id])
    return position_id


def add_decision(trader_id: str, detail: Any, *, decided_at: str = "2026-11-20T00:00:00Z") -> str:
    return str(_run(_DECISION, [decided_at, _text(detail), trader_id, trader_id])[0][0])


def add_equity(trader_id: str, equity: str, *, ts_ms: int = CLOSED_MS) -> str:
    _run("INSERT INTO equity_snapshots (ts_ms, equity_usd, trader_id) VALUES (%s, %s, %s)", [ts_ms, equity, trader_id])
    return f"{trader_id}|{ts_ms}"


def added(add: Callable[[], str]) -> str | None:
    """The row's id, None where the database refuses it."""
    try:
        with transaction.atomic():
            return add()
    except DatabaseError:
        return None


def _run(sql: str, parameters: list[Any]) -> list[Any]:
    take_rules_away()
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall()) if cursor.description else []


def _text(detail: Any) -> str:
    return detail if isinstance(detail, str) else jsonio.dumps(detail)


# What may stand where something else is expected.
FOREIGN: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.sampled_from([10**400, -(10**40), 0, -1, 1]),
    st.sampled_from(["NaN", "Infinity", "-Infinity", "", "partial_close", "5", "x" * 300]),
    st.sampled_from([[], {}, [[]], [None], [1], {"a": None}, [{}], ["BTC"]]),
)


@st.composite
def mutated(draw: st.DrawFn, valid: dict[str, Any]) -> Any:
    """A valid detail with one to three of its leaves replaced, removed, or joined by unknown ones."""
    detail = deepcopy(valid)
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(detail))
        if not places:
            return draw(FOREIGN)
        holder, key = draw(st.sampled_from(places))
        kind = draw(st.sampled_from(["replace", "remove", "add"]))
        if kind == "replace":
            holder[key] = draw(FOREIGN)
        elif kind == "remove":
            del holder[key]
        elif isinstance(holder, dict):
            holder["of_another_release"] = draw(FOREIGN)
        else:
            holder.append(draw(FOREIGN))
    return detail


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield value, key
        yield from _places(inner)
