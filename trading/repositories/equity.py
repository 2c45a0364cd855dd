"""Equity of traders at moments."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.db import connection

from trading.repositories.copying import copy_rows
from trading.repositories.outcome import Outcome, sorted_out
from trading.schema.facts import EquityPoint

_COLUMNS = ("trader_id", "ts_ms", "equity_usd", "source")
_STORED = """
SELECT e.trader_id, e.ts_ms, e.equity_usd
  FROM equity_snapshots e JOIN unnest(%s::text[], %s::bigint[]) AS k (trader_id, ts_ms) USING (trader_id, ts_ms)
"""

Key = tuple[str, int]


def copy_equity(batch: Sequence[EquityPoint]) -> Outcome:
    """Adds those of whose moment nothing is recorded; the same equity from another source is known. Call it inside
    `copying.bulk_load`."""
    new, outcome = sorted_out(batch, _stored([_key(point) for point in batch]), key=_key, content=_content, name=_name)
    copy_rows("equity_snapshots", _COLUMNS, [(*_key(point), f"{point.equity:f}", point.source) for point in new])
    return outcome


def _stored(keys: Sequence[Key]) -> dict[Key, object]:
    with connection.cursor() as cursor:
        cursor.execute(_STORED, [[key[0] for key in keys], [key[1] for key in keys]])
        return {(trader, ts_ms): equity for trader, ts_ms, equity in cursor.fetchall()}


def _key(point: EquityPoint) -> Key:
    return point.trader_id, point.ts_ms


def _content(point: EquityPoint) -> Decimal:
    return point.equity


def _name(point: EquityPoint) -> str:
    return f"{point.trader_id} {point.ts_ms}"
