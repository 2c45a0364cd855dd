"""Limits of the whole fleet: its loss of the day, its exposure, and what its models use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from traders.controls import queries as controls_now
from traders.controls import services as controls
from traders.manager_yaml.budget import ModelBudget, model_budget
from traders.manager_yaml.file import InvalidFile
from traders.schema.controls.rows import ControlKind
from traders.schema.messages import TranslatableText, _
from traders.schema.settings.fleet import FLEET_ID, FleetSpec, ManagerSection
from traders.versions import services as configs
from trading.alarms import queries as alarm_queries
from trading.alarms import services as alarms
from trading.alarms.rules.catalogue import AlarmName
from trading.analytics.today.days import DayLoss, day_loss
from trading.analytics.today.exposure import Exposure, MarkedPosition
from trading.guards import queries, writer
from trading.guards.look import site_day
from trading.guards.rules.days import SiteDay
from trading.guards.rules.names import GuardName
from trading.guards.rules.standing import GuardStanding
from trading.guards.services import lift, pause
from trading.live.unrealized import exposures_now
from trading.record.stored import transfers
from trading.record.stored.equity.realized import realized_at
from trading.record.stored.symbols import underlyings_of
from trading.schema.common import Side
from trading.schema.facts import EquityPoint, Flow


@dataclass(frozen=True, slots=True)
class _TraderEquity:
    """The last good point of a trader, the one before it (the last again where it is the only one), and the first of
    the day; None where the day has none."""

    last: EquityPoint
    before: EquityPoint
    first: EquityPoint | None
    flows: tuple[Flow, ...]

    def loss_at(self, point: EquityPoint) -> DayLoss:
        if self.first is None:
            return DayLoss(Decimal(0), Decimal(0))
        moved = (
            flow.amount for flow in self.flows if not flow.is_start and self.first.ts_ms < flow.ts_ms <= point.ts_ms
        )
        return day_loss(self.first.equity, sum(moved, Decimal(0)), point.equity)


@dataclass(frozen=True, slots=True)
class FleetStandings:
    """`net` is by underlying. `unmarked` positions have no fresh price and are counted at their entry price."""

    loss: GuardStanding
    gross: GuardStanding
    net: Mapping[str, GuardStanding]
    budget: GuardStanding
    unmarked: int = 0

    @property
    def all(self) -> list[GuardStanding]:
        return [self.loss, self.gross, *self.net.values(), self.budget]


def limits_are_set() -> bool:
    """Whether any limit of the fleet is on. Raises InvalidFile if llm.yaml cannot be read."""
    return _has_limit(_limits(), model_budget(settings.MANAGER_YAML.parent))


def standings(now: datetime | None = None) -> FleetStandings:
    """Where the fleet's limits stand. Raises InvalidFile if llm.yaml cannot be read."""
    now = now or timezone.now()
    limits, day = _limits(), site_day(now)
    equities = _equities(day, int(now.timestamp() * 1000))
    total = sum((one.last.equity for one in equities), Decimal(0))
    exposed = exposures_now([one.last.trader_id for one in equities])
    return FleetStandings(
        loss=_loss(limits, day, equities, int(now.timestamp() * 1000)),
        gross=_gross(limits, total, exposed),
        net=_net(limits, total, exposed),
        budget=_budget(model_budget(settings.MANAGER_YAML.parent), day),
        unmarked=sum(one.held - one.marked for one in exposed),
    )


@dataclass(frozen=True, slots=True)
class FilledOrder:
    """A fill that is in no position yet. `is_exit`: of all that the trader held in the symbol. `price` in USD."""

    trader_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    is_exit: bool = False


def limits_exposure() -> bool:
    limits = _limits()
    return bool(limits.fleet_max_gross_exposure_x or limits.fleet_max_net_exposure_pct_per_underlying)


def over_with(entry: FilledOrder, filled: Sequence[FilledOrder], now: datetime) -> TranslatableText | None:
    """Which exposure limit the fleet would exceed with this entry, and its figures; None: it may be sent. `filled` is
    what is in no position yet. An entry that makes the net exposure of its underlying smaller does not exceed that
    limit. Where no equity of the fleet is known, every limit that is set is exceeded."""
    limits, now_ms = _limits(), int(now.timestamp() * 1000)
    points = queries.fleet_points(now_ms, 1)
    total = sum((found[-1].equity for found in points.values()), Decimal(0))
    counted = [one for one in filled if one.trader_id in points]
    gone = {(one.trader_id, one.symbol) for one in counted if one.is_exit}
    names = underlyings_of({one.symbol for one in (entry, *counted)})
    entered = [
        MarkedPosition(names[one.symbol], one.side, one.quantity, one.price) for one in counted if not one.is_exit
    ]
    exposed = {one.underlying: one for one in exposures_now(list(points), gone=gone, more=entered)}
    name, worth = names[entry.symbol], entry.quantity * entry.price
    was = exposed.get(name, Exposure(name, Decimal(0), Decimal(0), 0, 0))
    grown = replace(was, gross=was.gross + worth, net=was.net + entry.side.sign * worth)
    found = [_gross(limits, total, [*(exposed | {name: grown}).values()])]
    if abs(grown.net) > abs(was.net):
        found.append(_net(limits, total, [grown])[name])
    for standing in found:
        if standing.is_on and (standing.used is None or standing.used > standing.limit):
            return _(
                "with this entry, %(label)s: %(figures)s",
                label=standing.guard.label,
                figures=standing.figures,
            )
    return None


def evaluate(now: datetime | None = None) -> list[GuardStanding]:
    """Acts on what the fleet's limits say, and returns those in breach. A loss stops the fleet, once for each day; too
    much exposure bans entries of all traders until it is less; a used-up budget bans them until the next day."""
    now = now or timezone.now()
    limits = _limits()
    budget = _readable_budget()
    if not _has_limit(limits, budget):
        _end_all()
        return []
    with writer.at_once():
        found = standings(now)
        _end_released()
        if found.loss.is_breached:
            _stop_fleet(found.loss)
        _hold_while(GuardName.FLEET_GROSS_EXPOSURE, [found.gross])
        _hold_while(GuardName.FLEET_NET_EXPOSURE, list(found.net.values()))
        _hold_to_budget(found.budget, budget, site_day(now))
    return [standing for standing in found.all if standing.is_breached]


def _end_all() -> None:
    """Where every limit was switched off, nothing of them holds any more."""
    _end_released()
    for name in (GuardName.FLEET_GROSS_EXPOSURE, GuardName.FLEET_NET_EXPOSURE):
        _hold_while(name, [])
    for subject in sorted(alarm_queries.open_subjects(AlarmName.BUDGET)):
        alarms.end_alarm(AlarmName.BUDGET, subject)


def _end_released() -> None:
    """The alarm of a stopped fleet ends with the stop."""
    stop, name = controls_now.fleet_stop(), GuardName.FLEET_DAILY_LOSS
    if stop is None or stop.actor != name.cause:
        alarms.end_alarm(AlarmName.GUARD_FIRED, f"fleet {name.value}")


def _has_limit(limits: ManagerSection, budget: ModelBudget) -> bool:
    return bool(
        limits.fleet_max_daily_loss_pct
        or limits.fleet_max_gross_exposure_x
        or limits.fleet_max_net_exposure_pct_per_underlying
        or budget.tokens
    )


def _limits() -> ManagerSection:
    stored = configs.stored(FLEET_ID)
    if stored is None:
        return ManagerSection.model_construct(
            fleet_max_daily_loss_pct=Decimal(0),
            fleet_max_gross_exposure_x=Decimal(0),
            fleet_max_net_exposure_pct_per_underlying=Decimal(0),
        )
    assert isinstance(stored.spec, FleetSpec)
    return stored.spec.detail.manager


def _readable_budget() -> ModelBudget:
    """Without limits where llm.yaml cannot be read: `standings` says so, and syncs are refused."""
    try:
        return model_budget(settings.MANAGER_YAML.parent)
    except InvalidFile:
        return ModelBudget()


def _equities(day: SiteDay, now_ms: int) -> list[_TraderEquity]:
    """Of every trader that has reported equity which counts."""
    lasts, firsts = queries.fleet_points(now_ms, 2), queries.fleet_points(day.start_ms, 1)
    flows = transfers.flows(list(lasts))
    found = []
    for trader_id, points in lasts.items():
        own = flows.get(trader_id, ())
        first = firsts[trader_id][-1] if trader_id in firsts else _began(own, now_ms)
        found.append(_TraderEquity(points[-1], points[0], first, own))
    return found


def _began(flows: tuple[Flow, ...], now_ms: int) -> EquityPoint | None:
    start = next((flow for flow in flows if flow.is_start and flow.ts_ms <= now_ms), None)
    return None if start is None else EquityPoint(start.trader_id, start.ts_ms, start.amount)


def _loss(limits: ManagerSection, day: SiteDay, equities: list[_TraderEquity], now_ms: int) -> GuardStanding:
    """A breach is one of two successive reports, or one that realized P&L confirms."""
    limit = limits.fleet_max_daily_loss_pct
    losses = _sum(one.loss_at(one.last) for one in equities)
    is_reached = bool(limit) and losses.pct is not None and losses.pct >= limit
    is_breached = is_reached and (
        (_sum(one.loss_at(one.before) for one in equities).pct or 0) >= limit
        or -_realized(equities, day, now_ms) / losses.capital * 100 >= limit
    )
    return GuardStanding(GuardName.FLEET_DAILY_LOSS, limit, losses.pct, is_breached, day.name)


def _sum(losses: Iterable[DayLoss]) -> DayLoss:
    whole = DayLoss(Decimal(0), Decimal(0))
    for loss in losses:
        whole = DayLoss(whole.usd + loss.usd, whole.capital + loss.capital)
    return whole


def _realized(equities: list[_TraderEquity], day: SiteDay, now_ms: int) -> Decimal:
    """Of the day, in USD, by fills."""
    names = [one.last.trader_id for one in equities]
    found = realized_at([(name, ms) for name in names for ms in (day.start_ms - 1, now_ms)])
    now = sum((found[name, now_ms].realized for name in names if (name, now_ms) in found), Decimal(0))
    before = (found[name, day.start_ms - 1].realized for name in names if (name, day.start_ms - 1) in found)
    return now - sum(before, Decimal(0))


def _gross(limits: ManagerSection, total: Decimal, exposed: list[Exposure]) -> GuardStanding:
    limit = limits.fleet_max_gross_exposure_x
    used = sum((one.gross for one in exposed), Decimal(0)) / total if total > 0 else None
    return GuardStanding(
        GuardName.FLEET_GROSS_EXPOSURE, limit, used, bool(limit) and used is not None and used >= limit
    )


def _net(limits: ManagerSection, total: Decimal, exposed: list[Exposure]) -> dict[str, GuardStanding]:
    limit = limits.fleet_max_net_exposure_pct_per_underlying
    found = {}
    for one in sorted(exposed, key=lambda one: -abs(one.net)):
        used = abs(one.net) / total * 100 if total > 0 else None
        found[one.underlying] = GuardStanding(
            GuardName.FLEET_NET_EXPOSURE,
            limit,
            used,
            bool(limit) and used is not None and used >= limit,
            one.underlying,
            note=_("in %(underlying)s", underlying=one.underlying),
        )
    return found


def _budget(budget: ModelBudget, day: SiteDay) -> GuardStanding:
    used = sum(queries.used_by_fleet(day.start, day.end).values()) if budget.tokens else 0
    limit = Decimal(budget.tokens)
    return GuardStanding(GuardName.FLEET_BUDGET, limit, Decimal(used), bool(limit) and used >= limit, day.name, day.end)


def _stop_fleet(loss: GuardStanding) -> None:
    """A person releases it; on the same day it is not stopped for this again."""
    cause = GuardName.FLEET_DAILY_LOSS.cause
    written = controls.fleet_control(ControlKind.STOP, reason=str(loss.words), actor=cause, once=loss.once)
    if any(row.is_new for row in written):
        alarms.raise_alarm(AlarmName.GUARD_FIRED, loss.words, subject=f"fleet {loss.name.value}")


def _hold_while(name: GuardName, found: list[GuardStanding]) -> None:
    """Pauses all traders while one of these is in breach, and resumes them after it."""
    breached = [standing for standing in found if standing.is_breached]
    subject = f"fleet {name.value}"
    if not breached:
        for trader_id in queries.paused_by(name.cause):
            lift(trader_id, name, _("the fleet's exposure is below its limit again"))
        alarms.end_alarm(AlarmName.GUARD_FIRED, subject)
        return
    words = breached[0].words
    for trader_id in sorted(set(queries.traders_now()) - set(queries.paused_by(name.cause))):
        pause(trader_id, name, words, once=None, is_quiet=True)
    alarms.raise_alarm(AlarmName.GUARD_FIRED, words, subject=subject)


def _hold_to_budget(standing: GuardStanding, budget: ModelBudget, day: SiteDay) -> None:
    """Near the limit an alarm; at a strict one flat traders open nothing until the next day, others from
    `BUDGET_OVER_PCT` of it on."""
    is_near = bool(budget.tokens) and (standing.used or 0) * 100 >= budget.tokens * budget.alert_pct
    today = f"fleet {standing.name.value} {day.name}"
    for subject in sorted(alarm_queries.open_subjects(AlarmName.BUDGET) - ({today} if is_near else set())):
        alarms.end_alarm(AlarmName.BUDGET, subject)
    if is_near:
        alarms.raise_alarm(AlarmName.BUDGET, _near(standing), subject=today)
    if standing.used is None:
        return
    if not (budget.is_strict and standing.is_breached):
        return
    is_over = standing.used * 100 >= standing.limit * settings.BUDGET_OVER_PCT
    for trader_id in queries.traders_now():
        if is_over or queries.is_flat(trader_id):
            pause(trader_id, standing.name, standing.words, once=standing.once, until=day.end, is_quiet=True)


def _near(standing: GuardStanding) -> TranslatableText:
    return _(
        "the models have used %(used)s of %(limit)s tokens of the day",
        used=f"{standing.used or 0:,.0f}",
        limit=f"{standing.limit:,.0f}",
    )
