"""The report of an engine on a trader: the JSONB `detail` of `trader_runtime_state`.

The database keeps `desired` beside it, and under a ban `pause` (migration 0017); they are no part of a report.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from traders.schema import jsonio
from traders.schema.messages import _
from traders.schema.moments import in_years
from traders.schema.settings.declare import Integer, Lines, Number


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(_("must be a moment that UTC has too")) from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
# A moment that the database accepts.
StoredMoment = Annotated[Moment, AfterValidator(in_years)]
# Every page of a trader shows it; a whole stack trace belongs in the engine's log.
LONGEST_TEXT = 2000

ANSWERED = "answered"
"""The leaf of a stored report that came through this site, whose answer says what is wanted. A program that writes the
row itself replaces the report, and the leaf with it."""

Said = Annotated[Lines, StringConstraints(max_length=LONGEST_TEXT)]


MOST_EXTRA_BYTES = 64 * 1024


def _small(extra: dict[str, Any]) -> dict[str, Any]:
    if len(jsonio.dumps(extra).encode()) > MOST_EXTRA_BYTES:
        raise ValueError(_("must not exceed %(most)s KB", most=MOST_EXTRA_BYTES // 1024))
    return extra


ReportExtra = Annotated[dict[str, Any], AfterValidator(_small)]
"""What an engine says beside the known fields, by its path."""


class RuntimePart(BaseModel):
    """Closed and immutable. A value that is not known is None and not stored."""

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
    extra: ReportExtra | None = None

    def stored(self) -> dict[str, Any]:
        """The value for the JSONB column; moments as RFC 3339."""
        return stored_json(self)


@dataclass(frozen=True, slots=True)
class TraderBeat:
    """A trader's heartbeat; None keeps the reported value."""

    trader_id: str
    active_config_version: int | None = None
    is_running: bool | None = None
    extra: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class RuntimeState:
    """A row of `trader_runtime_state`, with the trader's current configuration."""

    trader_id: str
    active_config_version: int | None
    is_running: bool
    detail: dict[str, Any]
    updated_at: datetime
    config_version: int
    retired: bool


@dataclass(frozen=True, slots=True)
class Cooldown:
    """A row of `trader_symbol_cooldowns`: no new entry in the symbol until its end."""

    trader_id: str
    symbol: str
    cooldown_until: datetime
    detail: dict[str, Any]


def as_reported(detail: Any) -> Any:
    """Of a stored detail what the engine said: without what the database keeps beside it, which is what is wanted, the
    pause of a ban, and what a person set."""
    if not isinstance(detail, dict):
        return detail
    kept = {name: value for name, value in detail.items() if name not in ("desired", "person", ANSWERED)}
    pause = kept.get("pause")
    if isinstance(pause, dict) and "control_id" in pause:
        del kept["pause"]
    return kept


def stored_json(part: RuntimePart) -> dict[str, Any]:
    found: dict[str, Any] = _as_json(part.model_dump(exclude_none=True))
    return found


def _as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_json(item) for key, item in value.items()}
    return value.isoformat() if isinstance(value, datetime) else value
