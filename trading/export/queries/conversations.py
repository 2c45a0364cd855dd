"""The last decisions of each trader with their messages, and conversations without a decision. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from functools import partial

from traders.database import sql
from trading.models import ConversationMessage
from trading.record.stored import rows
from trading.record.stored.safe_sql import FIRST_MOMENT, LAST_MOMENT, is_moment
from trading.record.stored.spread import reads
from trading.record.stored.unreadable import attempt, note
from trading.schema.message import MessageRecord
from trading.schema.published import PublishedConversation
from trading.schema.unreadable import NO_MOMENT, Unreadable

# Those that are known to be unreadable take no other decision's place.
_DECISIONS = f"""
SELECT wanted.id AS trader_id, d.id,
       array(SELECT m.id FROM conversation_messages m
              WHERE m.trader_id = wanted.id AND m.decision_id = d.id ORDER BY m.sequence) AS messages
  FROM unnest(%(traders)s::text[]) AS wanted (id) CROSS JOIN LATERAL (
       SELECT id FROM decision_journal
        WHERE trader_id = wanted.id AND exclusion_id IS NULL AND {is_moment("decided_at")} AND id <> ALL (%(but)s)
        ORDER BY decided_at DESC, id DESC LIMIT %(most)s) d
"""
_IS_SENT = f"(sent_at IS NULL OR {is_moment('sent_at')})"
# Two ends of an index.
_MISDATED = f"""
SELECT id FROM decision_journal
 WHERE (decided_at < {FIRST_MOMENT} OR decided_at > {LAST_MOMENT}) AND exclusion_id IS NULL LIMIT %s
"""
MOST_MISDATED = 1_000
# A conversation has a few messages; of those that belong to no decision the last ones name the last conversations.
MESSAGES_LOOKED_AT = 60
_LOOSE = f"""
SELECT trader_id, conversation, array_agg(id ORDER BY sequence) AS messages FROM (
    SELECT m.* FROM unnest(%(traders)s::text[]) AS wanted (id) CROSS JOIN LATERAL (
           SELECT trader_id, conversation, sequence, id, decision_id FROM conversation_messages
            WHERE trader_id = wanted.id AND {_IS_SENT} ORDER BY sent_at DESC LIMIT %(most)s) m) recent
 WHERE decision_id IS NULL GROUP BY trader_id, conversation
"""

Key = tuple[int | None, tuple[int, ...]]
"""(decision, its messages): with either of them more, it is another conversation."""


def recent_keys(of_each: int, *, but: Collection[int] = ()) -> dict[Key, str]:
    """{key: its trader} of each trader's last decisions but for some, and of its last conversations that belong to no
    decision."""
    decided = reads.rows(_DECISIONS, {"traders": reads.FLEET, "but": list(but), "most": of_each})
    found: dict[Key, str] = {(row.id, tuple(row.messages)): row.trader_id for row in decided}
    loose: dict[str, list[Key]] = defaultdict(list)
    for row in reads.rows(_LOOSE, {"traders": reads.FLEET, "most": MESSAGES_LOOKED_AT}):
        loose[row.trader_id].append((None, tuple(row.messages)))
    for trader_id, keys in loose.items():
        found |= dict.fromkeys(sorted(keys, key=lambda key: max(key[1]))[-of_each:], trader_id)
    return found


def load(keys: Mapping[Key, str]) -> dict[Key, PublishedConversation]:
    """Those that can be read, by {key: its trader}; a message that cannot is missing from its conversation."""
    traders = set(keys.values())
    numbers = [decision for decision, _ in keys if decision is not None]
    decisions = {one.id: one for one in rows.decisions(rows.DECISIONS.named(numbers, traders))} if numbers else {}
    messages = _messages([message for _, some in keys for message in some], traders)
    conversations = {}
    for key in keys:
        said = tuple(messages[number] for number in key[1] if number in messages)
        if key[0] is not None and key[0] in decisions:
            decision = decisions[key[0]]
            conversations[key] = PublishedConversation(decision.entry.trader_id, decision, said)
        elif key[0] is None and said:
            conversations[key] = PublishedConversation(said[0].trader_id, None, said)
    return conversations


def note_misdated() -> None:
    """Names the decisions of a time that is none: they are among no last ones."""
    for number in sql.values(_MISDATED, [MOST_MISDATED]):
        note(Unreadable("decision_journal", str(number), "decided_at", NO_MOMENT))


def _messages(ids: Collection[int], traders: Collection[str]) -> dict[int, MessageRecord]:
    found = ConversationMessage.objects.named(ids, traders) if ids else ()
    read = ((row.pk, attempt("conversation_messages", str(row.pk), partial(rows.message, row))) for row in found)
    return {number: message for number, message in read if message is not None}
