"""conversations: one item a decision, in the fields that dashboards read, beside the messages of the contract."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from trading.export.documents.wire import fraction, seconds
from trading.schema.contract import TRADER
from trading.schema.decision import Action, Decision, DecisionDetail
from trading.schema.message import MessageRecord, MessageRole
from trading.schema.published import PublishedConversation

SUMMARY_CHARACTERS = 280
_SIGNALS = {
    Action.OPEN_LONG: "buy_to_enter",
    Action.OPEN_SHORT: "sell_to_enter",
    Action.CLOSE_LONG: "close",
    Action.CLOSE_SHORT: "close",
    Action.HOLD: "hold",
    Action.WAIT: "wait",
}
_QUANTITY = Decimal("0.00000001")


def conversation_item(conversation: PublishedConversation, *, is_withheld: bool) -> dict[str, Any]:
    """`is_withheld`: without prompts, reasoning and messages."""
    detail = conversation.decision.entry.detail if conversation.decision else DecisionDetail()
    at_ms = conversation_at_ms(conversation)
    prompt, reasoning = _prompt(conversation, detail), _reasoning(conversation, detail)
    summary = _cut(reasoning) if reasoning and not is_withheld else _actions(detail)
    return {
        "id": str(conversation.decision.id) if conversation.decision else conversation.messages[0].conversation,
        TRADER: conversation.trader_id,
        "timestamp": None if at_ms is None else seconds(at_ms),
        "inserted_at": None if at_ms is None else seconds(at_ms),
        "cycle": conversation.decision.cycle_number if conversation.decision else None,
        "summary": summary,
        "cot_trace_summary": summary,
        "user_prompt": None if is_withheld else prompt,
        "cot_trace": None if is_withheld else reasoning,
        "llm_response": {one.symbol: answer_object(one) for one in detail.decisions},
        "messages": [] if is_withheld else _messages(conversation, detail),
        "decision": _taken(conversation, is_withheld=is_withheld),
    }


def conversation_at_ms(conversation: PublishedConversation) -> int | None:
    if conversation.decision:
        return _ms(conversation.decision.entry.decided_at)
    times = [message.sent_at for message in conversation.messages if message.sent_at]
    return _ms(max(times)) if times else None


def answer_object(decision: Decision) -> dict[str, Any]:
    return {
        "coin": decision.symbol,
        # A word that this release does not know says more than nothing.
        "signal": _SIGNALS.get(decision.action, str(decision.action)),
        "leverage": decision.leverage,
        "profit_target": decision.take_profit,
        "stop_loss": decision.stop_loss,
        "risk_usd": decision.risk_usd,
        "invalidation_condition": decision.invalidation_condition,
        "confidence": fraction(decision.confidence),
        "quantity": _quantity(decision),
    }


def _taken(conversation: PublishedConversation, *, is_withheld: bool) -> dict[str, Any] | None:
    """The part of the decision that the other fields do not hold, so that it can be imported again. `messages` is the
    number of those that are recorded: without any, they are made of prompt and answer."""
    if conversation.decision is None:
        return None
    entry, answer = conversation.decision.entry, conversation.decision.entry.detail.answer
    hidden = {"reasoning"} if is_withheld else set()
    return {
        "decided_at": entry.decided_at.astimezone(UTC).isoformat(),
        "config_version": entry.config_version,
        "success": entry.success,
        "messages": 0 if is_withheld else len(conversation.messages),
        "has_reasoning": bool(answer and answer.reasoning) and not is_withheld,
        "error": None if is_withheld else entry.detail.error,
        "decisions": [one.model_dump(mode="python", exclude=hidden) for one in entry.detail.decisions],
    }


def _quantity(decision: Decision) -> Decimal | None:
    """The signed quantity of an entry whose size and price are known."""
    size, price, side = decision.position_size_usd, decision.entry_price, decision.action.side
    if not decision.action.opens or size is None or not price or side is None:
        return None
    return side.sign * (size / price).quantize(_QUANTITY)


def _prompt(conversation: PublishedConversation, detail: DecisionDetail) -> str | None:
    sent = detail.prompt.user_text if detail.prompt else None
    return sent or _last(conversation.messages, MessageRole.USER)


def _reasoning(conversation: PublishedConversation, detail: DecisionDetail) -> str | None:
    """The model's own reasoning, else its reasons for each decision, else its words; its raw answer, mostly JSON, comes
    last."""
    answer = detail.answer
    if answer and answer.reasoning:
        return answer.reasoning
    said = "\n".join(one.reasoning for one in detail.decisions if one.reasoning)
    raw = (answer.text if answer else None) or detail.error
    return said or _last_words(conversation.messages) or raw or _last(conversation.messages, MessageRole.ASSISTANT)


def _messages(conversation: PublishedConversation, detail: DecisionDetail) -> list[dict[str, Any]]:
    if conversation.messages:
        return [_message(one.role, one.content, one.sent_at) for one in conversation.messages]
    prompt, answer = detail.prompt, detail.answer
    at = conversation.decision.entry.decided_at if conversation.decision else None
    said = (
        (MessageRole.SYSTEM, prompt.system_text if prompt else None),
        (MessageRole.USER, prompt.user_text if prompt else None),
        (MessageRole.ASSISTANT, answer.text if answer else None),
    )
    return [_message(role, text, at) for role, text in said if text is not None]


def _message(role: MessageRole, content: str, sent_at: datetime | None) -> dict[str, Any]:
    """`timestamp` is left out where it is not known."""
    message: dict[str, Any] = {"role": str(role), "content": content}
    return message if sent_at is None else message | {"timestamp": seconds(_ms(sent_at))}


def _actions(detail: DecisionDetail) -> str | None:
    named = ", ".join(f"{one.symbol} {one.action.replace('_', ' ')}" for one in detail.decisions)
    return named or None


def _last(messages: Sequence[MessageRecord], role: MessageRole) -> str | None:
    return next((message.content for message in reversed(messages) if message.role is role), None)


def _last_words(messages: Sequence[MessageRecord]) -> str | None:
    """The last words of the model that are no JSON."""
    answers = (message.content for message in reversed(messages) if message.role is MessageRole.ASSISTANT)
    return next((content for content in answers if not content.lstrip().startswith(("{", "["))), None)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SUMMARY_CHARACTERS else line[: SUMMARY_CHARACTERS - 1].rstrip() + "…"


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
