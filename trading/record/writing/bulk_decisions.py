"""Many journal entries at once, by COPY. Call it inside `copying.bulk_load`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from traders.database import sql
from traders.schema import jsonio
from trading.record.stored.copying import copy_rows
from trading.record.writing.decisions import lock_journal
from trading.schema.decision import JournalEntry

COLUMNS = ("trader_id", "config_version", "cycle_number", "decided_at", "success", "detail")
_KNOWN = """
SELECT j.trader_id, j.entry_key FROM unnest(%s::text[], %s::text[]) AS asked (trader_id, entry_key)
  JOIN decision_journal j USING (trader_id, entry_key)
"""
_LAST_CYCLES = """
SELECT t.id, coalesce((SELECT max(cycle_number) FROM decision_journal j WHERE j.trader_id = t.id), 0)
  FROM unnest(%s::text[]) AS t (id)
"""

Key = tuple[str, str | None]


@dataclass
class CopiedDecisions:
    """How many of a batch were new, for each trader, and how many were recorded already."""

    inserted: Counter[str] = field(default_factory=Counter)
    known: int = 0


def copy_decisions(batch: Sequence[JournalEntry]) -> CopiedDecisions:
    """Adds those whose key is not recorded, in the order given, each under its trader's next cycle number.

    The caller has checked that traders and versions exist. No other session numbers these traders' cycles until the
    transaction ends.
    """
    traders = sorted({entry.trader_id for entry in batch})
    for trader_id in traders:
        lock_journal(trader_id)
    known, cycles = _known(batch), _last_cycles(traders)
    copied, rows = CopiedDecisions(), []
    for entry in batch:
        key = _key(entry)
        if key in known:
            copied.known += 1
            continue
        if key[1] is not None:
            known.add(key)
        cycles[entry.trader_id] += 1
        copied.inserted[entry.trader_id] += 1
        rows.append(_row(entry, cycles[entry.trader_id]))
    copy_rows("decision_journal", COLUMNS, rows)
    return copied


def _key(entry: JournalEntry) -> Key:
    return entry.trader_id, entry.detail.origin.key if entry.detail.origin else None


def _known(batch: Sequence[JournalEntry]) -> set[Key]:
    keys = [key for key in map(_key, batch) if key[1] is not None]
    found = sql.rows(_KNOWN, [[trader_id for trader_id, _k in keys], [key for _t, key in keys]])
    return {(trader_id, key) for trader_id, key in found}


def _last_cycles(trader_ids: Collection[str]) -> dict[str, int]:
    return dict(sql.rows(_LAST_CYCLES, [list(trader_ids)]))


def _row(entry: JournalEntry, cycle: int) -> tuple[object, ...]:
    detail = jsonio.dumps(entry.detail.stored())
    return entry.trader_id, entry.config_version, cycle, entry.decided_at.isoformat(), entry.success, detail
