"""How deep an equity series fell below its own peak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from trading.analytics.stats import exact_sum, percent
from trading.schema.facts import EquityPoint


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The deepest fall of one series, named `series`.

    `depth_pct` is 0 to 100 % of the peak; an equity below zero has lost 100 %. It falls from the peak at `from_ms` to
    its lowest at `to_ms` and is made good at `recovered_ms`, None while it is not. `duration_ms` is from the peak to
    the recovery, or to the end of the series. Without a fall the depth is 0 and the times are None.
    """

    series: str
    depth_pct: float
    depth_usd: Decimal
    from_ms: int | None
    to_ms: int | None
    recovered_ms: int | None
    duration_ms: int


def max_drawdown(series: Sequence[EquityPoint]) -> Drawdown | None:
    """max over t of (peak before t - equity at t) / peak, after Magdon-Ismail & Atiya, "Maximum Drawdown", Risk 17
    (2004), over an ascending series; the earliest of equals. None of fewer than two points or of a
    start at or below zero."""
    if len(series) < 2 or series[0].equity <= 0:
        return None
    peak = deepest_peak = low = series[0]
    lowest: EquityPoint | None = None
    depth = 0.0
    for point in series:
        if point.equity > peak.equity:
            peak = low = point
        # Below one peak the lowest point fell deepest: a division for each new low, and not for each point.
        if point.equity >= low.equity:
            continue
        low = point
        fall = _fall_pct(peak, point)
        if fall > depth:
            depth, deepest_peak, lowest = fall, peak, point
    if lowest is None:
        return Drawdown(series[0].source, 0.0, Decimal(0), None, None, None, 0)
    recovered = _recovery(series, deepest_peak, lowest)
    return Drawdown(
        series=series[0].source,
        depth_pct=depth,
        depth_usd=exact_sum([deepest_peak.equity, -lowest.equity]),
        from_ms=deepest_peak.ts_ms,
        to_ms=lowest.ts_ms,
        recovered_ms=recovered,
        duration_ms=(series[-1].ts_ms if recovered is None else recovered) - deepest_peak.ts_ms,
    )


def _fall_pct(peak: EquityPoint, point: EquityPoint) -> float:
    if point.equity <= 0:
        return 100.0
    return percent(float(peak.equity) - float(point.equity), peak.equity) or 0.0


def _recovery(series: Sequence[EquityPoint], peak: EquityPoint, lowest: EquityPoint) -> int | None:
    later = (point.ts_ms for point in series if point.ts_ms > lowest.ts_ms and point.equity >= peak.equity)
    return next(later, None)
