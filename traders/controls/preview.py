"""What a control would do, and asking for it as it was shown: nothing happens where something moved since."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.utils import timezone

from traders.controls import facts, services, writer
from traders.controls.facts import PositionNow
from traders.controls.rules import WantedEffect, WantedState
from traders.controls.services import Asked, Written
from traders.controls.wanted import wanted_of
from traders.models import TraderConfig
from traders.runtime.cooldowns.writer import holding_symbols
from traders.schema import jsonio
from traders.schema.controls.rows import OPERATOR, RUN_KINDS, STOPPING_KINDS, Control, ControlKind
from traders.schema.messages import MessageError, _
from traders.versions.rules.errors import UnknownConfig

ASKED_NOW = 0
"""The id, in a preview, of the control that is not yet written."""


class MovedMeanwhile(MessageError):
    """A control was asked for, a version saved, or a position opened or closed since the preview."""

    def __init__(self) -> None:
        super().__init__(_("something changed since this page was made: look again"))


@dataclass(frozen=True, slots=True)
class TraderPreview:
    """One trader now and after the control. `version` is the newest one."""

    trader_id: str
    name: str
    version: int
    before: WantedState
    after: WantedState
    positions: Sequence[PositionNow]
    cooldowns: Sequence[str]

    @property
    def will_trade(self) -> bool:
        return self.after.entries_allowed and not self.before.entries_allowed

    @property
    def effect_after(self) -> WantedEffect:
        return self.after.effect

    @property
    def without_stop(self) -> list[PositionNow]:
        return [one for one in self.positions if not one.has_live_stop]


@dataclass(frozen=True, slots=True)
class ControlPreview:
    """`seen` stands for all that the preview shows."""

    kind: ControlKind
    traders: Sequence[TraderPreview]
    seen: str

    @property
    def positions(self) -> list[PositionNow]:
        return [one for trader in self.traders for one in trader.positions]

    @property
    def gross_usd(self) -> Decimal:
        return sum((one.notional_usd for one in self.positions if one.notional_usd is not None), Decimal(0))

    @property
    def without_stop(self) -> int:
        return sum(len(trader.without_stop) for trader in self.traders)

    @property
    def will_trade(self) -> list[TraderPreview]:
        return [trader for trader in self.traders if trader.will_trade]

    @property
    def held_causes(self) -> list[str]:
        """Whose pauses hold, people's first."""
        held = {pause.cause or OPERATOR for trader in self.traders for pause in trader.before.pauses}
        return sorted(held, key=lambda cause: (cause != OPERATOR, cause))


@dataclass(frozen=True, slots=True)
class ControlChoice:
    """What the form of a control has chosen so far. `keeps_trading`: a close that pauses nothing afterwards. `version`
    is the one to be pinned, None where none is chosen yet."""

    cause: str = OPERATOR
    keeps_trading: bool = False
    version: int | None = None


def preview(kind: ControlKind, trader_ids: Collection[str], chosen: ControlChoice = ControlChoice()) -> ControlPreview:
    """Raises UnknownConfig for one that does not exist."""
    rows = {row.pk: row for row in TraderConfig.objects.filter(pk__in=list(trader_ids)).only("display_name", "version")}
    for name in trader_ids:
        if name not in rows:
            raise UnknownConfig(name)
    return _preview(kind, rows, chosen)


def fleet_preview(kind: ControlKind) -> ControlPreview:
    """Of all traders in the fleet, and of retired ones that still hold something."""
    rows = {row.pk: row for row in TraderConfig.objects.only("display_name", "version", "retired")}
    holding = facts.open_positions(rows) or {}
    shown = {name: row for name, row in rows.items() if not row.retired or holding.get(name)}
    return _preview(kind, shown)


def control_as_seen(kind: ControlKind, trader_ids: Sequence[str], asked: Asked, *, seen: str) -> list[Written]:
    """Asks as `services.control`. What only takes risk away is never refused for its age; for all else raises
    MovedMeanwhile where the preview would be another one by now."""
    if kind in STOPPING_KINDS:
        return services.control(kind, trader_ids, asked)
    if kind is ControlKind.PIN:  # the versions never change, and the fleet's lock comes before that of controls
        return services.control(kind, trader_ids, asked)
    with writer.locked_controls():
        if preview(kind, trader_ids).seen != seen:
            raise MovedMeanwhile
        return services.control(kind, trader_ids, asked)


def fleet_control_as_seen(
    kind: ControlKind, *, reason: str, actor: str, seen: str, close_all: bool = False
) -> list[Written]:
    """Asks as `services.fleet_control`; a stop always, a release and closing only as it was shown."""
    if kind is ControlKind.STOP and not close_all:
        return services.fleet_control(kind, reason=reason, actor=actor)
    with writer.locked_controls():
        if fleet_preview(kind).seen != seen:
            raise MovedMeanwhile
        return services.fleet_control(kind, reason=reason, actor=actor, close_all=close_all)


def _preview(kind: ControlKind, rows: dict[str, TraderConfig], chosen: ControlChoice | None = None) -> ControlPreview:
    """`chosen` is None for a control of the fleet."""
    now = timezone.now()
    states, positions = wanted_of(list(rows), now), facts.open_positions(list(rows)) or {}
    cooldowns = holding_symbols(list(rows))
    shown = []
    for name, row in sorted(rows.items()):
        state, held = states[name], positions.get(name, ())
        if chosen is None:
            after = _after_fleet(kind, state, now)
        elif kind is ControlKind.CLOSE and not held:
            after = state
        else:
            after = _after(kind, state, chosen, now)
        shown.append(
            TraderPreview(
                name, row.display_name or name, row.version, state, after, held, sorted(cooldowns.get(name, ()))
            )
        )
    return ControlPreview(kind, shown, _fingerprint(kind, shown))


def _after(kind: ControlKind, state: WantedState, chosen: ControlChoice, now: datetime) -> WantedState:
    row = Control(ASKED_NOW, kind, "", "", "", now, cause=chosen.cause, version=chosen.version)
    if kind in RUN_KINDS:
        return replace(state, run=row)
    if kind is ControlKind.PAUSE:
        return replace(state, pauses=(*state.pauses, row))
    if kind is ControlKind.CLOSE:
        return state if chosen.keeps_trading else replace(state, pauses=(*state.pauses, row))
    if kind is ControlKind.RESUME:
        return replace(state, pauses=tuple(pause for pause in state.pauses if pause.cause != chosen.cause))
    if kind is ControlKind.PIN:
        return replace(state, pin=row)
    if kind is ControlKind.UNPIN:
        return replace(state, pin=None)
    return state


def _after_fleet(kind: ControlKind, state: WantedState, now: datetime) -> WantedState:
    return replace(state, fleet_stop=Control(ASKED_NOW, kind, None, "", "", now) if kind is ControlKind.STOP else None)


def _fingerprint(kind: ControlKind, shown: Sequence[TraderPreview]) -> str:
    """Other figures of the same positions move with every price, and are no reason to ask again. Cooldowns are what is
    cleared; nothing else depends on them."""
    told = [
        [
            one.trader_id,
            one.version,
            one.before.effect.value,
            one.before.last.id if one.before.last else 0,
            sorted(position.id for position in one.positions),
            *(one.cooldowns if kind is ControlKind.CLEAR_COOLDOWN else ()),
        ]
        for one in shown
    ]
    return hashlib.sha256(jsonio.dumps(told).encode()).hexdigest()[:32]
