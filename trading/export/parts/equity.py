"""The accounts of the fleet hour by hour. They are read whole now and then; in between only new points are read."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from decimal import Decimal

from trading.analytics.chains import Chain
from trading.analytics.flows import EquityStart, indexed, paid_in, since_start, start_of
from trading.analytics.returns import tells_of_days
from trading.analytics.stats import exact_sum
from trading.export.documents.accounts import WHOLE_HOURS, by_hour, hourly_marker, stays, thinning_step
from trading.export.queries import equity as export_equity
from trading.export.queries.fleet import Result
from trading.live.queries import equity_points
from trading.record.stored import transfers
from trading.record.stored.equity import chains
from trading.record.stored.unreadable import collected, note
from trading.schema.facts import EquityPoint, Flow
from trading.schema.published import AccountPoint
from trading.schema.unreadable import Unreadable

# What was recorded late, or imported, shows after this many seconds at most.
READ_WHOLE_SECONDS = 600.0
# How much late equity is looked for at every cycle.
OVERLAP_MS = 120_000


class AccountSeries:
    """`hours` is {trader: {hour: point}}, ascending; `version` rises with every change of it."""

    def __init__(self, most_rows: int, start_capital: Decimal) -> None:
        self._most_rows = most_rows
        self._start_capital = start_capital
        self._read_whole_at = float("-inf")
        self._seen_ms = 0
        self._exclusion = 0
        self._sources: dict[str, str] = {}
        self._unreadable: dict[tuple[str, str], Unreadable] = {}
        self._derived: dict[str, tuple[int, Decimal, Decimal]] = {}
        # Of each trader the first point of its newest hour.
        self._hour_began: dict[str, AccountPoint] = {}
        self._flows: dict[str, tuple[Flow, ...]] = {}
        self._starts: dict[str, EquityStart] = {}
        self._chains: dict[str, Chain] = {}
        # {trader with transfers and without a chain: {moment: return until then in %}}
        self._weighted: dict[str, dict[int, Decimal]] = {}
        self.hours: dict[str, dict[int, AccountPoint]] = {}
        self.inception_ms = 0
        self.version = 0

    def refresh(self, results: Sequence[Result]) -> None:
        exclusion = max((one.exclusion for one in results), default=0)
        # What was set aside, or included again, may be of any hour.
        is_due = time.monotonic() - self._read_whole_at > READ_WHOLE_SECONDS or exclusion != self._exclusion
        self._exclusion = exclusion
        flows = transfers.flows()
        is_due = is_due or flows != self._flows
        self._flows = flows
        if is_due or self._is_derived_changed(results) or not self._read_since():
            with collected() as found:
                self._read_whole(results)
                export_equity.note_unreadable()
            self._unreadable = found
        for row in self._unreadable.values():
            note(row)
        self._weigh()

    def take_over(self, inception_ms: int) -> None:
        """Continues to count hours from the beginning of an earlier exporter; 0 if it counted none."""
        self.inception_ms = self.inception_ms or inception_ms

    def start(self, trader_id: str) -> EquityStart | None:
        """The equity that the trader began with."""
        return self._starts.get(trader_id)

    def flows(self, trader_id: str) -> tuple[Flow, ...]:
        return self._flows.get(trader_id, ())

    def return_pct(self, point: AccountPoint) -> Decimal | None:
        """The return from the trader's start to one of its points, in %; time-weighted where there are transfers."""
        if chain := self._chains.get(point.trader_id):
            return chain.return_pct(point.ts_ms, point.equity) if point.ts_ms >= chain.start.ts_ms else None
        if point.trader_id in self._flows:
            return self._weighted.get(point.trader_id, {}).get(point.ts_ms)
        start = self._starts.get(point.trader_id)
        return 100 * (point.equity - start.amount) / start.amount if start and start.amount > 0 else None

    def _weigh(self) -> None:
        """For a trader whose chain of returns broke, all points are read again at each cycle."""
        derived = self._flows.keys() & self._derived.keys()
        recorded = {name: flows for name, flows in self._flows.items() if name not in derived}
        self._chains = {name: one.chain for name, one in chains.series_of(recorded).items() if one.chain}
        points = equity_points(self._flows.keys() - derived - self._chains.keys())
        for name in derived & self.hours.keys():
            points[name] = [EquityPoint(name, one.ts_ms, one.equity) for one in self.hours[name].values()]
        self._weighted = {name: _returns(points[name], self._flows[name]) for name in points}

    def last(self, trader_id: str) -> AccountPoint | None:
        return next(reversed(self.hours[trader_id].values()), None) if trader_id in self.hours else None

    @property
    def newest_ms(self) -> int:
        """The moment of the newest point; 0 without points."""
        return max((next(reversed(hours.values())).ts_ms for hours in self.hours.values()), default=0)

    def first(self, trader_id: str) -> AccountPoint | None:
        return next(iter(self.hours[trader_id].values()), None) if trader_id in self.hours else None

    def _read_whole(self, results: Sequence[Result]) -> None:
        bounds = export_equity.bounds()
        starts = [result.first_close_ms - 1 for result in results if result.first_close_ms is not None]
        ends = [result.last_close_ms for result in results if result.last_close_ms is not None]
        # Once counted from, it stays: hours before it have markers below 0, and those of the others stand.
        self.inception_ms = self.inception_ms or min([*starts, *([bounds[0]] if bounds else [])], default=0)
        newest_ms = max([*ends, *([bounds[1]] if bounds else [])], default=0)
        newest = hourly_marker(newest_ms, self.inception_ms)
        step = thinning_step(newest, self._most_rows // max(len(results), 1))
        self._sources = export_equity.preferred_sources()
        recorded = export_equity.hourly(
            self._sources, inception_ms=self.inception_ms, newest=newest, step=step, whole=WHOLE_HOURS
        )
        thin = [one for one in results if _is_dated(one) and not _tells(recorded.get(one.trader_id, ()))]
        derived = self._derive(thin, recorded)
        self._starts = self._starts_of(recorded | derived)
        series = {name: self._thinned(points, newest, step) for name, points in (recorded | derived).items()}
        self._seen_ms = bounds[1] if bounds else 0
        self._read_whole_at = time.monotonic()
        if series != self.hours:
            self.hours = series
            self.version += 1

    def _starts_of(self, series: Mapping[str, list[AccountPoint]]) -> dict[str, EquityStart]:
        found = {
            name: start_of([EquityPoint(name, one.ts_ms, one.equity) for one in points], self._flows.get(name, ()))
            for name, points in series.items()
        }
        return {name: start for name, start in found.items() if start is not None}

    def _read_since(self) -> bool:
        """Adds the points recorded since. False when one of them has a trader, or a time, that is not known yet."""
        for source, point in export_equity.since(self._seen_ms - OVERLAP_MS):
            if self._sources.get(point.trader_id) != source or point.ts_ms < self.inception_ms:
                return False
            if point.trader_id in self._derived:
                return False
            self._take(point)
            self._seen_ms = max(self._seen_ms, point.ts_ms)
        return True

    def _take(self, point: AccountPoint) -> None:
        hours, marker = self.hours[point.trader_id], hourly_marker(point.ts_ms, self.inception_ms)
        last = next(reversed(hours.values()))
        if point.ts_ms <= last.ts_ms:
            return
        last_marker = hourly_marker(last.ts_ms, self.inception_ms)
        if marker > last_marker:
            # The hour that is over keeps its first point, as the next whole reading would find it.
            hours[last_marker] = self._hour_began[point.trader_id]
            self._hour_began[point.trader_id] = point
        hours[marker] = point
        self.version += 1

    def _derive(
        self, thin: Sequence[Result], recorded: Mapping[str, list[AccountPoint]]
    ) -> dict[str, list[AccountPoint]]:
        """Start capital plus net P&L of the trades. A moment with recorded equity keeps it."""
        self._derived = {one.trader_id: _earned(one) for one in thin}
        earned = export_equity.earned_by_hour(list(self._derived), self.inception_ms)
        found = {}
        for one in thin:
            own = recorded.get(one.trader_id, [])
            flows = self._flows.get(one.trader_id, ())
            given = start_of([EquityPoint(one.trader_id, point.ts_ms, point.equity) for point in own], flows)
            start = given.amount if given else self._start_capital
            level, points = Decimal(0), {}
            assert one.first_close_ms is not None
            start_ms = min([one.first_close_ms - 1, *[point.ts_ms for point in own]])
            points[start_ms] = AccountPoint(one.trader_id, start_ms, start, Decimal(0), is_derived=True)
            for ts_ms, net in earned.get(one.trader_id, ()):
                level = exact_sum([level, net])
                moved = paid_in(flows, start_ms, ts_ms)
                equity = exact_sum([start, level, moved])
                points[ts_ms] = AccountPoint(one.trader_id, ts_ms, equity, level, is_derived=True)
            points |= {point.ts_ms: point for point in own}
            found[one.trader_id] = [points[ts_ms] for ts_ms in sorted(points)]
        return found

    def _is_derived_changed(self, results: Sequence[Result]) -> bool:
        now = {one.trader_id: _earned(one) for one in results}
        is_new = any(_is_dated(one) and one.trader_id not in self.hours for one in results)
        return is_new or any(now.get(name) != known for name, known in self._derived.items())

    def _thinned(self, points: Sequence[AccountPoint], newest: int, step: int) -> dict[int, AccountPoint]:
        hours = by_hour(points, self.inception_ms)
        first, last = next(iter(hours)), next(reversed(hours))
        self._hour_began[points[-1].trader_id] = next(
            point for point in points if hourly_marker(point.ts_ms, self.inception_ms) == last
        )
        return {
            marker: point for marker, point in hours.items() if marker in (first, last) or stays(marker, newest, step)
        }


def _returns(points: Sequence[EquityPoint], flows: Sequence[Flow]) -> dict[int, Decimal]:
    """{moment: time-weighted return until this moment, in %}. Where the chain of returns began again, only moments
    after that."""
    found = indexed(since_start(points, flows), flows).index
    if not found or found[0].equity <= 0:
        return {}
    return {point.ts_ms: 100 * (point.equity / found[0].equity - 1) for point in found}


def _earned(result: Result) -> tuple[int, Decimal, Decimal]:
    """A signature of the trades that derived equity is made of; when it changes, equity is read again."""
    return result.trades, result.net, result.net_of_open


def _is_dated(result: Result) -> bool:
    """Whether a trade of a known time changes the trader's equity."""
    return bool(result.trades) and result.first_close_ms is not None


def _tells(points: Sequence[AccountPoint]) -> bool:
    return tells_of_days([EquityPoint(point.trader_id, point.ts_ms, point.equity) for point in points])
