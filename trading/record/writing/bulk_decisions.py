"""Many journal entries at once, by COPY. Call it inside `copying.bulk_load`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from traders.database import sql
from traders.schema import jsonio
from trading.record.stored.copying import copy_rows
from trading.record.stored.outcome import WriteOutcome
from trading.record.stored.spread import reads
from trading.record.writing.decisions import lock_journal
from trading.schema.common import EARLIER_DATABASE
from trading.schema.decision import JournalEntry
from trading.schema.published import ConversationEntry

COLUMNS = ("trader_id", "config_version", "cycle_number", "decided_at", "success", "detail", "created_at")
_KNOWN = """
SELECT j.trader_id, j.entry_key FROM unnest(%s::text[], %s::text[]) AS asked (trader_id, entry_key)
  JOIN decision_journal j USING (trader_id, entry_key)
"""
_LAST_CYCLES = """
SELECT wanted.id,
       coalesce((SELECT max(cycle_number) FROM decision_journal j WHERE j.trader_id = wanted.id), 0) AS last_cycle
  FROM unnest(%(traders)s::text[]) AS wanted (id)
"""

# What was decided at the same moments, as texts that compare.
_BESIDE = """
SELECT j.trader_id, j.decided_at, j.success, j.exclusion_id IS NOT NULL AS is_aside,
       array(SELECT jsonb_path_query(j.detail, '$.decisions[*].symbol') #>> '{}') AS symbols,
       array(SELECT jsonb_path_query(j.detail, '$.decisions[*].action') #>> '{}') AS actions
  FROM (SELECT DISTINCT * FROM unnest(%s::text[], %s::timestamptz[]) AS k (trader_id, decided_at)) k
  JOIN decision_journal j USING (trader_id, decided_at)
"""
# PostgreSQL rounds to the microsecond what a program cuts there.
_NEAR = """
SELECT k.trader_id, k.decided_at AS asked, j.decided_at, j.id, j.entry_key,
       j.detail #>> '{origin,system}' AS system
  FROM unnest(%s::text[], %s::timestamptz[]) AS k (trader_id, decided_at)
  JOIN decision_journal j ON j.trader_id = k.trader_id
   AND j.decided_at BETWEEN k.decided_at - interval '1 microsecond' AND k.decided_at + interval '1 microsecond'
 ORDER BY j.id
"""
_IDS = "SELECT nextval(pg_get_serial_sequence('decision_journal', 'id')) FROM generate_series(1, %s)"
_MESSAGE_COLUMNS = ("trader_id", "decision_id", "conversation", "sequence", "role", "content", "sent_at")

Key = tuple[str, str | None]

Decided = tuple[str, datetime, bool, tuple[object, ...], tuple[object, ...]]
"""(trader, moment, success, symbols, actions)."""


@dataclass
class CopiedDecisions:
    """Counts of a batch: new decisions by trader, and decisions that were recorded already."""

    inserted: Counter[str] = field(default_factory=Counter)
    known: int = 0


def copy_decisions(batch: Sequence[JournalEntry]) -> CopiedDecisions:
    """Adds the decisions whose key is not recorded, in the order given, each under its trader's next cycle number. One
    that came from an earlier program's database already is known by its moment.

    The caller has checked that traders and versions exist. No other session numbers these traders' cycles until the
    transaction ends.
    """
    traders = sorted({entry.trader_id for entry in batch})
    for trader_id in traders:
        lock_journal(trader_id)
    known, cycles = _known(batch) | _moved_in(batch), _last_cycles(traders)
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


@dataclass
class CopiedConversations:
    """`messages` counts the messages of new decisions."""

    decisions: WriteOutcome = field(default_factory=WriteOutcome)
    messages: int = 0


def copy_conversations(batch: Sequence[ConversationEntry]) -> CopiedConversations:
    """Adds the decisions that are not recorded, each with its messages. A decision is recognised by its trader, its
    moment and its content; the engine's own key may differ. Order and cycle numbers are as in `copy_decisions`."""
    for trader_id in sorted({conversation.trader_id for conversation in batch}):
        lock_journal(trader_id)
    known = _beside(batch)
    done, new = CopiedConversations(), list[ConversationEntry]()
    for conversation in batch:
        if (named := _decided(conversation.entry)) in known:
            done.decisions.known += 1
            done.decisions.set_aside += known[named]
            continue
        known[named] = False
        new.append(conversation)
    cycles, ids = _last_cycles(sorted({conversation.trader_id for conversation in new})), sql.values(_IDS, [len(new)])
    decisions, messages = list[tuple[object, ...]](), list[tuple[object, ...]]()
    for number, conversation in zip(ids, new, strict=True):
        cycles[conversation.trader_id] += 1
        decisions.append((number, *_row(conversation.entry, cycles[conversation.trader_id])))
        messages += [
            (conversation.trader_id, number, f"decision:{number}", place, said.role, said.content, said.sent_at)
            for place, said in enumerate(conversation.messages)
        ]
    copy_rows("decision_journal", ("id", *COLUMNS), decisions)
    copy_rows("conversation_messages", _MESSAGE_COLUMNS, messages)
    done.decisions.inserted, done.messages = len(new), len(messages)
    return done


@dataclass(frozen=True, slots=True)
class RecordedMoment:
    """A decision that is recorded, with the key and the system that it came from."""

    id: int
    key: str | None
    system: str | None


def recorded_at(moments: Collection[tuple[str, datetime]]) -> dict[tuple[str, datetime], RecordedMoment]:
    """{(trader, moment): the decision that is recorded there}, a microsecond off at most. A trader decides once in a
    moment."""
    asked = list(moments)
    found = sql.rows(_NEAR, [[trader_id for trader_id, _at in asked], [at for _trader, at in asked]])
    return {(row.trader_id, row.asked): RecordedMoment(row.id, row.entry_key, row.system) for row in reversed(found)}


def _beside(batch: Sequence[ConversationEntry]) -> dict[Decided, bool]:
    """{content of a decision: whether it was set aside}, of the moments of the batch."""
    asked = [
        [conversation.trader_id for conversation in batch],
        [conversation.entry.decided_at for conversation in batch],
    ]
    return {
        (row.trader_id, row.decided_at, row.success, tuple(row.symbols), tuple(row.actions)): row.is_aside
        for row in sql.rows(_BESIDE, asked)
    }


def _decided(entry: JournalEntry) -> Decided:
    decisions = entry.detail.decisions
    symbols, actions = tuple(one.symbol for one in decisions), tuple(str(one.action) for one in decisions)
    return entry.trader_id, entry.decided_at, entry.success, symbols, actions


def _key(entry: JournalEntry) -> Key:
    return entry.trader_id, entry.detail.origin.key if entry.detail.origin else None


def _known(batch: Sequence[JournalEntry]) -> set[Key]:
    keys = [key for key in map(_key, batch) if key[1] is not None]
    found = sql.rows(_KNOWN, [[trader_id for trader_id, _k in keys], [key for _t, key in keys]])
    return {(trader_id, key) for trader_id, key in found}


def _moved_in(batch: Sequence[JournalEntry]) -> set[Key]:
    found = recorded_at({(entry.trader_id, entry.decided_at) for entry in batch})
    moved = {moment for moment, one in found.items() if one.system == EARLIER_DATABASE}
    keys = {_key(entry) for entry in batch if (entry.trader_id, entry.decided_at) in moved}
    return {key for key in keys if key[1] is not None}


def _last_cycles(trader_ids: Collection[str]) -> dict[str, int]:
    return dict(reads.rows(_LAST_CYCLES, {"traders": list(trader_ids)}))


def _row(entry: JournalEntry, cycle: int) -> tuple[object, ...]:
    detail = jsonio.dumps(entry.detail.stored())
    at = entry.decided_at.isoformat()
    return entry.trader_id, entry.config_version, cycle, at, entry.success, detail, at
