"""What the analytics read: closed trades, decisions and equity as flat rows, wherever they come from."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class TradeFact:
    """A closed trade. `quantity` is positive, times are milliseconds since 1970, P&L is in USD as it was reported:
    in real records `net` is not always `gross` less `commission`. `confidence` is 0-100."""

    id: str
    trader_id: str
    symbol: str
    side: str
    open_ts_ms: int
    close_ts_ms: int
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    gross: Decimal
    commission: Decimal
    net: Decimal
    entry_commission: Decimal | None = None
    exit_commission: Decimal | None = None
    leverage: Decimal | None = None
    confidence: Decimal | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    entry_version: int | None = None
    exit_version: int | None = None
    prompt_sha256: str | None = None
    funding: Decimal | None = None
    is_funding_unknown: bool = False
    model: str | None = None

    @property
    def is_long(self) -> bool:
        return self.side == "long"

    @property
    def holding_ms(self) -> int:
        return self.close_ts_ms - self.open_ts_ms

    @property
    def straddles_versions(self) -> bool:
        return self.entry_version != self.exit_version


@dataclass(frozen=True, slots=True)
class SignalFact:
    """What a decision said about one symbol: `action` is open_long, open_short, close_long, close_short, hold or
    wait; `confidence` is 0-100."""

    decision_id: int
    trader_id: str
    decided_at_ms: int
    symbol: str
    action: str
    confidence: Decimal | None = None
    leverage: Decimal | None = None
    entry_price: Decimal | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    position_size_usd: Decimal | None = None
    config_version: int | None = None
    prompt_sha256: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class DecisionFact:
    """One call of the model."""

    id: int
    trader_id: str
    decided_at_ms: int
    success: bool
    config_version: int | None = None


@dataclass(frozen=True, slots=True)
class EquityPoint:
    """Equity in USD at a moment; `source` names the series (engine, imported, derived). `realized` and `unrealized` are
    what of it was earned, `available` is what no position held as margin; None where that is not known."""

    trader_id: str
    ts_ms: int
    equity: Decimal
    source: str = "engine"
    realized: Decimal | None = None
    unrealized: Decimal | None = None
    available: Decimal | None = None


@dataclass(frozen=True, slots=True)
class SetAsideCounts:
    """Rows that count nowhere because an operator set them aside."""

    trades: int = 0
    positions: int = 0
    decisions: int = 0
    equity: int = 0

    def __add__(self, other: SetAsideCounts) -> SetAsideCounts:
        return SetAsideCounts(
            self.trades + other.trades,
            self.positions + other.positions,
            self.decisions + other.decisions,
            self.equity + other.equity,
        )

    def __bool__(self) -> bool:
        return self != SetAsideCounts()


class TransferKind(StrEnum):
    """INTERNAL: between two traders, two rows with one id; or between a trader and the capital that no trader has,
    where a version changes its allocation, one row. CORRECTION: what the account's money was wrong by."""

    INITIAL = "initial"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    INTERNAL = "internal"
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True)
class Transfer:
    """A row of `equity_transfers`. `amount` in USD is positive into the account, negative out of it."""

    transfer_id: str
    trader_id: str
    ts_ms: int
    amount: Decimal
    kind: TransferKind
    reason: str
    actor: str


@dataclass(frozen=True, slots=True)
class Flow:
    """A transfer as returns see it. `is_start`: the money that the trader began with."""

    trader_id: str
    ts_ms: int
    amount: Decimal
    is_start: bool = False
