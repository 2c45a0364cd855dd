"""Writes as a program of another kind does: SQL of its own, nothing of ours between it and the tables."""

from __future__ import annotations

from typing import Any

from django.db import connection

from tests.factories import make_fleet, make_trader
from traders.schema import jsonio

TRADER_DETAIL = make_trader().detail.model_dump()
FLEET_DETAIL = make_fleet().detail.model_dump()


def execute(sql: str, *parameters: Any) -> None:
    """Commits at once unless a transaction is open."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def rows(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def value(sql: str, *parameters: Any) -> Any:
    return rows(sql, *parameters)[0][0]


def insert_config(trader_id: str = "direct", *, version: int = 1, allocation_pct: str = "10", **detail: Any) -> None:
    """`detail` replaces top-level keys of a plain trader's."""
    execute(
        "INSERT INTO trader_config (id, version, exchange_provider, market_provider, allocation_pct, detail) "
        "VALUES (%s, %s, 'paper', 'paper', %s, %s)",
        *(trader_id, version, allocation_pct, jsonio.dumps(TRADER_DETAIL | detail)),
    )


def insert_version(
    trader_id: str = "direct",
    *,
    version: int = 1,
    allocation_pct: str = "10",
    dated: str = "clock_timestamp()",
    **detail: Any,
) -> None:
    """`dated` is an SQL expression."""
    execute(
        "INSERT INTO trader_config_versions (id, version, exchange_provider, market_provider, allocation_pct, detail,"
        " change_set, source, history_date, history_change_reason, history_type, history_user_id) "
        f"VALUES (%s, %s, 'paper', 'paper', %s, %s, 1, 'direct', {dated}, 'by hand', '+', 'psql')",
        *(trader_id, version, allocation_pct, jsonio.dumps(TRADER_DETAIL | detail)),
    )


def insert_trader(trader_id: str = "direct", *, allocation_pct: str = "10", **detail: Any) -> None:
    """Both rows of a first version. Call inside a transaction."""
    insert_config(trader_id, allocation_pct=allocation_pct, **detail)
    insert_version(trader_id, allocation_pct=allocation_pct, **detail)


def next_version(trader_id: str, *, version: int, allocation_pct: str = "10", **detail: Any) -> None:
    """Config and history move on together. Call inside a transaction."""
    execute(
        "UPDATE trader_config SET version = %s, allocation_pct = %s, detail = %s WHERE id = %s",
        *(version, allocation_pct, jsonio.dumps(TRADER_DETAIL | detail), trader_id),
    )
    insert_version(trader_id, version=version, allocation_pct=allocation_pct, **detail)


def insert_fleet(*, reserve_pct: int = 10) -> None:
    """The fleet's settings with their first version. Call inside a transaction."""
    detail = fleet_detail(reserve_pct)
    execute("INSERT INTO manager_config (detail) VALUES (%s)", detail)
    _insert_fleet_version(1, detail)


def next_fleet_version(*, version: int, reserve_pct: int) -> None:
    detail = fleet_detail(reserve_pct)
    execute("UPDATE manager_config SET version = %s, detail = %s", version, detail)
    _insert_fleet_version(version, detail)


def fleet_detail(reserve_pct: int) -> str:
    return jsonio.dumps(FLEET_DETAIL | {"manager": FLEET_DETAIL["manager"] | {"reserve_equity_pct": reserve_pct}})


def _insert_fleet_version(version: int, detail: str) -> None:
    execute(
        "INSERT INTO manager_config_versions (version, detail, change_set, source, history_date,"
        " history_change_reason, history_type, history_user_id) "
        "VALUES (%s, %s, 1, 'direct', clock_timestamp(), 'by hand', '~', 'psql')",
        *(version, detail),
    )
