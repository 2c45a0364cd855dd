"""How the paper exchange fills orders: one price, no order book, nothing rests but stops and targets.

An order fills whole at the price of now made worse by the slippage, or not at all. The same order at the same price
fills the same way: nothing here is random.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum

from traders.schema.messages import TranslatableText, _
from traders.schema.settings.trader import OrderStyle
from trading.manager.rules.liquidation import is_liquidated
from trading.replay.rules.checks.moment import number
from trading.schema.common import Side

BPS = Decimal(10_000)
PERCENT = Decimal(100)
NOTHING = Decimal(0)
# Of a symbol whose lot nobody has named: the finest step that exchanges use.
SMALLEST_LOT = Decimal("1e-8")


@dataclass(frozen=True, slots=True)
class PaperTerms:
    """What a trader's settings say of paper orders. `slippage_bps`: how much worse than the price an order fills;
    `commission_bps` of the notional; `maintenance_rate`: a fraction of the notional."""

    slippage_bps: Decimal
    commission_bps: Decimal
    maintenance_rate: Decimal


@dataclass(frozen=True, slots=True)
class PaperFill:
    """`price` in USD, `quantity` above 0, `commission` in USD, positive when paid."""

    price: Decimal
    quantity: Decimal
    commission: Decimal


@dataclass(frozen=True, slots=True)
class PaperRefusal:
    """Why an order did not fill. It leaves nothing behind."""

    message: TranslatableText


def quantity_for(size_usd: Decimal, price: Decimal, lot: Decimal = SMALLEST_LOT) -> Decimal:
    """The units that `size_usd` buys at `price`, rounded down to the lot."""
    return rounded_to_lot(size_usd / price, lot) if price > 0 else NOTHING


def rounded_to_lot(quantity: Decimal, lot: Decimal = SMALLEST_LOT) -> Decimal:
    """Down, never up: an order is no larger than what was asked for."""
    return (quantity / lot).to_integral_value(ROUND_FLOOR) * lot


def commission_of(price: Decimal, quantity: Decimal, commission_bps: Decimal) -> Decimal:
    return price * quantity * commission_bps / BPS


def filled(
    *,
    buys: bool,
    style: OrderStyle,
    quantity: Decimal,
    price: Decimal,
    slippage_bps: Decimal,
    limit_price: Decimal | None,
    terms: PaperTerms,
    lot: Decimal = SMALLEST_LOT,
) -> PaperFill | PaperRefusal:
    """The fill of an order that is executed now or never, at `price`, the market's price of now.

    A buy fills at price x (1 + the paper slippage), a sell at price x (1 - it). It does not fill if that is further
    from the price than the order's own `slippage_bps`. A limit_ioc order does not fill at a worse price than
    `limit_price` either, which for an entry is the price that the decision named; an exit without one fills like a
    market_ioc order.
    """
    whole = rounded_to_lot(quantity, lot)
    if price <= 0:
        return PaperRefusal(_("the price must be above 0, was %(price)s", price=number(price)))
    if whole <= 0:
        return PaperRefusal(_("%(quantity)s is less than the lot of %(lot)s", quantity=f"{quantity:f}", lot=f"{lot:f}"))
    if terms.slippage_bps > slippage_bps:
        return PaperRefusal(
            _(
                "the slippage of %(slippage)s bps is more than the order's %(limit)s bps",
                slippage=number(terms.slippage_bps),
                limit=number(slippage_bps),
            )
        )
    sign = 1 if buys else -1
    at = price * (BPS + sign * terms.slippage_bps) / BPS
    if style == OrderStyle.LIMIT_IOC and limit_price is not None and sign * (at - limit_price) > 0:
        return PaperRefusal(
            _("%(price)s is worse than the limit of %(limit)s", price=number(at), limit=number(limit_price))
        )
    if at <= 0:
        return PaperRefusal(_("the slippage of %(slippage)s bps leaves no price", slippage=number(terms.slippage_bps)))
    return PaperFill(at, whole, commission_of(at, whole, terms.commission_bps))


class ExitCause(StrEnum):
    STOP = "stop"
    TARGET = "target"
    LIQUIDATION = "liquidation"


@dataclass(frozen=True, slots=True)
class PriceGap:
    """What was seen of a symbol since the last look. `last` is the price of now; `low` and `high` are the extremes on
    the way to it, where the market tells them."""

    last: Decimal
    low: Decimal | None = None
    high: Decimal | None = None

    @property
    def lowest(self) -> Decimal:
        return self.last if self.low is None else min(self.low, self.last)

    @property
    def highest(self) -> Decimal:
        return self.last if self.high is None else max(self.high, self.last)


@dataclass(frozen=True, slots=True)
class ExitPrice:
    cause: ExitCause
    price: Decimal


def triggered(
    side: Side, gap: PriceGap, *, stop: Decimal | None, target: Decimal | None, liquidation: Decimal | None = None
) -> ExitPrice | None:
    """The exit that the gap brings about, None if none.

    The stop fills at the first price at or beyond it: at the worse of the stop and the price seen. The target fills at
    its own price. If both lie in the gap, the stop fills. Where the stop would fill at the liquidation price or beyond
    it, or where there is no stop, the position is liquidated, at the liquidation price. Do not call it with a stale
    price (`is_stale`): that triggers nothing.
    """
    losing, winning = (gap.lowest, gap.highest) if side is Side.LONG else (gap.highest, gap.lowest)
    stopped_at = None
    if stop is not None and _is_lost(side, losing, stop):
        stopped_at = gap.last if _is_lost(side, gap.last, stop) else stop
    if liquidation is not None and is_liquidated(side, losing if stopped_at is None else stopped_at, liquidation):
        return ExitPrice(ExitCause.LIQUIDATION, liquidation)
    if stopped_at is not None:
        return ExitPrice(ExitCause.STOP, stopped_at)
    if target is not None and side.sign * (winning - target) >= 0:
        return ExitPrice(ExitCause.TARGET, target)
    return None


def is_stale(seen_at: datetime, now: datetime, most: timedelta) -> bool:
    """Whether a price is too old to trigger anything."""
    return now - seen_at > most


def trailed_stop(side: Side, stop: Decimal | None, gap: PriceGap, trailing_pct: Decimal) -> Decimal | None:
    """The stop after the price moved: `trailing_pct` behind the best price of the gap, never further from the price
    than it was. The same value where it did not move."""
    best = gap.highest if side is Side.LONG else gap.lowest
    moved = best * (PERCENT - side.sign * trailing_pct) / PERCENT
    if stop is None:
        return moved
    return max(stop, moved) if side is Side.LONG else min(stop, moved)


FUNDING_INTERVAL = timedelta(hours=1)
"""Of a market whose settings name no other."""


@dataclass(frozen=True, slots=True)
class FundingPayment:
    """`usd` is positive when it is received. `is_known` False: the market named no rate, so nothing was paid."""

    at: datetime
    usd: Decimal
    is_known: bool = True


def funding_payment(side: Side, quantity: Decimal, mark: Decimal, rate: Decimal | None, at: datetime) -> FundingPayment:
    """-s x quantity x mark x rate: a long position pays a positive rate. `rate` is of one funding interval."""
    if rate is None:
        return FundingPayment(at, NOTHING, is_known=False)
    return FundingPayment(at, -side.sign * quantity * mark * rate)


def funding_moments(after: datetime, until: datetime, interval: timedelta = FUNDING_INTERVAL) -> Iterator[datetime]:
    """The moments at which funding is due, later than `after` and up to `until`: whole multiples of the interval since
    midnight UTC of 1970, so every hour on the hour, or 00:00, 08:00 and 16:00 UTC."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    count = (after - epoch) // interval + 1
    while (moment := epoch + count * interval) <= until:
        yield moment
        count += 1


def _is_lost(side: Side, price: Decimal, stop: Decimal) -> bool:
    """At the stop or beyond it."""
    return side.sign * (price - stop) <= 0
