"""The conversation of a decision that led to an action."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from demo.sample.thoughts.decisions import SampleDecision


@dataclass(frozen=True, slots=True)
class SampleMessage:
    conversation: str
    sequence: int
    role: str
    content: str
    sent_at: datetime


def messages_of(decision: SampleDecision) -> Iterator[SampleMessage]:
    """A question and an answer; empty without an action."""
    detail = decision.entry.detail
    if not decision.acted or not (detail.prompt and detail.answer and detail.usage):
        return
    asked = decision.entry.decided_at
    answered = asked + timedelta(milliseconds=detail.usage.latency_ms or 0)
    conversation = f"cycle-{decision.cycle}"
    yield SampleMessage(conversation, 1, "user", detail.prompt.user_text or "", asked)
    yield SampleMessage(conversation, 2, "assistant", detail.answer.text or "", answered)
