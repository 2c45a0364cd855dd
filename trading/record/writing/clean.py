"""Takes secrets out of the free texts of records. Every door of the record calls it before it writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

from traders.runtime.redaction import without_secrets
from traders.schema.redaction import Redaction
from trading.schema.decision import JournalEntry
from trading.schema.message import DecisionMessage, MessageRecord
from trading.schema.position import PositionRecord
from trading.schema.published import ConversationEntry
from trading.schema.trade import TradeRecord

Record = TypeVar("Record")


def clean(record: Record) -> tuple[Record, tuple[Redaction, ...]]:
    """A trade, position, journal entry (with its messages) or message without secrets, and what was taken out.
    Identifiers stay whole; so do digests, because their sources computed them from the original texts."""
    made: Any = record
    if isinstance(record, TradeRecord | PositionRecord | JournalEntry):
        detail, found = without_secrets(record.detail, f"a record of {record.trader_id}")
        made = replace(made, detail=detail) if found else record
    elif isinstance(record, ConversationEntry):
        entry, found = clean(record.entry)
        said = tuple(clean_messages(record.messages, record.trader_id))
        made = replace(record, entry=entry, messages=said)
    elif isinstance(record, MessageRecord):
        text, found = without_secrets(record.content, f"a message of {record.trader_id}", "content")
        made = replace(record, content=text) if found else record
    else:
        found = ()
    return cast(Record, made), found


def clean_messages(messages: Sequence[DecisionMessage], trader_id: str) -> list[DecisionMessage]:
    made = []
    for place, message in enumerate(messages):
        text, found = without_secrets(message.content, f"a message of {trader_id}", f"messages[{place}].content")
        made.append(replace(message, content=text) if found else message)
    return made
