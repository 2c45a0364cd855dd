"""When an exchange closes a position because its margin is used up: isolated margin, on the mark price.

A position holds its own margin, entry x quantity / leverage, and no more. It is liquidated at the price at which what
is left of that margin is the maintenance margin. The exchange keeps the rest as its fee, so the whole margin is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from trading.schema.common import Side

ONE = Decimal(1)
MARGIN_MODE = "isolated"
"""What a position of the paper exchange says of its margin."""


@dataclass(frozen=True, slots=True)
class LiquidationPnl:
    """In USD. `commission` holds the entry's and the exchange's fee, which is what the margin had left."""

    gross: Decimal
    commission: Decimal
    net: Decimal


def liquidation_price(side: Side, entry: Decimal, leverage: Decimal, maintenance_rate: Decimal) -> Decimal | None:
    """The mark price of the liquidation: long entry x (1 - 1 / L) / (1 - m), short entry x (1 + 1 / L) / (1 + m).

    `maintenance_rate` m is a fraction of the notional, 0.005 is half a per cent. None where no price liquidates the
    position: a long one without leverage. A leverage so high that the margin is below the maintenance margin gives a
    price on the winning side of the entry: such a position is liquidated at once.
    """
    margin_share = ONE / leverage
    if side is Side.SHORT:
        return entry * (ONE + margin_share) / (ONE + maintenance_rate)
    if margin_share >= ONE or maintenance_rate >= ONE:
        return None
    return entry * (ONE - margin_share) / (ONE - maintenance_rate)


def is_liquidated(side: Side, mark: Decimal, price: Decimal | None) -> bool:
    """Whether the mark is at the liquidation price or beyond it."""
    return price is not None and side.sign * (mark - price) <= 0


def margin_of(entry: Decimal, quantity: Decimal, leverage: Decimal) -> Decimal:
    """The isolated margin of a position, in USD."""
    return entry * quantity / leverage


def liquidated_pnl(
    side: Side,
    *,
    entry: Decimal,
    quantity: Decimal,
    leverage: Decimal,
    price: Decimal,
    entry_commission: Decimal,
    funding: Decimal,
) -> LiquidationPnl:
    """What a liquidation at `price` makes of the position: net = -margin - entry commission + funding."""
    margin = margin_of(entry, quantity, leverage)
    gross = side.sign * (price - entry) * quantity
    return LiquidationPnl(
        gross=gross, commission=entry_commission + margin + gross, net=funding - margin - entry_commission
    )
