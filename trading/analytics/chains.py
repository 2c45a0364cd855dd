"""Time-weighted returns of a long series from a few of its points: those beside the transfers.

Between two transfers the index moves as equity does, so that one factor tells it of any point:
index = factor x equity. The factors come from the points around each transfer (`flows.dietz`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from trading.analytics.flows import DIGITS, INDEX_START, EquityStart, dietz
from trading.analytics.stats import EXACT
from trading.schema.facts import EquityPoint, Flow

ENDLESS_MS = 2**62


@dataclass(frozen=True, slots=True)
class TransferEdge:
    """The last point before a transfer and the first one at or after it."""

    before: EquityPoint
    after: EquityPoint


@dataclass(frozen=True, slots=True)
class Chain:
    """`factors` hold from the moment of the same place in `since_ms` on. `start` is the first point of the index, which
    may be the initial transfer without a recorded point."""

    start: EquityPoint
    since_ms: tuple[int, ...]
    factors: tuple[Decimal, ...]

    def index(self, ts_ms: int, equity: Decimal) -> Decimal:
        """Of a recorded point at or after the start."""
        with localcontext(EXACT) as exact:
            exact.prec = DIGITS
            return self.factors[max(0, bisect_right(self.since_ms, ts_ms) - 1)] * equity

    def steps(self) -> Iterator[tuple[int, int, Decimal]]:
        """(from, until, factor) in milliseconds, the last one without an end."""
        yield from zip(self.since_ms, (*self.since_ms[1:], ENDLESS_MS), self.factors, strict=True)

    def return_pct(self, ts_ms: int, equity: Decimal) -> Decimal:
        return 100 * (self.index(ts_ms, equity) / INDEX_START - 1)


@dataclass(frozen=True, slots=True)
class IndexDay:
    """The index at the last point of a day (UTC), its deepest fall below its peak so far, and how many points there
    were."""

    last_ms: int
    index: Decimal
    fall_pct: float
    points: int


def chain_of(
    start: EquityStart, first: EquityPoint, edges: Iterable[TransferEdge], flows: Sequence[Flow]
) -> Chain | None:
    """`first` is the first recorded point at or after the start, `edges` are those of the transfers after it, in order
    of time. None where there was nothing to earn on: then the chain breaks, and all points are needed."""
    begin = _begin(start, first)
    pairs = [] if begin is first else [TransferEdge(begin, first)]
    for edge in edges:
        if edge.before.ts_ms >= first.ts_ms and (not pairs or edge != pairs[-1]):
            pairs.append(edge)
    if first.equity <= 0 or begin.equity <= 0:
        return None
    with localcontext(EXACT) as exact:
        exact.prec = DIGITS
        since, factors = [begin.ts_ms], [INDEX_START / begin.equity]
        for edge in pairs:
            moved = [flow for flow in flows if not flow.is_start and edge.before.ts_ms < flow.ts_ms <= edge.after.ts_ms]
            gained = dietz(edge.before, edge.after, moved)
            if gained is None or edge.after.equity <= 0:
                return None
            index = factors[-1] * edge.before.equity * (1 + gained)
            if index <= 0:
                return None
            since.append(edge.after.ts_ms)
            factors.append(index / edge.after.equity)
    return Chain(begin, tuple(since), tuple(factors))


def _begin(start: EquityStart, first: EquityPoint) -> EquityPoint:
    """As `flows.since_start` has it."""
    if (first.ts_ms, first.equity) == (start.ts_ms, start.amount):
        return first
    first_ms = start.ts_ms - 1 if first.ts_ms == start.ts_ms else start.ts_ms
    return EquityPoint(first.trader_id, first_ms, start.amount, first.source)
