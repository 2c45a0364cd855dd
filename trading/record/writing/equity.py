"""Equity of traders at moments."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from traders.database import sql
from trading.record.stored.copying import copy_rows
from trading.record.stored.outcome import WriteOutcome, sorted_out
from trading.schema.facts import EquityPoint

_COLUMNS = ("trader_id", "ts_ms", "equity_usd", "source")
_STORED = """
SELECT e.trader_id, e.ts_ms, e.equity_usd, e.exclusion_id IS NOT NULL
  FROM equity_snapshots e JOIN unnest(%s::text[], %s::bigint[]) AS k (trader_id, ts_ms) USING (trader_id, ts_ms)
"""

Key = tuple[str, int]


def copy_equity(batch: Sequence[EquityPoint]) -> WriteOutcome:
    """Adds those of whose moment nothing is recorded; the same equity from another source is known. Call it inside
    `copying.bulk_load`."""
    stored, aside = _stored([_key(point) for point in batch])
    new, outcome = sorted_out(batch, stored, key=_key, content=_content, name=_name)
    outcome.set_aside = sum(_key(point) in aside and stored[_key(point)] == _content(point) for point in batch)
    copy_rows("equity_snapshots", _COLUMNS, [(*_key(point), f"{point.equity:f}", point.source) for point in new])
    return outcome


def _stored(keys: Sequence[Key]) -> tuple[dict[Key, object], set[Key]]:
    """{key: content} of those that are recorded, and the keys of those set aside."""
    found = sql.rows(_STORED, [[key[0] for key in keys], [key[1] for key in keys]])
    stored = {(trader, ts_ms): equity for trader, ts_ms, equity, _aside in found}
    return stored, {(trader, ts_ms) for trader, ts_ms, _equity, is_aside in found if is_aside}


def _key(point: EquityPoint) -> Key:
    return point.trader_id, point.ts_ms


def _content(point: EquityPoint) -> Decimal:
    return point.equity


def _name(point: EquityPoint) -> str:
    return f"{point.trader_id} {point.ts_ms}"
