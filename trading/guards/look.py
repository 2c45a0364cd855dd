"""One trader as its guards see it at a moment. Each fact is read when a guard that is on asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from django.conf import settings

from traders.controls import queries as controls
from traders.schema.settings.guards import ExecGuards
from traders.schema.settings.stored import StoredConfig
from traders.schema.settings.trader import TraderSpec
from traders.versions import services as configs
from traders.versions.rules.in_force import version_in_force
from trading.analytics.today.days import DayLoss, day_loss
from trading.guards import queries, writer
from trading.guards.rules.days import SiteDay
from trading.guards.rules.equity import Peak
from trading.guards.rules.names import GuardName
from trading.live.unrealized import Unrealized, unrealized_now
from trading.record.stored import transfers
from trading.record.stored.equity.realized import realized_at
from trading.schema.facts import EquityPoint, Flow

# A breach is two successive points; a few more cost nothing.
_TAIL = 5
_DAILY = (GuardName.DAILY_LOSS_USD.cause, GuardName.DAILY_LOSS_PCT.cause)


def site_day(now: datetime) -> SiteDay:
    return SiteDay.of(now, settings.DESK_TIMEZONE)


@dataclass
class TraderLook:
    """`config` is the version in force: the pinned one, else the newest."""

    config: StoredConfig
    now: datetime

    @classmethod
    def of(cls, trader_id: str, now: datetime) -> TraderLook:
        """Raises UnknownConfig."""
        return cls.under(configs.existing_trader(trader_id), controls.pinned_versions([trader_id]).get(trader_id), now)

    @classmethod
    def under(cls, newest: StoredConfig, pinned: int | None, now: datetime) -> TraderLook:
        """As `of`; `pinned` is the number of the version that it is held at."""
        number = version_in_force(newest=newest.version, pinned=pinned)
        return cls(newest if number in (None, newest.version) else configs.version(newest.config_id, number), now)

    @cached_property
    def spec(self) -> TraderSpec:
        assert isinstance(self.config.spec, TraderSpec)
        return self.config.spec

    @property
    def trader_id(self) -> str:
        return self.spec.id

    @property
    def limits(self) -> ExecGuards:
        return self.spec.detail.exec_guards

    @cached_property
    def day(self) -> SiteDay:
        return site_day(self.now)

    @cached_property
    def now_ms(self) -> int:
        return int(self.now.timestamp() * 1000)

    @cached_property
    def acts_since(self) -> datetime | None:
        return queries.acts_since(self.trader_id)

    @property
    def since_ms(self) -> int:
        """From when on facts may make a guard act: the day's start, or the last start or resume."""
        return max(self.day.start_ms, int(self.acts_since.timestamp() * 1000) if self.acts_since else 0)

    def is_now(self, moment_ms: int) -> bool:
        """Whether a fact of this moment may make a guard act: of today, and after the last start or resume."""
        return self.since_ms <= moment_ms < self.day.end_ms

    @cached_property
    def flows(self) -> tuple[Flow, ...]:
        return transfers.flows([self.trader_id]).get(self.trader_id, ())

    @cached_property
    def tail(self) -> tuple[EquityPoint, ...]:
        """The last points that count, up to now."""
        return tuple(queries.last_points(self.trader_id, until_ms=self.now_ms, most=_TAIL))

    @property
    def suspect(self) -> list[EquityPoint]:
        """The points of the day with which no later one agrees: they count nowhere."""
        return queries.suspect_points(self.trader_id, self.day.start_ms)

    @property
    def is_about_now(self) -> bool:
        """Whether the newest equity, that at the prices of now included, may make a guard act."""
        newest = self.marked or (self.tail[-1] if self.tail else None)
        return newest is not None and self.is_now(newest.ts_ms)

    @cached_property
    def first(self) -> EquityPoint | None:
        """The last good point at or before the day's start; else the first one, or the initial transfer, of the day."""
        if found := queries.last_points(self.trader_id, until_ms=self.day.start_ms, most=1):
            return found[-1]
        start = next((flow for flow in self.flows if flow.is_start and flow.ts_ms <= self.now_ms), None)
        if start is not None:
            return EquityPoint(self.trader_id, start.ts_ms, start.amount)
        later = [p for p in queries.points(self.trader_id, after_ms=self.day.start_ms, most=_TAIL) if p.equity > 0]
        return later[0] if later else None

    def transfers_between(self, after_ms: int, until_ms: int) -> Decimal:
        moved = (flow.amount for flow in self.flows if not flow.is_start and after_ms < flow.ts_ms <= until_ms)
        return sum(moved, Decimal(0))

    def loss_at(self, point: EquityPoint) -> DayLoss | None:
        """The day's loss at a point of equity; None without a first equity."""
        first = self.first
        if first is None:
            return None
        return day_loss(first.equity, self.transfers_between(first.ts_ms, point.ts_ms), point.equity)

    @cached_property
    def gains(self) -> Unrealized | None:
        """What is open at the prices of now; None of a trader that holds nothing."""
        return unrealized_now([self.trader_id]).get(self.trader_id)

    @cached_property
    def marked(self) -> EquityPoint | None:
        """Equity at the prices of now, from the last good point and what was realized and moved since. None where a
        part is not known."""
        if not self.tail or self.gains is None or self.gains.total is None:
            return None
        last = self.tail[-1]
        if last.realized is None or last.unrealized is None or last.ts_ms >= self.now_ms:
            return None
        realized = realized_at([(self.trader_id, self.now_ms)]).get((self.trader_id, self.now_ms))
        if realized is None:
            return None
        moved = self.transfers_between(last.ts_ms, self.now_ms)
        gained = realized.realized - last.realized + self.gains.total - last.unrealized
        return EquityPoint(self.trader_id, self.now_ms, last.equity + gained + moved)

    @cached_property
    def realized_today(self) -> Decimal | None:
        """In USD, by fills; None where nothing was traded."""
        found = realized_at([(self.trader_id, self.day.start_ms - 1), (self.trader_id, self.now_ms)])
        before, now = found.get((self.trader_id, self.day.start_ms - 1)), found.get((self.trader_id, self.now_ms))
        return None if now is None else now.realized - (before.realized if before else 0)

    @cached_property
    def resumed_today(self) -> datetime | None:
        """When a person last lifted a daily pause of today."""
        return queries.resumed_at(self.trader_id, _DAILY, self.day.start)

    @cached_property
    def loss_at_resume(self) -> DayLoss | None:
        """The day's loss when a person last lifted a daily pause of today; None if nobody did."""
        if self.resumed_today is None:
            return None
        resumed_ms = int(self.resumed_today.timestamp() * 1000)
        found = queries.last_points(self.trader_id, until_ms=resumed_ms, most=1)
        return self.loss_at(found[-1]) if found else None

    @cached_property
    def peak(self) -> Peak | None:
        resumed = queries.resumed_at(self.trader_id, [GuardName.DRAWDOWN.cause])
        return writer.peak_of(self.trader_id, int(resumed.timestamp() * 1000) if resumed else 0, self.flows)
