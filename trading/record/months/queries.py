"""How `equity_snapshots` is divided, as the database says it."""

from __future__ import annotations

import re

from traders.database import sql
from trading.record.months.rules import TABLE, EquityPart

_PARTS = """
SELECT c.relname AS name, pg_get_expr(c.relpartbound, c.oid) AS bounds, greatest(c.reltuples, 0)::bigint AS rows,
       pg_total_relation_size(c.oid) AS size_bytes
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
 WHERE i.inhparent = %s::regclass
"""
_BOUNDS = re.compile(r"FOR VALUES FROM \((?:'?(-?\d+)'?|MINVALUE)\) TO \((?:'?(-?\d+)'?|MAXVALUE)\)")


def is_divided() -> bool:
    return bool(sql.value("SELECT relkind = 'p' FROM pg_class WHERE oid = %s::regclass", [TABLE]))


def parts() -> list[EquityPart]:
    """In order of time; none of a table that is one. Raises ValueError for a part that another program made."""
    found = []
    for row in sql.rows(_PARTS, [TABLE]):
        bounds = _BOUNDS.fullmatch(row.bounds)
        if bounds is None:
            raise ValueError(f"{row.name} holds {row.bounds}, which is no range of moments")
        begins, ends = (None if bound is None else int(bound) for bound in bounds.groups())
        found.append(EquityPart(row.name, begins, ends, row.rows, row.size_bytes))
    return sorted(found, key=lambda part: (part.from_ms is not None, part.from_ms or 0))


def count_of(part: EquityPart) -> int:
    return int(sql.value(f'SELECT count(*) FROM "{part.table}"'))
