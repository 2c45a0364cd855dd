"""Round trips from entry to exit. Trades, positions, decisions and equity are derived from them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from demo.sample.prices import Market
from trading.schema.common import Side

Cause = Literal["decision", "stop", "target"]


@dataclass(frozen=True, slots=True)
class SampleFill:
    """A part of an entry or of an exit."""

    id: int
    ts_ms: int
    price: Decimal
    quantity: Decimal
    commission: Decimal
    is_crossed: bool


@dataclass(frozen=True, slots=True)
class Exit:
    ts_ns: int
    price: Decimal
    order_id: int
    version: int
    cause: Cause
    fills: tuple[SampleFill, ...]

    @property
    def ts_ms(self) -> int:
        return self.ts_ns // 1_000_000


@dataclass(frozen=True, slots=True)
class Trip:
    """`exit` is None while the position is open. `decided_ms` is when its entry was decided, `left_ms` its exit;
    None where a stop or target took the decision's place."""

    market: Market
    side: Side
    decided_ms: int
    left_ms: int | None
    price: Decimal
    quantity: Decimal
    leverage: int
    confidence: int
    stop: Decimal
    target: Decimal
    order_id: int
    stop_order_id: int
    target_order_id: int
    version: int
    fills: tuple[SampleFill, ...]
    exit: Exit | None

    @property
    def symbol(self) -> str:
        return self.market.symbol

    @property
    def entry_ms(self) -> int:
        return self.fills[0].ts_ms

    @property
    def notional(self) -> Decimal:
        return self.price * self.quantity

    @property
    def gross(self) -> Decimal:
        assert self.exit is not None
        return (self.exit.price - self.price) * self.quantity * self.side.sign

    @property
    def entry_commission(self) -> Decimal:
        return sum((fill.commission for fill in self.fills), Decimal(0))

    @property
    def commission(self) -> Decimal:
        leaving = self.exit.fills if self.exit else ()
        return self.entry_commission + sum((fill.commission for fill in leaving), Decimal(0))

    @property
    def net(self) -> Decimal:
        return self.gross - self.commission

    @property
    def risk_usd(self) -> Decimal:
        return abs(self.price - self.stop) * self.quantity

    def unrealized(self, price: Decimal) -> Decimal:
        return (price - self.price) * self.quantity * self.side.sign
