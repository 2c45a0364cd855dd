"""Messages between an engine and its models: added, never changed."""

from __future__ import annotations

from collections.abc import Sequence

from traders.database import sql
from trading.record.stored.copying import copy_rows
from trading.record.stored.outcome import WriteOutcome, sorted_out
from trading.schema.message import MessageRecord

_COLUMNS = ("trader_id", "conversation", "sequence", "role", "content", "sent_at")
_STORED = """
SELECT m.trader_id, m.conversation, m.sequence, m.role, m.content, m.sent_at
  FROM conversation_messages m
  JOIN unnest(%s::text[], %s::text[], %s::int[]) AS k (trader_id, conversation, sequence)
 USING (trader_id, conversation, sequence)
"""

Key = tuple[str, str, int]


def copy_messages(batch: Sequence[MessageRecord]) -> WriteOutcome:
    """Adds the messages whose place in their conversation is free. Call it inside `copying.bulk_load`."""
    new, outcome = sorted_out(
        batch, _stored([_key(message) for message in batch]), key=_key, content=_content, name=_name
    )
    copy_rows("conversation_messages", _COLUMNS, [(*_key(message), *_content(message)) for message in new])
    return outcome


def _stored(keys: Sequence[Key]) -> dict[Key, object]:
    found = sql.rows(_STORED, [[key[0] for key in keys], [key[1] for key in keys], [key[2] for key in keys]])
    return {(trader, name, number): tuple(content) for trader, name, number, *content in found}


def _key(message: MessageRecord) -> Key:
    return message.trader_id, message.conversation, message.sequence


def _content(message: MessageRecord) -> tuple[object, ...]:
    return str(message.role), message.content, message.sent_at


def _name(message: MessageRecord) -> str:
    return f"{message.trader_id} {message.conversation} {message.sequence}"
