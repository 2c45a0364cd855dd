"""What an engine reports of a running trader: the JSONB `detail` of `trader_runtime_state`.

`desired` beside it is the operator's, and no part of a report.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints

from traders.schema.declare import Lines, Number
from traders.schema.secrets import find_secret


def _no_secret(text: str) -> str:
    if kind := find_secret(text):
        raise ValueError(f"looks like it holds {kind}")
    return text


# Every page of a trader shows it; a whole stack trace belongs into the engine's log.
LONGEST_TEXT = 2000

Said = Annotated[Lines, StringConstraints(max_length=LONGEST_TEXT), AfterValidator(_no_secret)]


class Part(BaseModel):
    """Closed and immutable. What is not known is None, and not stored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Cycle(Part):
    last_at: AwareDatetime | None = None
    next_at: AwareDatetime | None = None


class Pause(Part):
    until: AwareDatetime | None = None
    reason: Said | None = None


class Capital(Part):
    equity_usd: Number | None = None
    used_margin_usd: Number | None = None
    available_margin_usd: Number | None = None


class Performance(Part):
    sharpe_ratio: Number | None = None
    total_pnl_usd: Number | None = None


class LastError(Part):
    message: Said
    at: AwareDatetime | None = None


class ReportDetail(Part):
    decision: Cycle | None = None
    pause: Pause | None = None
    allocation: Capital | None = None
    performance: Performance | None = None
    last_error: LastError | None = None

    def stored(self) -> dict[str, Any]:
        """As JSONB holds it, moments as RFC 3339."""
        stored: dict[str, Any] = _as_json(self.model_dump(exclude_none=True))
        return stored


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


def _as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_json(item) for key, item in value.items()}
    return value.isoformat() if isinstance(value, datetime) else value
