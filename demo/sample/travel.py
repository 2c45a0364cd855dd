"""Makes the round trips of one trader: chooses sides with the version's skill, then follows the prices to the exit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random

from demo.sample.pace import Pace, shares, slots
from demo.sample.plan import MS_PER_DAY
from demo.sample.prices import Market, PricePath, to_price
from demo.sample.styles import Persona
from demo.sample.trips import Cause, Exit, SampleFill, Trip
from demo.sample.versions import SampleVersion
from trading.record.rules.attribution import Timeline
from trading.schema.common import NANOSECONDS_PER_MS, Side

ENTRY_AFTER_MS, EXIT_AFTER_MS = 5_000, 2_000
TAKER, MAKER = Decimal("0.00045"), Decimal("0.00015")
STAYS_OPEN, IN_TWO_FILLS = 0.5, 0.3
NEAREST_STOP = 0.004
_ENTRY, _TARGET, _STOP, _EXIT = range(4)
_CENTS = Decimal("0.000001")


@dataclass(frozen=True)
class TradedSymbol:
    """Where one trader trades one symbol."""

    rng: Random
    path: PricePath
    column: int
    versions: Sequence[SampleVersion]
    timeline: Timeline
    pace: Pace

    @property
    def market(self) -> Market:
        return self.path.market

    def version(self, ts_ms: int) -> SampleVersion:
        return self.versions[(self.timeline.version_at(ts_ms) or 1) - 1]


def timeline_of(versions: Sequence[SampleVersion]) -> Timeline:
    return Timeline(tuple(round(version.at.timestamp() * 1_000_000) for version in versions))


def trips_of(
    persona: Persona,
    seed: int,
    trades: int,
    versions: Sequence[SampleVersion],
    paths: Mapping[str, PricePath],
    pace: Pace,
) -> list[Trip]:
    """`trades` closed trips and a few open ones, in order of entry."""
    timeline, made = timeline_of(versions), []
    for column, (market, count) in enumerate(zip(persona.markets, shares(trades), strict=True)):
        rng = Random(f"{seed}:{persona.id}:{market.symbol}")
        traded = TradedSymbol(rng, paths[market.symbol], column, versions, timeline, pace)
        made += list(_in_symbol(traded, count))
    return sorted(made, key=lambda trip: (trip.entry_ms, trip.order_id))


def _in_symbol(traded: TradedSymbol, count: int) -> Iterator[Trip]:
    for number, (first, last) in enumerate(slots(traded.rng, traded.pace.cycles, count + 1)):
        if number < count:
            yield _trip(traded, first, last)
        elif not traded.column or traded.rng.random() < STAYS_OPEN:
            yield _trip(traded, first, None)


def _trip(traded: TradedSymbol, first: int, last: int | None) -> Trip:
    rng, market, decided_ms = traded.rng, traded.market, traded.pace.moment_ms(first)
    until_ms = traded.pace.moment_ms(traded.pace.cycles if last is None else last)
    version = traded.version(decided_ms)
    risk = version.spec.detail.risk
    entry_ms = decided_ms + ENTRY_AFTER_MS + rng.randrange(3_000)
    now = traded.path.price(entry_ms)
    side = _side(traded, entry_ms, until_ms, version.skill)
    highest = risk.major_coin_leverage if market.is_major else risk.altcoin_leverage
    order_id = _order_id(entry_ms, traded.column, _ENTRY)
    size = risk.max_position_size_usd * Decimal(f"{rng.uniform(0.5, 0.98):.3f}")
    fills = _fills(rng, market, order_id, entry_ms, now, _units(market, size / now), is_crossed=True)
    price, quantity = _average(fills), sum((fill.quantity for fill in fills), Decimal(0))
    stop, target = _plan(traded, side, price, until_ms - entry_ms, float(risk.min_risk_reward_ratio))
    trip = Trip(
        market=market,
        side=side,
        decided_ms=decided_ms,
        left_ms=None,
        price=price,
        quantity=quantity,
        leverage=rng.randint(max(1, highest // 2), highest),
        confidence=rng.randint(risk.min_confidence, min(97, risk.min_confidence + 25)),
        stop=stop,
        target=target,
        order_id=order_id,
        stop_order_id=_order_id(entry_ms, traded.column, _STOP),
        target_order_id=_order_id(entry_ms, traded.column, _TARGET),
        version=version.number,
        fills=fills,
        exit=None,
    )
    return trip if last is None else _left(traded, trip, until_ms)


def _side(traded: TradedSymbol, entry_ms: int, until_ms: int, skill: float) -> Side:
    """Looks into the future prices with a frequency that depends on the version's skill."""
    rises = traded.path.at(until_ms) > traded.path.at(entry_ms)
    return Side.LONG if rises == (traded.rng.random() < skill) else Side.SHORT


def _plan(
    traded: TradedSymbol, side: Side, price: Decimal, held_ms: int, least_reward: float
) -> tuple[Decimal, Decimal]:
    """Stop and target: as far as the symbol moves in that time, and better than the least reward for the risk."""
    usual = traded.market.volatility * (held_ms / MS_PER_DAY) ** 0.5
    risk = max(NEAREST_STOP, usual * traded.rng.uniform(0.9, 1.8))
    reward = risk * least_reward * traded.rng.uniform(1.06, 1.4)
    at = float(price)
    stop, target = at * (1 - side.sign * risk), at * (1 + side.sign * reward)
    return to_price(traded.market, stop), to_price(traded.market, target)


def _left(traded: TradedSymbol, trip: Trip, planned_ms: int) -> Trip:
    """The trip with its exit: by stop or target where the prices reach one before the planned decision."""
    low, high = sorted((float(trip.stop), float(trip.target)))
    crossed_ms = traded.path.crossing(trip.entry_ms, planned_ms, low, high)
    if crossed_ms is None:
        after_ms = planned_ms + EXIT_AFTER_MS + traded.rng.randrange(2_000)
        made = _exit(traded, trip, after_ms, "decision", traded.path.price(after_ms))
        return replace(trip, exit=made, left_ms=planned_ms)
    is_stop = (traded.path.at(crossed_ms) < float(trip.price)) == (trip.side is Side.LONG)
    after_ms = crossed_ms + 1_000 + traded.rng.randrange(5_000)
    slip = traded.market.tick * traded.rng.randrange(3) * trip.side.sign
    price = max(trip.stop - slip, traded.market.tick) if is_stop else trip.target
    return replace(trip, exit=_exit(traded, trip, after_ms, "stop" if is_stop else "target", price))


def _exit(traded: TradedSymbol, trip: Trip, ts_ms: int, cause: Cause, price: Decimal) -> Exit:
    order_id = {
        "stop": trip.stop_order_id,
        "target": trip.target_order_id,
        "decision": _order_id(ts_ms, traded.column, _EXIT),
    }[cause]
    units = int(trip.quantity.scaleb(traded.market.quantity_decimals))
    fills = _fills(traded.rng, traded.market, order_id, ts_ms, price, units, is_crossed=cause != "target")
    ts_ns = ts_ms * NANOSECONDS_PER_MS + traded.rng.randrange(NANOSECONDS_PER_MS)
    return Exit(ts_ns, _average(fills), order_id, traded.version(ts_ms).number, cause, fills)


def _units(market: Market, quantity: Decimal) -> int:
    """A multiple of the symbol's smallest step; even, so that two fills can share it."""
    return max(2, int(quantity.scaleb(market.quantity_decimals)) // 2 * 2)


def _fills(
    rng: Random, market: Market, order_id: int, ts_ms: int, price: Decimal, units: int, *, is_crossed: bool
) -> tuple[SampleFill, ...]:
    """One, or two halves of which the second is two ticks dearer: their average has no more digits than a price."""
    parts = 2 if rng.random() < IN_TWO_FILLS else 1
    quantity = (Decimal(units) / parts).scaleb(-market.quantity_decimals)
    rate = TAKER if is_crossed else MAKER
    fills = []
    for part in range(parts):
        paid = price + 2 * part * market.tick
        commission = (paid * quantity * rate).quantize(_CENTS)
        fills.append(SampleFill(order_id * 10 + part, ts_ms + part, paid, quantity, commission, is_crossed))
    return tuple(fills)


def _average(fills: Sequence[SampleFill]) -> Decimal:
    return sum((fill.price for fill in fills), Decimal(0)) / len(fills)


def _order_id(ts_ms: int, column: int, kind: int) -> int:
    """Increasing in time and unique for a trader, which holds one position per symbol."""
    return (ts_ms * 10 + column) * 10 + kind
