"""Performance for a page: whole, by the functions of the command, or of very many trades by sums of the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from django.conf import settings

from traders.database.apart import TookTooLong, time_limit
from trading.analytics import queries as record
from trading.analytics.calendar import name_of, starts_between
from trading.analytics.equity import one_series
from trading.analytics.groups.grouping import NOTHING_ASIDE
from trading.analytics.groups.keys import UNITS, GroupBy
from trading.analytics.risk import risk
from trading.analytics.services import performance_groups
from trading.performance import queries
from trading.performance.columns import (
    BY_NAME,
    COLUMNS,
    FigureColumn,
    Needs,
    PerformanceLine,
    line_of_group,
    line_of_sums,
)
from trading.performance.queries import ROLLED_UP, GroupSums, TradeSelection
from trading.record.stored import transfers
from trading.schema.facts import EquityPoint, SetAsideCounts

LIMIT_MS = 2_000
"""Of each statement: the page must answer, however large the record is."""
PER_PAGE = 50
# What a page reads row by row in less than half a second. More is added up by the database.
WHOLE_TRADES, WHOLE_TRADERS, WHOLE_ROWS = 2_500, 30, 20_000
# Commission and times lie in each trade's detail, which no index has; the curve is a second sum over the same trades.
DETAILED_TRADES = 100_000
EQUITY_POINTS = 40_000
MOST_PERIODS = 400


@dataclass(frozen=True)
class PerformanceQuestion:
    """`order` is the name of a column, after "-" for the greatest first; "" is by group."""

    by: GroupBy
    chosen: TradeSelection
    order: str = ""


@dataclass(frozen=True)
class PerformanceReport:
    """`lines` in the order asked for. `computed` are the columns that have figures; equity figures of the fleet's
    largest questions are those of the shown page alone (`is_equity_of_page`). `steps` are (start in milliseconds, net
    P&L in USD) of the periods of the chart, `step` their unit. `is_whole`: by the functions of the command.
    `funding_unknown`: how many trades are without funding that was due."""

    lines: list[PerformanceLine]
    computed: frozenset[Needs]
    is_whole: bool
    set_aside: SetAsideCounts = NOTHING_ASIDE
    funding_unknown: int = 0
    is_equity_of_page: bool = False
    step: GroupBy | None = None
    steps: list[tuple[int, Decimal]] = field(default_factory=list)

    @property
    def left_out(self) -> list[FigureColumn]:
        return [column for column in COLUMNS if column.needs not in self.computed]

    @property
    def has_chart(self) -> bool:
        """False where the trades are too many for a second sum."""
        return self.step is not None or Needs.TIMES in self.computed

    @property
    def trades(self) -> int:
        return sum(line.trades for line in self.lines)

    @property
    def net(self) -> Decimal:
        return sum((line.net for line in self.lines), Decimal(0))


def report(asked: PerformanceQuestion, *, page: int = 1, has_chart: bool = True) -> PerformanceReport:
    """Raises TookTooLong. Every group is in `lines`; figures of equity may be of the page alone."""
    with time_limit(LIMIT_MS):
        trades = queries.count(asked.chosen, DETAILED_TRADES + 1)
        made = _whole(asked, trades) or _added_up(asked, trades)
        lines = ordered(made.lines, asked)
        if Needs.EQUITY not in made.computed and asked.by is GroupBy.TRADER:
            made, lines = _with_equity(asked, made, lines, page)
        if has_chart and made.step is None and trades <= DETAILED_TRADES:
            step, steps = _steps(asked)
            made = replace(made, step=step, steps=steps)
        chosen = asked.chosen
        traders = record.traders_with_records() if chosen.traders is None else chosen.traders
        aside = record.set_aside(traders, since=chosen.since, until=chosen.until)
        unknown = queries.count_without_funding(chosen)
        return replace(made, lines=lines, set_aside=aside, funding_unknown=unknown)


def ordered(lines: Iterable[PerformanceLine], asked: PerformanceQuestion) -> list[PerformanceLine]:
    """Lines without the figure come last. Groups run by trader and value, periods newest first."""
    found = sorted(lines, key=_place, reverse=asked.by in UNITS)
    column = BY_NAME.get(asked.order.removeprefix("-"))
    if column is None:
        return found
    known = [line for line in found if line.figure(column) is not None]
    known.sort(key=lambda line: line.figure(column) or 0, reverse=asked.order.startswith("-"))
    return known + [line for line in found if line.figure(column) is None]


def _place(line: PerformanceLine) -> tuple[str, bool, int, str]:
    value = line.value
    return line.trader_id, value is not None, value if isinstance(value, int) else 0, str(value)


def _whole(asked: PerformanceQuestion, trades: int) -> PerformanceReport | None:
    """None where that would read too much."""
    chosen = asked.chosen
    if trades > WHOLE_TRADES:
        return None
    traders = queries.traders_of(chosen, WHOLE_TRADERS + 1)
    if len(traders) > WHOLE_TRADERS:
        return None
    if queries.count_points(chosen, traders, WHOLE_ROWS) >= WHOLE_ROWS:
        return None
    if queries.count_decisions(chosen, traders, WHOLE_ROWS) >= WHOLE_ROWS:
        return None
    groups = performance_groups(
        traders, by=asked.by, since=chosen.since, until=chosen.until, symbol=chosen.symbol, side=chosen.side
    )
    lines = [line_of_group(group) for group in groups] if traders else []
    return PerformanceReport(lines, frozenset(Needs), is_whole=True)


def _added_up(asked: PerformanceQuestion, trades: int) -> PerformanceReport:
    """Raises TookTooLong where the sums of versions do not hold the answer either."""
    chosen, by = asked.chosen, asked.by
    may_roll_up = chosen.is_whole_record and by in ROLLED_UP
    has_details = trades <= DETAILED_TRADES
    starts = _starts(chosen, by)
    try:
        with time_limit(LIMIT_MS):
            found = queries.summed(chosen, by, starts=starts, has_details=has_details)
    except TookTooLong:
        if not may_roll_up:
            raise
        found = []
    if may_roll_up and not has_details:
        known = {(one.trader_id, one.value): one for one in found}
        found = [_joined(one, known.get((one.trader_id, one.value))) for one in queries.rolled_up(chosen, by)]
    computed = {Needs.SUMS}
    if has_details:
        computed |= {Needs.MONEY, Needs.TIMES}
    elif may_roll_up:
        computed |= {Needs.MONEY}
    lines = [_line(by, one) for one in found]
    made = PerformanceReport(lines, frozenset(computed), is_whole=False)
    return replace(made, step=by, steps=_filled(starts, found)) if by in UNITS else made


def _joined(rolled_up: GroupSums, summed: GroupSums | None) -> GroupSums:
    """The sums of versions, with those of gains and of losses, which the roll-up does not have."""
    return replace(rolled_up, won=summed.won, lost=summed.lost) if summed else rolled_up


def _with_equity(
    asked: PerformanceQuestion, made: PerformanceReport, lines: list[PerformanceLine], page: int
) -> tuple[PerformanceReport, list[PerformanceLine]]:
    """With the equity figures of the traders on the page, where their points are not too many."""
    first = (page - 1) * PER_PAGE
    shown = [line.trader_id for line in lines[first : first + PER_PAGE]]
    chosen = asked.chosen
    is_narrowed = chosen.symbol or chosen.side
    if is_narrowed or queries.count_points(chosen, shown, EQUITY_POINTS) >= EQUITY_POINTS:
        return made, lines
    points: dict[str, list[EquityPoint]] = {}
    for point in record.equity(shown, since=chosen.since, until=chosen.until):
        points.setdefault(point.trader_id, []).append(point)
    flows = transfers.flows(shown)
    with_figures = list(lines)
    for place, line in enumerate(lines[first : first + PER_PAGE], start=first):
        own = flows.get(line.trader_id, ())
        found = risk((), one_series(points.get(line.trader_id, ()), own), None, flows=own)
        with_figures[place] = replace(
            line,
            return_pct=found.return_pct,
            sharpe=found.sharpe,
            sortino=found.sortino,
            drawdown_pct=found.max_drawdown.depth_pct if found.max_drawdown else None,
        )
    return replace(made, computed=made.computed | {Needs.EQUITY}, is_equity_of_page=True), with_figures


def _steps(asked: PerformanceQuestion) -> tuple[GroupBy | None, list[tuple[int, Decimal]]]:
    """The P&L by period, for the chart: by day, or by longer ones where these are too many."""
    ends = queries.ends(asked.chosen)
    if ends is None:
        return None, []
    step, starts = GroupBy.MONTH, []
    for step in (asked.by,) if asked.by in UNITS else UNITS:
        starts = list(starts_between(*ends, UNITS[step], settings.DESK_TIMEZONE))
        if len(starts) <= MOST_PERIODS:
            break
    return step, _filled(starts, queries.summed(asked.chosen, step, starts=starts))


def _filled(starts: Sequence[int], sums: Iterable[GroupSums]) -> list[tuple[int, Decimal]]:
    """(start, net P&L) of every period, also of those without a trade."""
    nets = {one.value: one.net for one in sums}
    return [(start, nets.get(start, Decimal(0))) for start in starts]


def _starts(chosen: TradeSelection, by: GroupBy) -> Sequence[int]:
    ends = queries.ends(chosen) if by in UNITS else None
    return [] if ends is None else list(starts_between(*ends, UNITS[by], settings.DESK_TIMEZONE))


def _line(by: GroupBy, sums: GroupSums) -> PerformanceLine:
    """With the value that a group of the command has."""
    if by in UNITS and isinstance(sums.value, int):
        sums = replace(sums, value=name_of(sums.value, UNITS[by], settings.DESK_TIMEZONE))
    return line_of_sums(sums)
