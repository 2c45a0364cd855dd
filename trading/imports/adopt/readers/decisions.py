"""A row of `decision_cycles`, and the conversation that led to it, as a decision with its messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from traders.schema import jsonio
from traders.schema.messages import _
from trading.imports.adopt.readers import values
from trading.imports.adopt.readers.kept import origin
from trading.imports.adopt.readers.values import Ids, Row
from trading.imports.arena.unreadable_file import shown
from trading.imports.journal_files.record import Cycle, read_cycle
from trading.record.rules.errors import InvalidRecord
from trading.schema.decision import ModelAnswer, Usage
from trading.schema.ids import short_digest
from trading.schema.message import DecisionMessage, MessageRecord, MessageRole

# As the engine's cycle files have them.
_SAME_NAMES = ("cycle_number", "prompt_digest", "cot_trace", "success", "error_message", "config_version")


@dataclass(frozen=True, slots=True)
class SaidMessage:
    """A message with what the engine noted beside it."""

    message: DecisionMessage
    model: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


def read_decision(row: Row, ids: Ids) -> Cycle:
    """Of a cycle, without its conversation. Raises InvalidRecord. The number of the version stays as the row has it."""
    trader_id, at = values.trader_id(row, ids), values.given(row, "executed_at")
    if not isinstance(at, datetime):
        raise InvalidRecord("executed_at", _("must be a moment, was %(value)s", value=shown(at)))
    record: dict[str, Any] = {name: row[name] for name in _SAME_NAMES if row.get(name) is not None}
    record |= {"trader_id": trader_id, "timestamp": at.astimezone(UTC).isoformat(), "decisions_json": _decisions(row)}
    cycle = read_cycle(record, "")
    source_id = str(values.given(row, "id"))
    key = f"{source_id}|{short_digest([source_id, trader_id, record['timestamp']])}"
    fields = {name: str(row[name]) for name in ("topic", "config_version") if row.get(name) is not None}
    detail = cycle.detail.model_copy(update={"origin": origin(source_id, fields, key=key)})
    return replace(cycle, detail=detail)


def with_conversation(cycle: Cycle, said: Sequence[SaidMessage]) -> Cycle:
    """The decision with the model and the tokens of its conversation."""
    model = next((one.model for one in said if one.model), None)
    prompt = next((one.prompt_tokens for one in said if one.prompt_tokens), None)
    completion = next((one.completion_tokens for one in said if one.completion_tokens), None)
    parts: dict[str, Any] = {}
    if model:
        answer = cycle.detail.answer or ModelAnswer()
        parts["answer"] = answer.model_copy(update={"model": model})
    if prompt or completion:
        parts["usage"] = Usage(prompt_tokens=prompt, completion_tokens=completion)
    return replace(cycle, detail=cycle.detail.model_copy(update=parts)) if parts else cycle


def read_message(row: Row) -> SaidMessage:
    """Raises InvalidRecord."""
    role, content = values.given(row, "role"), values.given(row, "content")
    said = role.strip().lower() if isinstance(role, str) else ""
    if said not in tuple(MessageRole):
        raise InvalidRecord(
            "role", _("must be one of %(names)s, was %(value)s", names=", ".join(MessageRole), value=shown(role))
        )
    if not isinstance(content, str) or not content:
        raise InvalidRecord("content", _("must be a text, was %(value)s", value=shown(content)))
    metadata = row.get("metadata")
    known = metadata if isinstance(metadata, dict) else {}
    model = known.get("model")
    return SaidMessage(
        DecisionMessage(MessageRole(said), content, _sent_at(row)),
        model.strip()[:200] if isinstance(model, str) and model.strip().isprintable() and model.strip() else None,
        _count(known, "prompt_tokens"),
        _count(known, "completion_tokens"),
    )


def read_messages(rows: Sequence[Row], trader_id: str, conversation: str) -> list[MessageRecord]:
    """The messages of a conversation that no decision follows. All of them or, with InvalidRecord, none."""
    said = [read_message(row).message for row in rows]
    return [
        MessageRecord(trader_id, conversation_name(conversation), place, one.role, one.content, one.sent_at)
        for place, one in enumerate(said)
    ]


def conversation_name(source_id: str) -> str:
    """What a conversation of the source is called here, where no decision has it."""
    return f"earlier|{source_id}"


def _sent_at(row: Row) -> datetime | None:
    if row.get("ts_ms") is not None:
        return values.of_ms(values.moment_ms(row, "ts_ms"))
    return values.moment(row, "created_at")


def _decisions(row: Row) -> Any:
    """JSON is given as text: the reader of cycle files takes both."""
    value = row.get("decisions")
    return value if value is None or isinstance(value, str) else jsonio.dumps(value)


def _count(known: Row, name: str) -> int | None:
    """More than 0: an engine that counts no tokens writes 0."""
    value = known.get(name)
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value <= 0 or value != int(value):
        return None
    return int(value)
