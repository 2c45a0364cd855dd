"""What is open, for an export that knows most of it already. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from traders.database import sql
from trading.record.stored import rows
from trading.schema.position import PositionRecord

# Any write, by whatever program, makes a new row version: `updated_at` would be as good as each writer's manners.
_MARKS = """
SELECT id, trader_id, xmin::text || ctid::text AS mark FROM positions
 WHERE status = 'open' AND exclusion_id IS NULL ORDER BY trader_id, symbol
"""


class OpenMark(NamedTuple):
    """`mark` changes when the row does."""

    trader_id: str
    mark: str


def open_marks() -> dict[str, OpenMark]:
    """By id, of each open position, in order of trader and symbol."""
    return {row.id: OpenMark(row.trader_id, row.mark) for row in sql.rows(_MARKS)}


def by_ids(owners: Mapping[str, str]) -> list[PositionRecord]:
    """Those that can be read, by {id: its trader}."""
    return list(rows.positions(rows.POSITIONS.named(owners, set(owners.values())))) if owners else []
