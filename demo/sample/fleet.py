"""The whole sample, one trader at a time, so that only one trader's data is in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from demo.sample import equity, records, runtime
from demo.sample.equity import EquityMark
from demo.sample.ledger import Ledger
from demo.sample.pace import Pace, pace_of, size_factor, size_usd
from demo.sample.plan import SamplePlan
from demo.sample.prices import PricePath, price_paths
from demo.sample.runtime import SampleCooldown, SampleReport
from demo.sample.styles import Persona, persona
from demo.sample.thoughts import decisions
from demo.sample.thoughts.decisions import SampleDecision
from demo.sample.travel import trips_of
from demo.sample.trips import Trip
from demo.sample.versions import SampleVersion, versions_of
from trading.schema.position import PositionRecord
from trading.schema.trade import TradeRecord


@dataclass(frozen=True)
class SampleTrader:
    """One trader's part. Long lists are generators."""

    index: int
    seed: int
    persona: Persona
    plan: SamplePlan
    pace: Pace
    paths: Mapping[str, PricePath]
    versions: Sequence[SampleVersion]
    trips: Sequence[Trip]

    @property
    def id(self) -> str:
        return self.persona.id

    def trades(self) -> Iterator[TradeRecord]:
        return records.trades(self.id, self.trips)

    def positions(self) -> Iterator[PositionRecord]:
        return records.positions(self.id, self.trips)

    def decisions(self) -> Iterator[SampleDecision]:
        return decisions.decisions_of(self.persona, self.seed, self.trips, self.versions, self.paths, self.pace)

    def equity(self) -> Iterator[EquityMark]:
        return equity.equity_of(self.plan, self.trips, self.paths)

    def report(self) -> SampleReport | None:
        return runtime.report_of(self.index, self.plan, self.versions, Ledger(self.trips, self.paths))

    def cooldowns(self) -> list[SampleCooldown]:
        return runtime.cooldowns_of(self.trips)


def fleet_of(plan: SamplePlan) -> Iterator[SampleTrader]:
    """Raises ValueError when the plan's trades do not fit into its days."""
    pace, factor, paths = pace_of(plan), size_factor(plan), price_paths(plan)
    for index in range(plan.traders):
        who = persona(index)
        size = size_usd(who.style.max_position_size_usd, factor)
        versions = versions_of(who, plan, size, pace.interval_ms // 1000)
        trips = trips_of(who, plan.seed, plan.trades_of(index), versions, paths, pace)
        yield SampleTrader(index, plan.seed, who, plan, pace, paths, versions, trips)
