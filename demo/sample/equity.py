"""A sample trader's equity, hour by hour."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from demo.sample.ledger import Ledger
from demo.sample.plan import MS_PER_HOUR, SamplePlan
from demo.sample.prices import PricePath
from demo.sample.trips import Trip

SOURCE = "engine"
_CENTS = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class EquityMark:
    ts_ms: int
    equity: Decimal
    realized: Decimal
    unrealized: Decimal


def equity_of(plan: SamplePlan, trips: Sequence[Trip], paths: Mapping[str, PricePath]) -> Iterator[EquityMark]:
    """From the start to the end, both of them among the hours."""
    ledger = Ledger(trips, paths)
    for ts_ms in range(plan.start_ms, plan.end_ms + 1, MS_PER_HOUR):
        ledger.advance(ts_ms)
        yield EquityMark(
            ts_ms,
            ledger.equity.quantize(_CENTS),
            ledger.realized.quantize(_CENTS),
            ledger.unrealized.quantize(_CENTS),
        )
