"""The unrealized P&L of traders at current prices."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from decimal import Decimal

from trading.analytics.stats import exact_sum
from trading.analytics.today.exposure import Exposure, MarkedPosition, exposures
from trading.live import queries as projection
from trading.live.keys import PRICE
from trading.live.redis import store
from trading.record.stored.second_sides import second_sides
from trading.record.stored.symbols import underlyings_of
from trading.schema.common import Side
from trading.schema.live_store.answers import FreshValue
from trading.schema.live_store.quotes import PriceBook, Providers
from trading.schema.live_store.values import LivePosition


@dataclass(frozen=True, slots=True)
class Unrealized:
    """`gains` are in USD, before commission, by symbol, for positions with a fresh price; `held` counts all
    positions."""

    gains: dict[str, Decimal]
    held: int

    @property
    def total(self) -> Decimal | None:
        """None where a position has no fresh price."""
        return sum(self.gains.values(), Decimal(0)) if len(self.gains) == self.held else None


@dataclass(frozen=True, slots=True)
class MarkedHolding:
    """An open position, or the second side of a hedge. `price` in USD is its mark, without a fresh one (`is_marked`
    False) its entry price, None where that is not known either."""

    trader_id: str
    symbol: str
    underlying: str
    side: Side
    quantity: Decimal
    price: Decimal | None
    is_marked: bool
    is_second: bool = False

    @property
    def notional(self) -> Decimal | None:
        """In USD, a short one below 0."""
        return None if self.price is None else self.side.sign * self.quantity * self.price


@dataclass(frozen=True, slots=True)
class SymbolExposure:
    """What is held in one symbol on one side, by so many traders. `notional` in USD, never below 0; of the `marked` of
    `held` positions the price is fresh."""

    symbol: str
    underlying: str
    side: Side
    quantity: Decimal
    notional: Decimal
    traders: int
    marked: int
    held: int

    @property
    def is_whole(self) -> bool:
        return self.marked == self.held


def held_now(trader_ids: Collection[str]) -> list[MarkedHolding]:
    """What these traders hold, valued."""
    holdings, prices, owners = _held_and_prices(trader_ids)
    others = second_sides(trader_ids)
    symbols = {symbol for positions in holdings.values() for symbol in positions} | {one.symbol for one in others}
    underlyings, found = underlyings_of(symbols), list[MarkedHolding]()
    for name, positions in holdings.items():
        for symbol, one in positions.items():
            mark = prices.mark(symbol, one.exchange, owners.get(name))
            price, is_marked = (mark.price, True) if mark else (one.entry_price, False)
            found.append(
                MarkedHolding(name, symbol, underlyings[symbol], Side(one.side), one.quantity, price, is_marked)
            )
    for other in others:
        mark = prices.mark(other.symbol, None, owners.get(other.trader_id))
        found.append(
            MarkedHolding(
                other.trader_id,
                other.symbol,
                underlyings[other.symbol],
                other.side,
                other.quantity,
                mark.price if mark else other.price,
                is_marked=mark is not None,
                is_second=True,
            )
        )
    return found


def exposures_of(held: Collection[MarkedHolding], more: Collection[MarkedPosition] = ()) -> list[Exposure]:
    """Exposures by underlying, the largest first. A position without a fresh price counts, and not as marked."""
    unmarked = Counter(one.underlying for one in held if not one.is_marked)
    marked = [MarkedPosition(one.underlying, one.side, one.quantity, one.price) for one in held]
    return [replace(one, marked=one.held - unmarked[one.underlying]) for one in exposures([*more, *marked])]


def exposures_by_symbol(held: Collection[MarkedHolding]) -> list[SymbolExposure]:
    """By symbol and side, the largest first."""
    groups: dict[tuple[str, Side], list[MarkedHolding]] = defaultdict(list)
    for one in held:
        groups[one.symbol, one.side].append(one)
    found = [
        SymbolExposure(
            symbol=symbol,
            underlying=own[0].underlying,
            side=side,
            quantity=exact_sum(one.quantity for one in own),
            notional=exact_sum(abs(amount) for one in own if (amount := one.notional) is not None),
            traders=len({one.trader_id for one in own}),
            marked=sum(one.is_marked for one in own),
            held=len(own),
        )
        for (symbol, side), own in groups.items()
    ]
    return sorted(found, key=lambda one: (-one.notional, one.symbol, one.side))


def exposures_now(
    trader_ids: Collection[str],
    *,
    gone: Collection[tuple[str, str]] = (),
    more: Collection[MarkedPosition] = (),
) -> list[Exposure]:
    """Exposures by underlying, the largest first. A position without a fresh price is worth its entry price, and is not
    counted as marked. Second sides of hedges, which are in no position, count with what the exchange said of them.

    What is filled and not yet recorded: positions that are `gone`, as (trader, symbol), and `more` of them."""
    # A second side is no position: it is never gone.
    return exposures_of(
        [one for one in held_now(trader_ids) if one.is_second or (one.trader_id, one.symbol) not in gone], more
    )


def unrealized_now(trader_ids: Collection[str]) -> dict[str, Unrealized]:
    """The unrealized P&L of traders with open positions."""
    holdings, prices, owners = _held_and_prices(trader_ids)
    found = {}
    for name, positions in holdings.items():
        gains = {
            symbol: Side(held.side).sign * held.quantity * (mark.price - held.entry_price)
            for symbol, held in positions.items()
            if (mark := prices.mark(symbol, held.exchange, owners.get(name)))
        }
        found[name] = Unrealized(gains, len(positions))
    return found


def _held_and_prices(
    trader_ids: Collection[str],
) -> tuple[dict[str, dict[str, LivePosition]], PriceBook, dict[str, Providers]]:
    """The open positions, the fresh prices, and the provider that values each position."""
    holdings = {name: found for name, found in projection.holdings(trader_ids).items() if found}
    if not holdings:
        return {}, PriceBook({}, ()), {}
    owners, providers = projection.valuers(holdings)
    answers = store.read_all(PRICE) or {}
    fresh = {name: answer.value for name, answer in answers.items() if isinstance(answer, FreshValue)}
    return holdings, PriceBook(fresh, providers), owners
