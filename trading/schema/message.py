"""A message between an engine and a model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class MessageRole(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class DecisionMessage:
    """A message beside the decision that it led to."""

    role: MessageRole
    content: str
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """A row of `conversation_messages`; `sequence` counts from 0 within the conversation."""

    trader_id: str
    conversation: str
    sequence: int
    role: MessageRole
    content: str
    sent_at: datetime | None
