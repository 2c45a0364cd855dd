"""The highest index of returns, continued point by point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from trading.analytics.flows import INDEX_START, dietz
from trading.schema.facts import EquityPoint, Flow


@dataclass(frozen=True, slots=True)
class Peak:
    """How far an index of returns has come. Continued by each point, so that a guard never reads a whole series.

    `index` is that of the last point, which was `equity` at `upto_ms`; `peak` the highest since, at `peak_ms`.
    `before_pct` is the fall at the point before the last.
    """

    upto_ms: int
    equity: Decimal
    index: Decimal
    peak: Decimal
    peak_ms: int
    before_pct: Decimal = Decimal(0)

    @property
    def fall_pct(self) -> Decimal:
        """From the highest index, in %: 0 to 100."""
        return min((self.peak - self.index) / self.peak * 100, Decimal(100))


def began(point: EquityPoint) -> Peak:
    return Peak(point.ts_ms, point.equity, INDEX_START, INDEX_START, point.ts_ms)


def continued(peak: Peak, points: Sequence[EquityPoint], flows: Sequence[Flow]) -> Peak:
    """With later points. Returns are time-weighted; where there was nothing to earn on, the index begins anew."""
    before = EquityPoint("", peak.upto_ms, peak.equity)
    for previous, point in pairwise([before, *points]):
        between = [flow for flow in flows if previous.ts_ms < flow.ts_ms <= point.ts_ms and not flow.is_start]
        gained = dietz(previous, point, between) if previous.equity > 0 else None
        if gained is None or peak.index <= 0:
            peak = began(point)
            continue
        index = max(peak.index * (1 + gained), Decimal(0))
        is_higher = index > peak.peak
        peak = Peak(
            point.ts_ms,
            point.equity,
            index,
            index if is_higher else peak.peak,
            point.ts_ms if is_higher else peak.peak_ms,
            peak.fall_pct,
        )
    return peak
