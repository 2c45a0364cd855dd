"""A conversation of our own export: the decision that it shows, with its messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from traders.schema import moments
from traders.schema.jsonio import Json
from traders.schema.messages import _, message_of
from trading.imports.arena import fields
from trading.imports.arena.fields import Record
from trading.imports.arena.unreadable_file import refusal_of, shown
from trading.record.rules.errors import InvalidRecord
from trading.schema.common import Origin
from trading.schema.decision import (
    LONGEST_WORD,
    Action,
    Decision,
    DecisionDetail,
    JournalEntry,
    ModelAnswer,
    Prompt,
    is_word,
)
from trading.schema.ids import short_digest
from trading.schema.message import DecisionMessage, MessageRecord, MessageRole
from trading.schema.published import ConversationEntry, is_own_row

SYSTEM = "an export of this program"
_AT_SOURCE = {"error": "decision.error", "user_text": "user_prompt", "reasoning": "cot_trace"}


def has_decision(record: Json) -> bool:
    return isinstance(record, dict) and is_own_row(record) and isinstance(record.get("decision"), dict)


def read_conversation(record: Record, messages: Sequence[MessageRecord]) -> ConversationEntry:
    """`messages` are those of the record, as they were read. Raises InvalidRecord."""
    trader_id, taken = fields.trader_id(record), fields.require_object(fields.given(record, "decision"), "decision")
    try:
        decided_at, success = _decided_at(taken), _flag(taken, "success")
        version, recorded = _whole_or_none(taken, "config_version"), _whole_or_none(taken, "messages") or 0
        decisions = _decisions(taken)
        error = fields.text(taken, "error") if taken.get("error") is not None else None
    except InvalidRecord as refused:
        raise InvalidRecord(f"decision.{refused.field}", refused.reason) from None
    try:
        detail = DecisionDetail(
            prompt=_prompt(record, messages),
            answer=_answer(record, messages, is_own=taken.get("has_reasoning") is True),
            decisions=decisions,
            error=error,
            origin=Origin(system=SYSTEM, id=fields.text(record, "id"), key=_key(decided_at, decisions)),
        )
    except ValidationError as refused:
        raise refusal_of(refused, _AT_SOURCE) from None
    said = tuple(DecisionMessage(one.role, one.content, one.sent_at) for one in messages) if recorded else ()
    return ConversationEntry(trader_id, JournalEntry(trader_id, version, decided_at, success, detail), said)


def _decided_at(taken: Record) -> datetime:
    text = fields.text(taken, "decided_at")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidRecord(
            "decided_at", _("must be a moment in RFC 3339 with a time zone, was %(value)s", value=shown(text))
        )
    if (found := moments.ahead("decided_at", moments.ms_of(moment), text)) is not None:
        raise InvalidRecord("decided_at", found.message)
    try:
        return moments.in_years(moment)
    except ValueError as error:
        raise InvalidRecord(
            "decided_at", _("%(error)s, was %(value)s", error=message_of(error), value=shown(text))
        ) from None


def _decisions(taken: Record) -> tuple[Decision, ...]:
    found = taken.get("decisions")
    if not isinstance(found, list):
        raise InvalidRecord("decisions", _("must be a list, was %(value)s", value=shown(found)))
    return tuple(_decision(item, place) for place, item in enumerate(found))


def _decision(item: Json, place: int) -> Decision:
    try:
        parts: dict[str, Any] = dict(fields.require_object(item))
        return Decision.model_validate(parts | {"action": _action(parts)})
    except InvalidRecord as error:
        raise InvalidRecord(f"decisions.{place}.{error.field}".rstrip("."), error.reason) from None
    except ValidationError as error:
        refusal = refusal_of(error, {})
        raise InvalidRecord(f"decisions.{place}.{refusal.field}".rstrip("."), refusal.reason) from None


def _action(record: Record) -> Action:
    word = fields.text(record, "action").strip()
    if not is_word(word):
        right = _("a word of at most %(most)s characters", most=LONGEST_WORD)
        raise InvalidRecord("action", _("must be %(right)s, was %(value)s", right=right, value=shown(word)))
    return Action.named(word)


def _prompt(record: Record, messages: Sequence[MessageRecord]) -> Prompt | None:
    system = next((one.content for one in messages if one.role is MessageRole.SYSTEM), None)
    user = fields.text(record, "user_prompt") if record.get("user_prompt") is not None else None
    return None if system is None and user is None else Prompt(system_text=system, user_text=user)


def _answer(record: Record, messages: Sequence[MessageRecord], *, is_own: bool) -> ModelAnswer | None:
    """`is_own`: the reasoning is the model's own, and not put together from other fields."""
    text = next((one.content for one in reversed(messages) if one.role is MessageRole.ASSISTANT), None)
    reasoning = fields.text(record, "cot_trace") if is_own else None
    return None if text is None and reasoning is None else ModelAnswer(text=text, reasoning=reasoning)


def _flag(taken: Record, field: str) -> bool:
    value = fields.given(taken, field)
    if not isinstance(value, bool):
        raise InvalidRecord(field, _("must be true or false, was %(value)s", value=shown(value)))
    return value


def _whole_or_none(taken: Record, field: str) -> int | None:
    value = taken.get(field)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise InvalidRecord(field, _("must be a whole number, was %(value)s", value=shown(value)))
    return value


def _key(decided_at: datetime, decisions: Sequence[Decision]) -> str:
    named = [[one.symbol, str(one.action)] for one in decisions]
    return f"export|{moments.ms_of(decided_at)}|{short_digest([decided_at.isoformat(), *named])}"
