"""Marks of rows that are set aside, where no trigger writes them: the twin of `nof0_apply_exclusions`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError

from traders.database import sql
from trading.record.stored.spread import judging, results

_IS_OTHERWISE = "(exclusion_id IS NULL) = (%(action)s = 'exclude')"
_MARK = "exclusion_id = CASE %(action)s WHEN 'exclude' THEN %(entry)s::bigint END"
_MARKS = {
    "trade": f"UPDATE trades SET {_MARK} WHERE trader_id = %(trader)s AND id = %(id)s AND {_IS_OTHERWISE}",
    "decision": f"""
UPDATE decision_journal SET {_MARK} WHERE trader_id = %(trader)s AND id = %(id)s::bigint AND {_IS_OTHERWISE}
""",
    "equity": f"""
UPDATE equity_snapshots SET {_MARK}
 WHERE trader_id = %(trader)s AND ts_ms = split_part(%(id)s, '|', 2)::bigint AND {_IS_OTHERWISE}
""",
}
# An open position moves to the id that the entry names, and back to its own.
_POSITIONS = {
    "exclude": """
UPDATE positions SET exclusion_id = %(entry)s, id = %(id)s
 WHERE trader_id = %(trader)s AND exclusion_id IS NULL AND (
       status = 'closed' AND id = %(id)s
       OR status = 'open' AND CASE WHEN detail ? 'corrects'
              THEN %(id)s ~ '[|]c[0-9]+$' AND regexp_replace(%(id)s, '[|]c[0-9]+$', '')
                                              = regexp_replace(detail ->> 'corrects', '[|]c[0-9]+$', '')
              ELSE %(id)s = trader_id || '|' || symbol || '|' || opened_ms::text || '|' || side END)
""",
    "include": """
UPDATE positions SET exclusion_id = NULL, id = CASE status WHEN 'open' THEN trader_id || '|' || symbol ELSE id END
 WHERE trader_id = %(trader)s AND id = %(id)s AND exclusion_id IS NOT NULL
""",
}


def entries_added(action: str, entries: Iterable[tuple[int, str, str, str]]) -> None:
    """After the insert of entries (number, kind, trader, id of the row) of one action, in its transaction, where the
    record is spread. Raises IntegrityError for a row that is not there, or that is as asked already."""
    for entry, kind, trader_id, record_id in entries:
        given: dict[str, Any] = {"action": action, "entry": entry, "trader": trader_id, "id": record_id}
        statement = _POSITIONS[action] if kind == "position" else _MARKS[kind]
        if sql.execute(statement, given) != 1:
            raise IntegrityError(f"this row is not there, or is as asked already: {action} {kind} {record_id}")
        if kind == "trade":
            results.trade_marked(trader_id, record_id)
        elif kind == "equity":
            ts_ms = int(record_id.rpartition("|")[2])
            judging.equity_changed(trader_id, ts_ms, ts_ms)
