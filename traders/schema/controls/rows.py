"""Controls: the rows of `trader_controls`, by which an operator, a guard or a program acts on a trader or the fleet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

OPERATOR = "operator"
GUARD_PREFIX = "guard:"
CAUSE_FORM = r"^(operator|guard:[a-z][a-z0-9_]{0,62})$"
"""The source of a pause: people, or a guard by its name."""

CLOSE_EXPIRES = timedelta(minutes=10)
"""An engine that reads a close later than this ignores it, because the market has moved."""


class ControlKind(StrEnum):
    START = "start"
    STOP = "stop"
    DRAIN = "drain"
    PAUSE = "pause"
    RESUME = "resume"
    CLOSE = "close"
    PIN = "pin"
    UNPIN = "unpin"
    COOLDOWN = "cooldown"
    CLEAR_COOLDOWN = "clear_cooldown"
    RELEASE = "release"


RUN_KINDS = frozenset({ControlKind.START, ControlKind.STOP, ControlKind.DRAIN})
PIN_KINDS = frozenset({ControlKind.PIN, ControlKind.UNPIN})
FLEET_KINDS = frozenset({ControlKind.STOP, ControlKind.RELEASE})
TRADER_KINDS = frozenset(ControlKind) - {ControlKind.RELEASE}
STOPPING_KINDS = frozenset({ControlKind.STOP, ControlKind.DRAIN, ControlKind.PAUSE})
"""Controls that only reduce risk: one click, a reason that is filled in, and the scope `stop`."""


class AckResult(StrEnum):
    DONE = "done"
    PARTIAL = "partial"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class NewControl:
    """A control to be written. `trader_id` None: the fleet. `once`: a second row of the same trader with this text is
    not written."""

    kind: ControlKind
    trader_id: str | None
    reason: str
    actor: str
    until: datetime | None = None
    version: int | None = None
    symbol: str | None = None
    cause: str | None = None
    once: str | None = None
    account_id: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Control:
    """A row of `trader_controls`. Its id and `at` rise in the order of the rows."""

    id: int
    kind: ControlKind
    trader_id: str | None
    reason: str
    actor: str
    at: datetime
    until: datetime | None = None
    version: int | None = None
    symbol: str | None = None
    cause: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    def holds(self, moment: datetime) -> bool:
        """Whether it ends after `moment` or has no end."""
        return self.until is None or self.until > moment
