"""Who belongs to a family, the time that its members have in common, and the lines of the comparison."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from trading.analytics.flows import Indexed
from trading.analytics.intervals import Period
from trading.analytics.summary import Performance
from trading.schema.facts import EquityPoint

# Of a curve: more than a chart of this width can show.
MOST_POINTS = 200
PERCENT = 100


@dataclass(frozen=True, slots=True)
class FamilyTrader:
    """A trader of the family. `cloned_from` is the trader it came from and its version then, None for the original.
    `paper_capital_usd` above 0: a paper variant."""

    trader_id: str
    name: str
    version: int
    retired: bool
    paper_capital_usd: Decimal
    cloned_from: tuple[str, int] | None = None

    @property
    def is_variant(self) -> bool:
        return self.paper_capital_usd > 0


@dataclass(frozen=True, slots=True)
class FamilyUse:
    """Of a trader, or of one version of it: decisions, those of which a check refused an order, and what the model
    cost; None where no decision names a cost."""

    decisions: int = 0
    refused: int = 0
    model_cost_usd: Decimal | None = None

    def __add__(self, other: FamilyUse) -> FamilyUse:
        costs = [cost for cost in (self.model_cost_usd, other.model_cost_usd) if cost is not None]
        return FamilyUse(
            self.decisions + other.decisions, self.refused + other.refused, sum(costs, Decimal(0)) if costs else None
        )


@dataclass(frozen=True, slots=True)
class FamilyLine:
    """A trader over the period; with `version` what this version decided and opened in it. `return_pct` is
    time-weighted for a trader, and of a version its net P&L in % of the equity that it began with."""

    member: FamilyTrader
    version: int | None
    performance: Performance
    return_pct: float | None
    use: FamilyUse


@dataclass(frozen=True, slots=True)
class FamilyCurve:
    """The index of a trader: 100 at its first point in the period."""

    trader_id: str
    points: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class FamilyComparison:
    """`is_common` False: the members never ran at the same time, and the period is that of all of them together."""

    members: tuple[FamilyTrader, ...]
    period: Period | None
    is_common: bool
    lines: tuple[FamilyLine, ...]
    curves: tuple[FamilyCurve, ...]


def family_of(trader_id: str, parents: Mapping[str, str]) -> list[str]:
    """The original first, then its clones and theirs, by id. `parents`: {clone: the trader it came from}."""
    original, seen = trader_id, {trader_id}
    while (parent := parents.get(original)) is not None and parent not in seen:
        original = parent
        seen.add(parent)
    found = [original]
    for one in found:
        found += sorted(child for child, parent in parents.items() if parent == one and child not in found)
    return found


def common_period(spans: Iterable[Period]) -> tuple[Period | None, bool]:
    """The time in which all were there, else that of all together; None without any. Whether it is common."""
    known = [span for span in spans if span.ms > 0]
    if not known:
        return None, False
    start, end = max(span.from_ms for span in known), min(span.to_ms for span in known)
    if start < end:
        return Period(start, end), True
    return Period(min(span.from_ms for span in known), max(span.to_ms for span in known)), False


def curve_of(trader_id: str, found: Indexed) -> FamilyCurve:
    """Thinned to so many points as a chart can show; the last one stays."""
    points = [point for point in found.index if point.equity > 0]
    if len(points) < 2:
        return FamilyCurve(trader_id, ())
    base = points[0].equity
    return FamilyCurve(
        trader_id, tuple((point.ts_ms, float(point.equity / base * PERCENT)) for point in _thinned(points))
    )


def return_pct(found: Indexed) -> float | None:
    total = found.total_return
    return None if total is None else float(total * PERCENT)


def version_return_pct(net: Decimal, base: Decimal | None) -> float | None:
    """Of a version: its net P&L over the equity that it began with."""
    return float(net / base * PERCENT) if base is not None and base > 0 else None


def _thinned(points: Sequence[EquityPoint]) -> list[EquityPoint]:
    step = -(-len(points) // MOST_POINTS)
    kept = list(points[::step])
    return kept if kept[-1] is points[-1] else [*kept, points[-1]]
