"""The parts of the fleet page, each computed apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from traders.models import TraderConfig
from traders.runtime.rules import State
from trading.analytics.today.exposure import Exposure
from trading.live.unrealized import MarkedHolding, SymbolExposure, exposures_by_symbol, exposures_of, held_now
from trading.overview import board as boards
from trading.overview import curves, queries
from trading.overview.board import BoardLine, Leaderboard
from trading.overview.curves import ENDLESS_MS, FleetGain, GainLine
from trading.overview.queries import TraderEdges
from trading.overview.ranges import MOST_POINTS, ShownRange, moments_of
from trading.record.stored import transfers

MOST_SYMBOLS = 30
Curve = tuple[Sequence[int], Sequence[Decimal | float | None]]


@dataclass(frozen=True)
class FleetStanding:
    """What the equity of the page is made of: all traders, the edges of their equity, and the lines of those that are
    not retired. Paper variants are in `lines` and in no sum."""

    traders: Sequence[TraderConfig]
    paper: frozenset[str]
    edges: Mapping[str, TraderEdges]
    lines: Sequence[BoardLine]
    gains: Sequence[GainLine]
    gain: FleetGain | None
    shown: ShownRange
    states: Mapping[State, int] = field(default_factory=dict)

    @property
    def own(self) -> list[BoardLine]:
        """Of the fleet's money, with equity."""
        return [line for line in self.lines if not line.is_on_paper and line.equity_usd is not None]

    @property
    def fresh(self) -> int:
        return sum(line.is_fresh for line in self.own)


@dataclass(frozen=True)
class FleetExposure:
    """By underlying, and by symbol and side; `more` of the latter are left out. The largest first."""

    by_underlying: Sequence[Exposure]
    by_symbol: Sequence[SymbolExposure]
    more: int


def standing(shown: ShownRange, now: datetime) -> FleetStanding:
    traders: list[Any] = list(queries.traders())
    paper = frozenset(trader.pk for trader in traders if trader.is_on_paper)
    retired = {trader.pk for trader in traders if trader.retired}
    ids = [trader.pk for trader in traders]
    period = shown.period
    edges, flows = queries.edges(ids, period.from_ms, period.to_ms), transfers.flows()
    gains = curves.gains(edges, flows, period)
    lines = boards.lines_of(traders, paper=paper, edges=edges, gains=gains, now=now)
    # The money of a retired trader is no longer in the fleet's equity.
    members = [one for one in gains if one.trader_id not in paper and one.trader_id not in retired]
    states: dict[State, int] = {}
    for line in lines:
        states[line.state] = states.get(line.state, 0) + 1
    gain = curves.of_fleet(members, flows, period) if members else None
    return FleetStanding(traders, paper, edges, lines, gains, gain, shown, states)


def fleet_curve(found: FleetStanding) -> Curve:
    edges = {name: edge for name, edge in found.edges.items() if name not in found.paper}
    retired = {trader.pk for trader in found.traders if trader.retired}
    return curves.fleet_curve(edges, retired, found.shown.period, queries.newest_exclusion())


def trader_curve(found: FleetStanding, trader_id: str) -> Curve:
    edge, period = found.edges.get(trader_id), found.shown.period
    if edge is None:
        return [], []
    moments = [*moments_of(period, MOST_POINTS), period.to_ms]
    return moments, queries.curves_at({trader_id: (edge.source, ENDLESS_MS)}, moments).get(trader_id, [])


def held(found: FleetStanding) -> list[MarkedHolding]:
    return held_now([trader.pk for trader in found.traders])


def exposures(found: FleetStanding, positions: Sequence[MarkedHolding]) -> FleetExposure:
    """Of the fleet's money."""
    own = [one for one in positions if one.trader_id not in found.paper]
    by_symbol = exposures_by_symbol(own)
    return FleetExposure(exposures_of(own), by_symbol[:MOST_SYMBOLS], max(0, len(by_symbol) - MOST_SYMBOLS))


def board(
    found: FleetStanding, positions: Sequence[MarkedHolding] | None, *, sort: str, page: int, now: datetime
) -> Leaderboard:
    period = found.shown.period
    made = boards.board_of(found.lines, found.gains, positions, period=period, sort=sort, page=page, now=now)
    return boards.with_sparks(made, found.edges, period)
