"""The account of a trader on its own exchange: equity, margin, and its positions at the prices of now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from trading.manager.protocols import SeenPrice
from trading.manager.rules.liquidation import margin_of
from trading.schema.decision import Account, HeldPosition
from trading.schema.position import PositionRecord

ZERO, HUNDRED = Decimal(0), Decimal(100)


@dataclass(frozen=True, slots=True)
class AccountNow:
    """In USD. `unrealized` and `equity` are None where a position has no price."""

    moved: Decimal
    realized: Decimal
    unrealized: Decimal | None
    used_margin: Decimal
    positions: int = 0

    @property
    def equity(self) -> Decimal | None:
        return None if self.unrealized is None else self.moved + self.realized + self.unrealized

    @property
    def available(self) -> Decimal | None:
        return None if self.equity is None else max(ZERO, self.equity - self.used_margin)

    def as_seen(self, positions: int, sharpe_ratio: Decimal | None) -> Account:
        used_pct = self.used_margin / self.equity * HUNDRED if self.equity else None
        return Account(
            equity_usd=self.equity,
            available_usd=self.available,
            used_margin_usd=self.used_margin,
            used_margin_pct=None if used_pct is None else round(used_pct, 4),
            positions=positions,
            sharpe_ratio=sharpe_ratio,
        )


def account_now(
    moved: Decimal, realized: Decimal, held: Sequence[PositionRecord], prices: Mapping[str, SeenPrice]
) -> AccountNow:
    gains = [unrealized_of(one, prices.get(one.symbol)) for one in held]
    known = [gain for gain in gains if gain is not None]
    margins = (_margin(one) for one in held)
    total = sum(known, ZERO) if len(known) == len(gains) else None
    return AccountNow(moved, realized, total, sum(margins, ZERO), len(held))


def unrealized_of(held: PositionRecord, price: SeenPrice | None) -> Decimal | None:
    if price is None:
        return None
    entry = held.detail.entry
    return held.side.sign * entry.quantity * (price.price - entry.price)


def as_held(held: PositionRecord, price: SeenPrice | None, liquidation: Decimal | None) -> HeldPosition:
    """A position as the model sees it."""
    entry = held.detail.entry
    return HeldPosition(
        symbol=held.symbol,
        side=held.side,
        quantity=entry.quantity,
        leverage=entry.leverage,
        entry_price=entry.price,
        mark_price=price.price if price else None,
        unrealized_pnl=unrealized_of(held, price),
        liquidation_price=liquidation,
    )


def _margin(held: PositionRecord) -> Decimal:
    entry = held.detail.entry
    return margin_of(entry.price, entry.quantity, entry.leverage or Decimal(1))
