"""The values of the live store, one struct a key. docs/redis.md is made from these declarations.

`as_of` is declared first everywhere, so that it stands at a known place of the encoded value. Money, prices and
quantities are Decimal, digit for digit; ratios are floats. What is not known is None, and not stored.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import msgspec

from traders.schema import messages
from trading.schema.common import Side
from trading.schema.leaf import LARGEST

_SIDES = frozenset(Side)
US_PER_MS = 1000
US_PER_SECOND = 1_000_000


def _(unit: str, says: str) -> msgspec.Meta:
    return msgspec.Meta(description=says, extra={"unit": unit})


# Sixteen digits of microseconds: 2001 to 2286.
AsOf = Annotated[
    int,
    msgspec.Meta(
        ge=10**15, lt=10**16, description="when this was true, since 1970 in microseconds", extra={"unit": "us"}
    ),
]


class Value(msgspec.Struct, frozen=True, omit_defaults=True):
    """Base of every stored value."""

    as_of: AsOf


def _require_numbers(value: msgspec.Struct, *names: str) -> None:
    """JSON may hold "NaN" or 1e999999, which are no prices. Raises ValueError."""
    for name in names:
        number = getattr(value, name)
        if not number.is_finite() or abs(number) > LARGEST:
            limit = f"{LARGEST:,}"
            raise ValueError(messages._("%(name)s must be a number of at most %(most)s", name=name, most=limit))


class Price(Value, frozen=True, omit_defaults=True):
    price: Annotated[Decimal, _("USD", "the last price")]
    provider: Annotated[str | None, _("", "the provider of the price")] = None

    def __post_init__(self) -> None:
        _require_numbers(self, "price")


class MarketAsset(Value, frozen=True, omit_defaults=True):
    """A superset of what the old layout kept under the same name, so that its readers go on."""

    symbol: Annotated[str, _("", "")]
    is_active: Annotated[bool, _("", "whether it can be traded")]
    base: Annotated[str, _("", "base currency")] = ""
    quote: Annotated[str, _("", "quote currency")] = ""
    precision: Annotated[int | None, _("digits", "decimals of a quantity")] = None
    updated_at: Annotated[int | None, _("ms", "`as_of` for readers of the old layout")] = None
    metadata: Annotated[dict[str, Any] | None, _("", "what the exchange says besides (maxLeverage, onlyIsolated)")] = (
        None
    )


class MarketContext(Value, frozen=True, omit_defaults=True):
    price: Annotated[Decimal, _("USD", "")]
    change_1h: Annotated[float | None, _("fraction", "0.01 is one per cent")] = None
    change_4h: Annotated[float | None, _("fraction", "0.01 is one per cent")] = None
    funding_rate: Annotated[Decimal | None, _("fraction", "per funding interval")] = None
    open_interest: Annotated[Decimal | None, _("units", "latest")] = None
    open_interest_average: Annotated[Decimal | None, _("units", "")] = None
    ema: Annotated[dict[str, float] | None, _("USD", "by name: EMA20")] = None
    macd: Annotated[float | None, _("USD", "")] = None
    rsi: Annotated[dict[str, float] | None, _("0-100", "by name: RSI7")] = None


class LivePosition(msgspec.Struct, frozen=True, omit_defaults=True):
    side: Annotated[str, _("", "long or short")]
    quantity: Annotated[Decimal, _("units", "always positive")]
    entry_price: Annotated[Decimal, _("USD", "")]
    leverage: Annotated[Decimal | None, _("x", "")] = None
    confidence: Annotated[Decimal | None, _("0-100", "")] = None
    risk_usd: Annotated[Decimal | None, _("USD", "lost if the stop is hit")] = None
    opened_ms: Annotated[int | None, _("ms", "")] = None
    updated_ms: Annotated[int | None, _("ms", "last change of the position itself")] = None
    exchange: Annotated[str | None, _("", "")] = None

    def __post_init__(self) -> None:
        _require_numbers(self, "quantity", "entry_price")
        if self.side not in _SIDES:
            raise ValueError(messages._("side must be long or short, was %(side)s", side=repr(self.side)))


class Positions(Value, frozen=True, omit_defaults=True):
    """Empty: the trader holds nothing."""

    positions: Annotated[dict[str, LivePosition], _("", "by symbol, what is open")] = {}


class LiveTrade(msgspec.Struct, frozen=True, omit_defaults=True):
    symbol: Annotated[str, _("", "")]
    side: Annotated[str, _("", "long or short")]
    quantity: Annotated[Decimal, _("units", "always positive")]
    entry_price: Annotated[Decimal, _("USD", "average")]
    exit_price: Annotated[Decimal, _("USD", "average")]
    net_pnl_usd: Annotated[Decimal, _("USD", "")]
    closed_ms: Annotated[int, _("ms", "")]
    id: Annotated[str | None, _("", "of `trades`")] = None
    opened_ms: Annotated[int | None, _("ms", "")] = None
    leverage: Annotated[Decimal | None, _("x", "")] = None
    confidence: Annotated[Decimal | None, _("0-100", "")] = None
    position_size: Annotated[Decimal | None, _("units", "what the old layout calls so")] = None
    exchange: Annotated[str | None, _("", "")] = None


class RecentTrades(Value, frozen=True, omit_defaults=True):
    trades: Annotated[tuple[LiveTrade, ...], _("", "newest first, at most 100")] = ()


class Analytics(Value, frozen=True, omit_defaults=True):
    net_pnl_usd: Annotated[
        Decimal, _("USD", "realized: of closed trades and closed parts of positions, less all commission so far")
    ]
    trades: Annotated[int | None, _("", "closed trades")] = None
    wins: Annotated[int | None, _("", "trades with a net gain")] = None
    losses: Annotated[int | None, _("", "trades with a net loss")] = None
    win_rate_pct: Annotated[float | None, _("%", "wins / trades")] = None
    gross_pnl_usd: Annotated[Decimal | None, _("USD", "before commission")] = None
    fees_usd: Annotated[Decimal | None, _("USD", "commissions paid so far, those of what is held included")] = None
    funding_usd: Annotated[Decimal | None, _("USD", "positive when it was received")] = None
    return_pct: Annotated[float | None, _("%", "last equity over the first one")] = None
    sharpe: Annotated[float | None, _("", "of daily returns, times sqrt(365)")] = None
    max_drawdown_pct: Annotated[float | None, _("%", "deepest fall of the equity")] = None
    last_close_ms: Annotated[int | None, _("ms", "close of the last trade")] = None
    executed_share: Annotated[
        float | None, _("fraction", "of the last cycle's actions; the old layout calls it win_rate")
    ] = None
    last_actions: Annotated[int | None, _("", "in the last cycle; the old layout calls it total_trades")] = None


class SinceInception(Value, frozen=True, omit_defaults=True):
    net_pnl_usd: Annotated[Decimal, _("USD", "equity now less the first one; without equity, realized")]
    return_pct: Annotated[float | None, _("%", "the score of the leaderboard")] = None
    sharpe: Annotated[float | None, _("", "of daily returns, times sqrt(365)")] = None
    start_equity_usd: Annotated[Decimal | None, _("USD", "what the trader began with")] = None
    equity_usd: Annotated[Decimal | None, _("USD", "the last equity")] = None
    inception_ms: Annotated[int | None, _("ms", "of the first equity, else of the first close")] = None
    decisions: Annotated[int | None, _("", "calls of the model")] = None


class DecisionLast(Value, frozen=True, omit_defaults=True):
    decided_ms: Annotated[int, _("ms", "")]
    success: Annotated[bool, _("", "")]
    symbol: Annotated[str | None, _("", "of the first decision")] = None
    action: Annotated[str | None, _("", "open_long, open_short, close_long, close_short, hold or wait")] = None
    confidence: Annotated[Decimal | None, _("0-100", "")] = None
    error: Annotated[str | None, _("", "cut to 500 characters")] = None
    config_version: Annotated[int | None, _("", "None: before the first version")] = None
    id: Annotated[int | None, _("", "of `decision_journal`")] = None
    cycle: Annotated[int | None, _("", "")] = None


class Conversation(Value, frozen=True, omit_defaults=True):
    """An item of a list. `as_of` is that of the whole list."""

    conversation: Annotated[str, _("", "of `conversation_messages`")]
    messages: Annotated[int | None, _("", "how many")] = None
    sent_ms: Annotated[int | None, _("ms", "of the last message")] = None


class Leader(Value, frozen=True, omit_defaults=True):
    """A member of the leaderboard with its score. `return_pct` None: not eligible, and taken off the board."""

    return_pct: Annotated[float | None, _("%", "since inception")] = None
