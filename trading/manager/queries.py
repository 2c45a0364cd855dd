"""What the manager reads: configurations in force, orders, cooldowns, and the money of a trader."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Q
from pydantic import TypeAdapter, ValidationError

from traders.controls.rules import WantedState
from traders.controls.wanted import spec_to_run, wanted_of
from traders.database import sql
from traders.models import TraderRuntimeState
from traders.schema.runtime import StoredMoment
from traders.schema.settings.fleet import FLEET_ID, FleetSpec, ManagerSection
from traders.schema.settings.stored import StoredConfig
from traders.schema.settings.trader import OrderStyle, TraderSpec
from traders.versions import queries as configs
from traders.versions import services as versions
from trading.manager.protocols import OrderAsked, OrderFilled, OrderKind, OrderStanding, OrderState
from trading.manager.rules.orders import AGAIN
from trading.manager.rules.watching import WatchedPosition
from trading.manager_models import ManagerCycle, ManagerOrder
from trading.models import Symbol
from trading.record.stored import transfers
from trading.record.stored.equity.realized import realized_at
from trading.schema.common import Side
from trading.schema.decision import DecisionDetail, JournalCooldown

log = logging.getLogger(__name__)
_MOMENT: TypeAdapter[datetime] = TypeAdapter(StoredMoment)


@dataclass(frozen=True)
class TraderNow:
    """A trader as the manager runs it: the pinned version, else the newest, and what is wanted of it. It runs since its
    first capital."""

    version: int
    spec: TraderSpec
    state: WantedState
    running_since: datetime | None = None

    @property
    def interval_seconds(self) -> int:
        return self.spec.detail.llm.decision_interval_seconds


class FleetReader:
    """Reads configurations again only where their number has changed. A trader whose configuration cannot be read, as
    another program may have stored it, is left out and named in the log."""

    def __init__(self) -> None:
        self._configs: dict[tuple[str, int], StoredConfig] = {}
        self._unreadable: set[tuple[str, int]] = set()

    def read(self, trader_ids: Collection[str] | None = None, now: datetime | None = None) -> dict[str, TraderNow]:
        """{trader_id: it}, of those that exist."""
        newest = configs.newest_numbers(trader_ids)
        newest.pop(FLEET_ID, None)
        states = wanted_of(newest, now)
        pinned = {name: state.pinned_version for name, state in states.items() if state.pinned_version is not None}
        self._load({*newest.items(), *pinned.items()})
        found = {}
        for name, state in states.items():
            current = self._configs.get((name, newest[name]))
            if current is None:
                continue
            number = pinned.get(name, newest[name])
            in_force = self._configs.get((name, number), current)
            spec = spec_to_run(in_force, current) if name in pinned else in_force.spec
            assert isinstance(spec, TraderSpec)  # the fleet's settings were taken out
            found[name] = TraderNow(in_force.version, spec, state)
        return found

    def at_version(self, trader: TraderNow, number: int) -> TraderNow:
        """The trader under another of its versions; as it is where it has none of that number."""
        key = (trader.spec.id, number)
        self._load([key])
        if key not in self._configs:
            return trader
        spec = self._configs[key].spec
        assert isinstance(spec, TraderSpec)  # the key names a trader
        return replace(trader, version=number, spec=spec)

    def _load(self, wanted: Collection[tuple[str, int]]) -> None:
        missing = [key for key in wanted if key not in self._configs and key not in self._unreadable]
        if not missing:
            return
        try:
            self._configs.update(configs.numbered(missing))
        except ValidationError:
            for key in missing:
                self._load_one(key)

    def _load_one(self, key: tuple[str, int]) -> None:
        try:
            self._configs.update(configs.numbered([key]))
        except ValidationError as error:
            self._unreadable.add(key)
            wrong = error.errors(include_url=False, include_input=False, include_context=False)
            paths = ", ".join(".".join(map(str, one["loc"])) for one in wrong)
            log.error("v%s of %s cannot be read, and the trader is not run: %s", key[1], key[0], paths)


def fleet_settings() -> ManagerSection | None:
    """None before the first sync."""
    stored = versions.stored(FLEET_ID)
    if stored is None:
        return None
    assert isinstance(stored.spec, FleetSpec)
    return stored.spec.detail.manager


@dataclass(frozen=True, slots=True)
class OpenCycle:
    """A cycle that a manager left unfinished."""

    trader_id: str
    number: int
    config_version: int
    is_answered: bool
    opened_at: datetime
    seen: DecisionDetail


def unfinished(trader_ids: Collection[str]) -> list[OpenCycle]:
    rows = ManagerCycle.objects.filter(pk__in=list(trader_ids)).exclude(state="done").order_by("pk")
    return [
        OpenCycle(
            row.pk,
            row.number,
            row.config_version,
            row.state == "answered",
            row.opened_at,
            DecisionDetail.model_validate(row.detail),
        )
        for row in rows
    ]


def order(trader_id: str, client_order_id: str) -> OrderStanding | None:
    row = ManagerOrder.objects.filter(trader=trader_id, client_order_id=client_order_id).first()
    return _standing(row) if row else None


def resting(trader_id: str, symbol: str | None = None) -> list[OrderStanding]:
    """The trader's orders that wait for their price, oldest first."""
    rows = ManagerOrder.objects.filter(trader=trader_id, is_recorded=False, state=OrderState.RESTING)
    if symbol is not None:
        rows = rows.filter(symbol=symbol)
    return [_standing(row) for row in rows.order_by("sent_at", "client_order_id")]


def filled_and_not_recorded(trader_id: str) -> list[OrderStanding]:
    rows = ManagerOrder.objects.filter(trader=trader_id, is_recorded=False, state=OrderState.FILLED)
    return [_standing(row) for row in rows.order_by("filled_at", "client_order_id")]


@dataclass(frozen=True, slots=True)
class Funds:
    """In USD: what was moved in and out, and what was realized. `cooldowns` are those that hold, by symbol."""

    moved: Decimal
    realized: Decimal
    cooldowns: tuple[JournalCooldown, ...] = ()


_MONEY = """
SELECT (SELECT sum(amount_usd) FROM equity_transfers WHERE trader_id = %(trader_id)s AND ts_ms <= %(now_ms)s) AS moved,
       ARRAY(SELECT json_build_array(symbol, (extract(epoch FROM cooldown_until) * 1000)::bigint)
               FROM trader_symbol_cooldowns WHERE trader_id = %(trader_id)s AND cooldown_until > %(now)s
              ORDER BY symbol) AS cooldowns
"""


def funds(trader_id: str, now: datetime) -> Funds | None:
    """None for a trader without capital."""
    now_ms = _ms(now)
    [row] = sql.rows(_MONEY, {"trader_id": trader_id, "now": now, "now_ms": now_ms})
    if row.moved is None:
        return None
    found = realized_at([(trader_id, now_ms)]).get((trader_id, now_ms))
    cooldowns = tuple(JournalCooldown(symbol=symbol, until_ms=until_ms) for symbol, until_ms in row.cooldowns)
    return Funds(row.moved, found.realized if found else Decimal(0), cooldowns)


def has_capital(trader_id: str) -> bool:
    return bool(transfers.flows([trader_id]))


def in_no_position_yet() -> list[OrderStanding]:
    """What filled for any trader and is not recorded."""
    rows = ManagerOrder.objects.filter(is_recorded=False, state=OrderState.FILLED)
    return [_standing(row) for row in rows.order_by("filled_at", "client_order_id")]


def ended(trader_id: str, symbol: str, action: str, state: OrderState) -> tuple[int, datetime | None]:
    """How many orders of this action, its repetitions included, ended so, and when the last of them was sent."""
    named = Q(action=action) | Q(action__startswith=f"{action}{AGAIN}")
    rows = ManagerOrder.objects.filter(named, trader=trader_id, symbol=symbol, state=state)
    found = rows.aggregate(times=Count("client_order_id"), last=Max("sent_at"))
    return found["times"], found["last"]


@dataclass(slots=True)
class Watched:
    """What may move for a trader between its decisions. `is_unclear`: a fill waits for its record, or a leaf of a
    position is not readable, so the trader is looked at in whole."""

    held: list[WatchedPosition] = field(default_factory=list)
    is_unclear: bool = False


# Leaves of a plan as texts: one that is no number costs one trader a longer look, not all of them theirs.
_HELD = """
SELECT trader_id, symbol, side, entry_price, coalesce(leverage, 1) AS leverage,
       detail #>> '{exit_plan,sl_price}' AS stop, detail #>> '{exit_plan,tp_price}' AS target,
       detail #>> '{exit_plan,trailing_stop_pct}' AS trailing,
       greatest(opened_ms, (SELECT max((event ->> 'at_ms')::numeric)
                              FROM jsonb_path_query(detail, '$.events[*] ? (@.funding != null)') AS event
                             WHERE jsonb_typeof(event -> 'at_ms') = 'number')) AS funded_ms
  FROM positions WHERE trader_id = ANY (%s) AND status = 'open' AND exclusion_id IS NULL
"""
_MOVING = """
SELECT trader_id, symbol, kind, state, trigger_price FROM manager_orders WHERE trader_id = ANY (%s) AND NOT is_recorded
"""


def _held(row: Any, resting: Mapping[OrderKind, Decimal | None]) -> WatchedPosition:
    return WatchedPosition(
        symbol=row.symbol,
        side=Side(row.side),
        entry_price=_finite(row.entry_price),
        leverage=_finite(row.leverage),
        funded_ms=int(row.funded_ms),
        stop=None if row.stop is None else _finite(row.stop),
        target=None if row.target is None else _finite(row.target),
        trailing_stop_pct=None if row.trailing is None else _finite(row.trailing),
        resting=resting,
    )


def _finite(value: Any) -> Decimal:
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"{value} is no number to compare with")
    return number


def watched(trader_ids: Collection[str]) -> dict[str, Watched]:
    """The traders with an open position or an order that moves: two statements for all of them."""
    found: dict[str, Watched] = {}
    orders: dict[tuple[str, str], dict[OrderKind, Decimal | None]] = {}
    for row in sql.rows(_MOVING, [list(trader_ids)]):
        trader = found.setdefault(row.trader_id, Watched())
        if row.state == OrderState.RESTING:
            orders.setdefault((row.trader_id, row.symbol), {})[OrderKind(row.kind)] = row.trigger_price
        elif row.state == OrderState.FILLED and row.kind != OrderKind.ENTRY:
            trader.is_unclear = True
    for row in sql.rows(_HELD, [list(trader_ids)]):
        trader = found.setdefault(row.trader_id, Watched())
        try:
            trader.held.append(_held(row, orders.get((row.trader_id, row.symbol), {})))
        except (ArithmeticError, TypeError, ValueError):
            trader.is_unclear = True
    return found


def lots() -> Mapping[str, Decimal]:
    """{symbol: the smallest step of its quantity}, where it is known."""
    rows = Symbol.objects.exclude(quantity_decimals=None).values_list("symbol", "quantity_decimals")
    return {symbol: Decimal(1).scaleb(-decimals) for symbol, decimals in rows if decimals is not None}


def versions_that_ran(trader_ids: Collection[str]) -> dict[str, int]:
    """{trader_id: the version that was reported last}, of those of which one was."""
    rows = TraderRuntimeState.objects.filter(pk__in=list(trader_ids)).exclude(active_config_version=None)
    return {name: version for name, version in rows.values_list("pk", "active_config_version") if version is not None}


def reported_next(trader_ids: Collection[str]) -> dict[str, datetime]:
    """When the last reports said that each trader decides next. Left out where that is no moment: other programs write
    the row too."""
    found = {}
    for row in TraderRuntimeState.objects.filter(pk__in=list(trader_ids)).only("detail"):
        decision = row.detail.get("decision") if isinstance(row.detail, dict) else None
        text = decision.get("next_at") if isinstance(decision, dict) else None
        if isinstance(text, str):
            with suppress(ValidationError):
                found[row.pk] = _MOMENT.validate_python(text)
    return found


def _standing(row: ManagerOrder) -> OrderStanding:
    asked = OrderAsked(
        client_order_id=row.client_order_id,
        trader_id=row.trader_id,
        cycle_number=row.cycle,
        action=row.action,
        symbol=row.symbol,
        kind=OrderKind(row.kind),
        side=Side(row.side),
        quantity=row.quantity,
        style=OrderStyle(row.style),
        slippage_bps=row.slippage_bps,
        leverage=row.leverage,
        limit_price=row.limit_price,
        trigger_price=row.trigger_price,
    )
    fill = None
    if row.state == OrderState.FILLED and row.filled_at is not None:
        fill = OrderFilled(
            row.client_order_id, row.fill_price, row.fill_quantity, row.commission, row.filled_at, row.is_liquidation
        )
    return OrderStanding(asked, OrderState(row.state), fill, row.reason)


def _ms(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp() * 1000)
