"""The last decisions of each trader with their messages, and conversations without a decision. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from django.db import connection

from trading.models import ConversationMessage, DecisionJournal
from trading.repositories import rows
from trading.schema.message import Message, Role
from trading.schema.published import Talk

_DECISIONS = """
SELECT d.id, array(SELECT m.id FROM conversation_messages m WHERE m.decision_id = d.id ORDER BY m.sequence)
  FROM trader_config c CROSS JOIN LATERAL (
       SELECT id FROM decision_journal WHERE trader_id = c.id ORDER BY decided_at DESC, id DESC LIMIT %s) d
"""
# A conversation has a few messages; of those that belong to no decision the last ones name the last conversations.
MESSAGES_LOOKED_AT = 60
_LOOSE = """
SELECT trader_id, conversation, array_agg(id ORDER BY sequence) FROM (
    SELECT m.* FROM trader_config c CROSS JOIN LATERAL (
           SELECT trader_id, conversation, sequence, id, decision_id FROM conversation_messages
            WHERE trader_id = c.id ORDER BY sent_at DESC LIMIT %s) m) recent
 WHERE decision_id IS NULL GROUP BY trader_id, conversation
"""

Key = tuple[int | None, tuple[int, ...]]
"""(decision, its messages): with either of them more, it is another talk."""


def recent_keys(of_each: int) -> list[Key]:
    """Of each trader its last decisions, and its last conversations that belong to no decision."""
    found: list[Key] = [(decision, tuple(messages)) for decision, messages in _rows(_DECISIONS, of_each)]
    loose: dict[str, list[Key]] = defaultdict(list)
    for trader_id, _conversation, messages in _rows(_LOOSE, MESSAGES_LOOKED_AT):
        loose[trader_id].append((None, tuple(messages)))
    for keys in loose.values():
        found += sorted(keys, key=lambda key: max(key[1]))[-of_each:]
    return found


def load(keys: Collection[Key]) -> dict[Key, Talk]:
    decisions = {
        row.pk: rows.decision(row)
        for row in DecisionJournal.objects.filter(pk__in=[decision for decision, _ in keys if decision is not None])
    }
    messages = dict(_messages([message for _, some in keys for message in some]))
    talks = {}
    for key in keys:
        said = tuple(messages[number] for number in key[1])
        decision = decisions[key[0]] if key[0] is not None else None
        talks[key] = Talk(decision.entry.trader_id if decision else said[0].trader_id, decision, said)
    return talks


def _messages(ids: Collection[int]) -> Iterable[tuple[int, Message]]:
    for row in ConversationMessage.objects.filter(pk__in=ids) if ids else ():
        yield (
            row.pk,
            Message(row.trader_id, row.conversation, row.sequence, Role(row.role), row.content, row.sent_at),
        )


def _rows(sql: str, limit: int) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [limit])
        return list(cursor.fetchall())
