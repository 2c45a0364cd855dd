"""conversations: one item a decision, in the fields that dashboards read, beside the messages of the contract."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from trading.export.documents.wire import fraction, seconds
from trading.schema.contract import TRADER
from trading.schema.decision import Action, Decision, DecisionDetail
from trading.schema.message import MessageRecord, MessageRole
from trading.schema.published import Talk

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


def conversation_item(talk: Talk, *, is_withheld: bool) -> dict[str, Any]:
    """`is_withheld`: without prompts, reasoning and messages."""
    detail = talk.decision.entry.detail if talk.decision else DecisionDetail()
    at_ms = talked_at_ms(talk)
    prompt, reasoning = _prompt(talk, detail), _reasoning(talk, detail)
    summary = _cut(reasoning) if reasoning and not is_withheld else _actions(detail)
    return {
        "id": str(talk.decision.id) if talk.decision else talk.messages[0].conversation,
        TRADER: talk.trader_id,
        "timestamp": None if at_ms is None else seconds(at_ms),
        "inserted_at": None if at_ms is None else seconds(at_ms),
        "cycle": talk.decision.cycle_number if talk.decision else None,
        "summary": summary,
        "cot_trace_summary": summary,
        "user_prompt": None if is_withheld else prompt,
        "cot_trace": None if is_withheld else reasoning,
        "llm_response": {one.symbol: answer_object(one) for one in detail.decisions},
        "messages": [] if is_withheld else _messages(talk, detail),
    }


def talked_at_ms(talk: Talk) -> int | None:
    if talk.decision:
        return _ms(talk.decision.entry.decided_at)
    times = [message.sent_at for message in talk.messages if message.sent_at]
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


def _quantity(decision: Decision) -> Decimal | None:
    """Signed; of an entry whose size and price are known."""
    size, price, side = decision.position_size_usd, decision.entry_price, decision.action.side
    if not decision.action.opens or size is None or not price or side is None:
        return None
    return side.sign * (size / price).quantize(_QUANTITY)


def _prompt(talk: Talk, detail: DecisionDetail) -> str | None:
    sent = detail.prompt.user_text if detail.prompt else None
    return sent or _last(talk.messages, MessageRole.USER)


def _reasoning(talk: Talk, detail: DecisionDetail) -> str | None:
    """The model's own, else what it gave as the reason of each decision; its raw answer, mostly JSON, comes last."""
    answer = detail.answer
    if answer and answer.reasoning:
        return answer.reasoning
    said = "\n".join(one.reasoning for one in detail.decisions if one.reasoning)
    return said or (answer.text if answer else None) or detail.error or _last(talk.messages, MessageRole.ASSISTANT)


def _messages(talk: Talk, detail: DecisionDetail) -> list[dict[str, Any]]:
    if talk.messages:
        return [_message(one.role, one.content, one.sent_at) for one in talk.messages]
    prompt, answer = detail.prompt, detail.answer
    at = talk.decision.entry.decided_at if talk.decision else None
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


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SUMMARY_CHARACTERS else line[: SUMMARY_CHARACTERS - 1].rstrip() + "…"


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
