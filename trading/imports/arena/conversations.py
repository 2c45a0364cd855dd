"""conversations.json: the messages between the engine and each model."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from traders.schema import jsonio
from traders.schema.jsonio import Json
from traders.schema.messages import _
from trading.imports.arena import fields
from trading.imports.arena.fields import Record
from trading.imports.arena.unreadable_file import shown
from trading.record.rules.errors import InvalidRecord
from trading.schema.ids import short_digest
from trading.schema.message import MessageRecord, MessageRole
from trading.schema.published import is_own_row

KEY = "conversations"
_PARTS = (
    *((MessageRole.USER, "user_prompt"), (MessageRole.ASSISTANT, "cot_trace_summary")),
    *((MessageRole.ASSISTANT, "cot_trace"), (MessageRole.ASSISTANT, "llm_response")),
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_conversation(record: Json) -> list[MessageRecord]:
    """All of its messages or, with InvalidRecord, none."""
    record = fields.require_object(record)
    trader_id = fields.trader_id(record)
    messages = _parts(record) if record.get("messages") is None else record["messages"]
    if not isinstance(messages, list):
        raise InvalidRecord("messages", _("must be a list, was %(value)s", value=shown(messages)))
    read = [_message(item, number) for number, item in enumerate(messages)]
    # A conversation of our own export has the name that it has here, or had there.
    name = fields.text(record, "id") if is_own_row(record) else _name(read)
    return [
        MessageRecord(trader_id, name, number, role, content, sent_at)
        for number, (role, content, sent_at) in enumerate(read)
    ]


def _parts(record: Record) -> Json:
    """The messages of a record that holds prompt, reasoning and answer in fields of their own, as clients read
    them. A part that is no text is kept as JSON."""
    at = record.get("inserted_at", record.get("timestamp"))
    found = [
        {"role": role, "content": _as_text(name, content), "timestamp": at}
        for role, name in _PARTS
        if (content := record.get(name)) is not None
    ]
    return found or fields.given(record, "messages")


def _as_text(name: str, content: Json) -> str:
    if isinstance(content, str):
        return content
    try:
        return jsonio.dumps(content)
    except RecursionError:
        raise InvalidRecord(name, _("is nested too deeply to be a record")) from None
    except (ValueError, OverflowError):
        raise InvalidRecord(name, _("holds a number that is far too large")) from None


def _message(item: Json, number: int) -> tuple[MessageRole, str, datetime | None]:
    try:
        message = fields.require_object(item)
        return _role(message), _content(message), _sent_at(message)
    except InvalidRecord as error:
        raise InvalidRecord(f"messages.{number}.{error.field}".rstrip("."), error.reason) from None


def _role(message: Record) -> MessageRole:
    role = fields.text(message, "role")
    if role not in tuple(MessageRole):
        raise InvalidRecord(
            "role", _("must be one of %(names)s, was %(value)s", names=", ".join(MessageRole), value=shown(role))
        )
    return MessageRole(role)


def _content(message: Record) -> str:
    content = fields.text(message, "content")
    if "\0" in content:
        raise InvalidRecord("content", _("must not hold the character U+0000"))
    if not content.isascii() and any("\ud800" <= letter <= "\udfff" for letter in content):
        raise InvalidRecord("content", _("must not hold half of a surrogate pair"))
    return content


def _sent_at(message: Record) -> datetime | None:
    if message.get("timestamp") is None:
        return None
    return _EPOCH + timedelta(milliseconds=fields.moment_ms(message, "timestamp"))


def _name(messages: Sequence[tuple[MessageRole, str, datetime | None]]) -> str:
    """By its beginning, up to the first message that has a time: a conversation that grew is known again."""
    beginning = []
    for role, content, sent_at in messages:
        beginning.append([str(role), content, sent_at.isoformat() if sent_at else None])
        if sent_at:
            break
    return f"arena|{short_digest(beginning)}"
