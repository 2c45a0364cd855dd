"""What an engine reports of a running trader: the JSONB `detail` of `trader_runtime_state`.

`desired` beside it is the operator's, and no part of a report.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from traders.schema.messages import _
from traders.schema.moments import in_years
from traders.schema.settings.declare import Integer, Lines, Number


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(_("must be a moment that UTC has too")) from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
# What the database takes.
StoredMoment = Annotated[Moment, AfterValidator(in_years)]
# Every page of a trader shows it; a whole stack trace belongs into the engine's log.
LONGEST_TEXT = 2000

Said = Annotated[Lines, StringConstraints(max_length=LONGEST_TEXT)]


class RuntimePart(BaseModel):
    """Closed and immutable. What is not known is None, and not stored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ReportedCycle(RuntimePart):
    last_at: StoredMoment | None = None
    next_at: StoredMoment | None = None


class Pause(RuntimePart):
    until: StoredMoment | None = None
    reason: Said | None = None


class Capital(RuntimePart):
    equity_usd: Number | None = None
    used_margin_usd: Number | None = None
    available_margin_usd: Number | None = None


class ReportedPerformance(RuntimePart):
    sharpe_ratio: Number | None = None
    total_pnl_usd: Number | None = None


class LastError(RuntimePart):
    message: Said
    at: StoredMoment | None = None


class CooldownDetail(RuntimePart):
    """The JSONB `detail` of `trader_symbol_cooldowns`."""

    reason: Said | None = None
    consecutive_losses: Annotated[Integer, Field(ge=0)] | None = None
    last_loss_pnl: Number | None = None
    triggered_at: StoredMoment | None = None
    last_position_closed: StoredMoment | None = None

    def stored(self) -> dict[str, Any]:
        """As `ReportDetail.stored`."""
        return stored_json(self)


class ReportDetail(RuntimePart):
    decision: ReportedCycle | None = None
    pause: Pause | None = None
    allocation: Capital | None = None
    performance: ReportedPerformance | None = None
    last_error: LastError | None = None

    def stored(self) -> dict[str, Any]:
        """As JSONB holds it, moments as RFC 3339."""
        return stored_json(self)


@dataclass(frozen=True, slots=True)
class TraderBeat:
    """A trader's heartbeat; None leaves what was reported."""

    trader_id: str
    active_config_version: int | None = None
    is_running: bool | None = None


@dataclass(frozen=True, slots=True)
class RuntimeState:
    """A row of `trader_runtime_state` beside what the trader's configuration is now."""

    trader_id: str
    active_config_version: int | None
    is_running: bool
    detail: dict[str, Any]
    updated_at: datetime
    config_version: int
    retired: bool


@dataclass(frozen=True, slots=True)
class Cooldown:
    """A row of `trader_symbol_cooldowns`: no new entry in the symbol until then."""

    trader_id: str
    symbol: str
    cooldown_until: datetime
    detail: dict[str, Any]


def stored_json(part: RuntimePart) -> dict[str, Any]:
    found: dict[str, Any] = _as_json(part.model_dump(exclude_none=True))
    return found


def _as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_json(item) for key, item in value.items()}
    return value.isoformat() if isinstance(value, datetime) else value
