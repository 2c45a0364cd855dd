"""What the public documents are built from beside trades, positions and decisions."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from trading.schema.decision import RecordedDecision
from trading.schema.message import MessageRecord


@dataclass(frozen=True, slots=True)
class Standing:
    """A trader since its beginning. `won` and `lost` are the sums of net gains and net losses (0 or less) in USD;
    `invocations` counts the calls of its model; `equity` and `start_equity` are None where they are not known."""

    trader_id: str
    is_retired: bool = False
    trades: int = 0
    wins: int = 0
    losses: int = 0
    won: Decimal = Decimal(0)
    lost: Decimal = Decimal(0)
    invocations: int = 0
    start_equity: Decimal | None = None
    equity: Decimal | None = None
    inception_ms: int | None = None
    sharpe: float | None = None
    # With transfers the return is time-weighted, and not told by the two equities.
    has_transfers: bool = False
    weighted_return_pct: Decimal | None = None

    @property
    def return_pct(self) -> Decimal | None:
        if self.has_transfers:
            return self.weighted_return_pct
        if self.equity is None or not self.start_equity or self.start_equity < 0:
            return None
        return 100 * (self.equity - self.start_equity) / self.start_equity


@dataclass(frozen=True, slots=True)
class AccountPoint:
    """A trader's account at a moment. The realized part of its equity is None where it is not known."""

    trader_id: str
    ts_ms: int
    equity: Decimal
    realized: Decimal | None = None
    unrealized: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PricePoint:
    """What a symbol cost at a moment, in USD."""

    ts_ms: int
    price: Decimal


@dataclass(frozen=True, slots=True)
class Talk:
    """A decision with the messages that belong to it, or messages that belong to none; one of both is there."""

    trader_id: str
    decision: RecordedDecision | None
    messages: tuple[MessageRecord, ...] = field(default=())
