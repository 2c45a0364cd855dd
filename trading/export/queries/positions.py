"""What is open, for an export that knows most of it already. Reads only."""

from __future__ import annotations

from collections.abc import Collection

from traders.database import sql
from trading.record.stored import rows
from trading.schema.position import PositionRecord

# Any write, by whatever program, makes a new row version: `updated_at` would be as good as each writer's manners.
_MARKS = """
SELECT id, xmin::text || ctid::text AS mark FROM positions
 WHERE status = 'open' AND exclusion_id IS NULL ORDER BY trader_id, symbol
"""


def open_marks() -> dict[str, str]:
    """{id: what changes when the row does} of each open position, in order of trader and symbol."""
    return {row.id: row.mark for row in sql.rows(_MARKS)}


def by_ids(position_ids: Collection[str]) -> list[PositionRecord]:
    """Those that can be read."""
    return list(rows.positions(rows.POSITIONS.filter(pk__in=position_ids))) if position_ids else []
