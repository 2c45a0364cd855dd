"""A database of the earlier engine on the tests' server, with rows as its engine writes them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import psycopg
from django.db import connection
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.types.json import Jsonb

READER = "earlier_reader"
DAY = datetime(2025, 11, 3, 10, 30, tzinfo=UTC)
DAY_MS = 1_762_165_800_000
HOUR_MS = 3_600_000
NOT_JSON = {"changed_fields"}


@dataclass(frozen=True)
class EarlierDatabase:
    """`dsn` is of a user who may only read."""

    owner: str
    dsn: str

    def run(self, statement: str, *parameters: Any) -> None:
        with psycopg.connect(self.owner, autocommit=True) as connection:
            connection.execute(statement, parameters or None)
            connection.execute(
                sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}").format(sql.Identifier(READER))
            )

    def add(self, table: str, *rows: dict[str, Any]) -> None:
        with psycopg.connect(self.owner, autocommit=True) as connection:
            for row in rows:
                values = [
                    Jsonb(value) if isinstance(value, dict | list) and name not in NOT_JSON else value
                    for name, value in row.items()
                ]
                statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                    sql.Identifier(table),
                    sql.SQL(", ").join(map(sql.Identifier, row)),
                    sql.SQL(", ").join([sql.Placeholder()] * len(row)),
                )
                connection.execute(statement, values)

    def forbid(self, table: str) -> None:
        with psycopg.connect(self.owner, autocommit=True) as connection:
            names = sql.Identifier(table), sql.Identifier(READER)
            connection.execute(sql.SQL("REVOKE SELECT ON {} FROM {}").format(*names))

    def value(self, statement: str) -> Any:
        with psycopg.connect(self.owner, autocommit=True) as connection:
            row = connection.execute(statement).fetchone()
        assert row is not None
        return row[0]


@contextmanager
def earlier_database(schema: str, parameters: dict[str, Any] | None = None) -> Iterator[EarlierDatabase]:
    """On the server of these connection parameters, by default that of the tests."""
    asked = parameters or connection.get_connection_params()
    given = {name: str(asked[name]) for name in ("host", "port", "user", "password") if asked.get(name)}
    name = f"earlier_{os.getpid()}"
    server = make_conninfo(dbname="postgres", **given)
    _drop(server, name)
    with psycopg.connect(server, autocommit=True) as made:
        made.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        if not made.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [READER]).fetchone():
            # Another process of the same run may make it at the same moment.
            with suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
                made.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'reads'").format(sql.Identifier(READER)))
    reader = {**given, "user": READER, "password": "reads"}
    database = EarlierDatabase(make_conninfo(dbname=name, **given), make_conninfo(dbname=name, **reader))
    try:
        database.run(schema)
        yield database
    finally:
        _drop(server, name)


def _drop(server: str, name: str) -> None:
    with psycopg.connect(server, autocommit=True) as dropped:
        dropped.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def trade(number: int = 0, **changed: Any) -> dict[str, Any]:
    """As the engine writes one when it closes a position, an hour after it opened it."""
    opened = DAY_MS + number * HOUR_MS
    closed = opened + HOUR_MS
    trader, symbol = changed.get("model_id", "steady_long"), changed.get("symbol", "BTC")
    row: dict[str, Any] = {
        "id": f"{trader}|{symbol}|{closed}123456",
        "model_id": "steady_long",
        "exchange_provider": "hyperliquid_testnet",
        "symbol": "BTC",
        "side": "long",
        "trade_type": "close",
        "quantity": 0.01,
        "leverage": 10.0,
        "confidence": 85.0,
        "entry_price": 45000.1,
        "entry_ts_ms": opened,
        "entry_sz": 0.01,
        "exit_price": 45500.3,
        "exit_ts_ms": closed,
        "exit_sz": 0.01,
        "realized_gross_pnl": 5.002,
        "realized_net_pnl": 5.002,
        "created_at": DAY + timedelta(hours=number + 1, seconds=1),
    }
    return row | changed


def position(number: int = 0, **changed: Any) -> dict[str, Any]:
    """As the engine writes an open one."""
    trader, symbol = changed.get("model_id", "steady_long"), changed.get("symbol", "BTC")
    opened = DAY + timedelta(hours=number)
    row: dict[str, Any] = {
        "id": f"{trader}|{symbol}",
        "model_id": "steady_long",
        "exchange_provider": "hyperliquid_testnet",
        "symbol": "BTC",
        "side": "long",
        "status": "open",
        "entry_time_ms": DAY_MS + number * HOUR_MS,
        "entry_price": 45000.1,
        "leverage": 10.0,
        "quantity": 0.01,
        "confidence": 85.0,
        "risk_usd": 50.0,
        "created_at": opened,
        "updated_at": opened,
    }
    return row | changed


def closed(number: int = 0, **changed: Any) -> dict[str, Any]:
    """The same position, closed an hour later: its row is written once more."""
    made = position(number, status="closed", current_price=45500.3, closed_pnl=5.002)
    return made | {"updated_at": made["created_at"] + timedelta(hours=1, milliseconds=7)} | changed


def equity(number: int = 0, **changed: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "model_id": "steady_long",
        "ts_ms": DAY_MS + number * HOUR_MS,
        "dollar_equity": 1000.1 + number,
        "total_unrealized_pnl": -0.3,
        "cum_pnl_pct": 0.03,
        "metadata": {"available_balance_usd": 900.5, "unrealized_pnl_usd": -0.3},
    }
    return row | changed


PROMPT = "You trade. Hour {number}."
DECISIONS = [
    {
        "Symbol": "BTC",
        "Action": "open_long",
        "Leverage": 10,
        "PositionSizeUSD": 450.5,
        "EntryPrice": 45000.5,
        "StopLoss": 44500,
        "TakeProfit": 46600,
        "Confidence": 85,
        "RiskUSD": 5,
        "Reasoning": "breakout",
        "InvalidationCondition": "below 44 000",
    }
]


def cycle(number: int = 0, **changed: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "model_id": "steady_long",
        "cycle_number": number + 1,
        "prompt_digest": sha256(PROMPT.format(number=number).encode()).hexdigest(),
        "cot_trace": "It rises.",
        "decisions": DECISIONS,
        "success": True,
        "executed_at": DAY + timedelta(hours=number, microseconds=123457),
    }
    return row | changed


def add_conversation(database: EarlierDatabase, number: int = 0, trader: str = "steady_long", **changed: Any) -> None:
    """The conversation that leads to a cycle: two messages, a second before it."""
    database.add("conversations", {"id": number + 1, "model_id": trader, "topic": "decision"})
    at = DAY_MS + number * HOUR_MS - 1000
    both = {"model": "deepseek-chat", "total_tokens": 1500, "conversationId": number + 1}
    said: list[tuple[str, str, dict[str, int]]] = [
        (PROMPT.format(number=number), "system", {"prompt_tokens": 1200}),
        ('{"signal":"hold"}', "assistant", {"completion_tokens": 300}),
    ]
    for content, role, tokens in said:
        row = {"conversation_id": number + 1, "role": role, "content": content, "ts_ms": at}
        database.add("conversation_messages", row | {"metadata": both | tokens} | changed)


def fill(database: EarlierDatabase) -> None:
    """Some rows of every kind, of the first schema."""
    database.add("models", {"id": "steady_long", "display_name": "Steady", "created_at": DAY})
    database.add("trades", trade(0), trade(2, symbol="ETH", side="short", realized_net_pnl=-1.1))
    database.add("positions", closed(0), position(5, symbol="SOL"))
    database.add("account_equity_snapshots", equity(0), equity(1))
    add_conversation(database, 0)
    database.add("decision_cycles", cycle(0), cycle(1))
