"""Equity without the money that was moved in or out: the index of returns, and the start of a trader."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from itertools import pairwise

from trading.analytics.stats import EXACT
from trading.schema.facts import EquityPoint, Flow

INDEX_START = Decimal(10_000)
# Enough for returns over millions of points; exact amounts are kept beside them.
DIGITS = 34


@dataclass(frozen=True, slots=True)
class EquityStart:
    """What a trader began with, in USD."""

    ts_ms: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Indexed:
    """`index` rises and falls with the returns alone; `net` is equity less the transfers since the start, in USD. Both
    have a point for each point of the series. `restarted_ms`: the chain of returns broke, for there was nothing to
    earn on, and began again here; what lies before counts no more."""

    index: tuple[EquityPoint, ...]
    net: tuple[EquityPoint, ...]
    restarted_ms: int | None = None

    @property
    def total_return(self) -> Decimal | None:
        """As a fraction; None without two points on something above zero."""
        if len(self.index) < 2 or self.index[0].equity <= 0:
            return None
        return self.index[-1].equity / self.index[0].equity - 1


def start_of(points: Iterable[EquityPoint], flows: Iterable[Flow]) -> EquityStart | None:
    """The initial transfer, else the first equity above zero of an ascending series."""
    for flow in flows:
        if flow.is_start:
            return EquityStart(flow.ts_ms, flow.amount)
    return next((EquityStart(point.ts_ms, point.equity) for point in points if point.equity > 0), None)


def since_start(series: Sequence[EquityPoint], flows: Sequence[Flow]) -> tuple[EquityPoint, ...]:
    """An ascending series from the trader's start on, with the start itself as its first point."""
    start = start_of(series, flows)
    if start is None or not series:
        return tuple(series)
    points = [point for point in series if point.ts_ms >= start.ts_ms]
    if points and (points[0].ts_ms, points[0].equity) == (start.ts_ms, start.amount):
        return tuple(points)
    # A point of the same moment contains the start, and what was earned with it.
    first_ms = start.ts_ms - 1 if points and points[0].ts_ms == start.ts_ms else start.ts_ms
    return (replace(series[0], ts_ms=first_ms, equity=start.amount), *points)


def indexed(series: Sequence[EquityPoint], flows: Iterable[Flow]) -> Indexed:
    """Time-weighted: the return between two points is that of Modified Dietz (Bank Administration Institute, 1968).

    A point at or after a flow's moment contains it. Flows up to the first point are in it; without later ones the
    series is its own index.
    """
    if not series:
        return Indexed((), ())
    moved = sorted(
        (flow for flow in flows if not flow.is_start and series[0].ts_ms < flow.ts_ms <= series[-1].ts_ms),
        key=lambda flow: flow.ts_ms,
    )
    if not moved:
        return Indexed(tuple(series), tuple(series))
    times = [flow.ts_ms for flow in moved]
    index = [replace(series[0], equity=INDEX_START)]
    net, paid_in, restarted_ms = [series[0]], Decimal(0), None
    is_broken = series[0].equity <= 0
    with localcontext(EXACT) as exact:
        for before, after in pairwise(series):
            between = moved[bisect_right(times, before.ts_ms) : bisect_right(times, after.ts_ms)]
            paid_in += sum((flow.amount for flow in between), Decimal(0))
            net.append(replace(after, equity=after.equity - paid_in))
            exact.prec, whole = DIGITS, exact.prec
            gained = None if is_broken else dietz(before, after, between)
            if gained is None:
                is_broken = after.equity <= 0
                index = [replace(after, equity=INDEX_START)]
                restarted_ms = None if is_broken else after.ts_ms
            else:
                index.append(replace(after, equity=index[-1].equity * (1 + gained)))
            exact.prec = whole
    return Indexed(tuple(index), tuple(net), restarted_ms)


def dietz(before: EquityPoint, after: EquityPoint, flows: Sequence[Flow]) -> Decimal | None:
    """(E1 - E0 - sum F) / (E0 + sum w F), w the share of the time that is left after a flow; None where there was
    nothing to earn on."""
    moved = sum((flow.amount for flow in flows), Decimal(0))
    span = after.ts_ms - before.ts_ms
    weighted = sum((flow.amount * (after.ts_ms - flow.ts_ms) / span for flow in flows), Decimal(0))
    base = before.equity + weighted
    return None if base <= 0 else (after.equity - before.equity - moved) / base


def paid_in(flows: Iterable[Flow], from_ms: int, to_ms: int) -> Decimal:
    """Net transfers after a moment, up to another, the start aside."""
    return sum((flow.amount for flow in flows if not flow.is_start and from_ms < flow.ts_ms <= to_ms), Decimal(0))
