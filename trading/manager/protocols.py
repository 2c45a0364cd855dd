"""What the manager needs of a model, a market and an exchange.

The parts below it implement these protocols. Each call may block; the manager limits the time of a decision itself.
Moments are aware datetimes. Prices, quantities and USD are Decimal; a quantity is positive and the side gives the
direction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from traders.schema.settings.trader import OrderStyle, TraderDetail
from trading.replay.rules.checks.moment import DecisionMoment
from trading.schema.common import Side


class DeciderFailed(Exception):
    """The model gave no answer: an error, a time-out, a full budget. The text goes into the journal, and `attempts`
    where the decider counted them."""

    def __init__(self, message: str, *, attempts: int | None = None) -> None:
        super().__init__(message)
        self.attempts = attempts


class MarketFailed(Exception):
    """The market provider gave no prices. The text goes into the journal."""


class ExchangeFailed(Exception):
    """It is not known whether the exchange took the order: look it up by its client order id."""


@dataclass(frozen=True, slots=True)
class DecisionRequest:
    """`system_text` and `user_text` are the rendered prompts. `model`: as the configuration names it, "" for the
    site's default. `moment` and `settings` are what the prompts were rendered from, for deciders that read no text."""

    trader_id: str
    cycle_number: int
    model: str
    system_text: str
    user_text: str
    timeout_seconds: float
    moment: DecisionMoment
    settings: TraderDetail


@dataclass(frozen=True, slots=True)
class DeciderAnswer:
    """`text` is the raw answer: one object, or a list of them, after decision_output.json. None: not known.

    `model` is the one that answered, `attempts` how often it was asked until it did."""

    text: str
    model: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_usd: Decimal | None = None
    latency_ms: int | None = None
    reasoning: str | None = None
    attempts: int = 1


class Decider(Protocol):
    def decide(self, request: DecisionRequest) -> DeciderAnswer:
        """Raises DeciderFailed."""


@dataclass(frozen=True, slots=True)
class SeenPrice:
    """The mark price of a symbol in USD, and the moment it was true."""

    symbol: str
    price: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class SymbolContext:
    """`open_interest` in units of the symbol; `funding_rate` of one funding interval, and changes, are fractions:
    0.01 is one per cent. None: not known."""

    symbol: str
    at: datetime
    open_interest: Decimal | None = None
    funding_rate: Decimal | None = None
    change_1h: Decimal | None = None
    change_4h: Decimal | None = None


class MarketSource(Protocol):
    """`now` is the moment that the manager asks for. Simulated and replayed markets answer as of it, others with what
    is newest; a symbol without an answer is left out. Each call raises MarketFailed."""

    def prices(self, symbols: Sequence[str], now: datetime) -> Mapping[str, SeenPrice]: ...

    def context(self, symbols: Sequence[str], now: datetime) -> Mapping[str, SymbolContext]: ...

    def symbols(self, now: datetime) -> Sequence[str]:
        """All symbols, the highest open interest (in USD) first."""


class OrderKind(StrEnum):
    ENTRY = "entry"
    EXIT = "exit"  # reduces or closes now
    STOP = "stop"  # rests until the price is at or beyond `trigger_price` on the losing side
    TARGET = "target"  # rests until the price is at or beyond `trigger_price` on the winning side

    @property
    def rests(self) -> bool:
        return self in (OrderKind.STOP, OrderKind.TARGET)


@dataclass(frozen=True, slots=True)
class OrderAsked:
    """`client_order_id`: 32 hex digits, the hash of trader, cycle, symbol and `action`, so the same for the same order.
    `side` is of the position. `limit_price`: of a limit_ioc order. `slippage_bps`: how far from the price a market_ioc
    order may fill. Every kind but an entry is reduce-only."""

    client_order_id: str
    trader_id: str
    cycle_number: int
    action: str
    symbol: str
    kind: OrderKind
    side: Side
    quantity: Decimal
    style: OrderStyle = OrderStyle.MARKET_IOC
    slippage_bps: Decimal = Decimal(50)
    leverage: Decimal = Decimal(1)
    limit_price: Decimal | None = None
    trigger_price: Decimal | None = None

    @property
    def buys(self) -> bool:
        return (self.side is Side.LONG) is (self.kind is OrderKind.ENTRY)


@dataclass(frozen=True, slots=True)
class OrderFilled:
    """`commission` in USD, positive when paid. `liquidated`: the exchange closed the position."""

    client_order_id: str
    price: Decimal
    quantity: Decimal
    commission: Decimal
    at: datetime
    liquidated: bool = False


class OrderState(StrEnum):
    RESTING = "resting"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class OrderStanding:
    """How an order stands at the exchange. `fill` if it was filled; `reason` if it was refused or cancelled."""

    asked: OrderAsked
    state: OrderState
    fill: OrderFilled | None = None
    reason: str = ""


class ExchangeClient(Protocol):
    def place(self, order: OrderAsked, price: SeenPrice, now: datetime) -> OrderStanding:
        """The same client order id again places nothing and returns how that order stands. Raises ExchangeFailed."""

    def cancel(self, trader_id: str, client_order_id: str, now: datetime) -> OrderStanding | None:
        """How it stands afterwards; a filled order stays filled. None: the exchange never had it."""

    def move(self, trader_id: str, client_order_id: str, trigger_price: Decimal) -> None:
        """Gives a resting order another trigger price."""

    def find(self, trader_id: str, client_order_id: str) -> OrderStanding | None:
        """None: the exchange never had it."""
