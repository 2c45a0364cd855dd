"""What is wanted of a trader, computed from the rows of `trader_controls`: for any of their beginnings and any moment.

Three things are independent of each other: the run state (the last of start, stop, drain), the set of pauses, and the
fleet stop, after whose release each trader waits for its turn. The most restrictive counts: stopped, then an entry ban,
then running.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from traders.schema.controls.rows import (
    CLOSE_EXPIRES,
    GUARD_PREFIX,
    PIN_KINDS,
    RUN_KINDS,
    STOPPING_KINDS,
    Control,
    ControlKind,
)
from traders.schema.messages import MessageError, MomentText, TranslatableText, _, pgettext

STALE_EQUITY_AT_LEAST = timedelta(minutes=5)


class WantedEffect(StrEnum):
    """What a trader may do: everything, only close and reduce, nothing."""

    RUNNING = "running"
    ENTRIES_BANNED = "entries_banned"
    STOPPED = "stopped"


class CauseKind(StrEnum):
    FLEET_STOP = "fleet_stop"
    RELEASED = "released"
    RETIRED = "retired"
    DRAIN = "drain"
    PAUSE = "pause"
    STALE_EQUITY = "stale_equity"
    DIFFERENCES = "differences"
    STOP = "stop"
    NOT_STARTED = "not_started"
    FLAT = "flat"


class UnknownControl(MessageError):
    def __init__(self, control_id: int) -> None:
        super().__init__(_("there is no control %(control_id)s of this trader or the fleet", control_id=control_id))


_STOPS = frozenset({CauseKind.STOP, CauseKind.NOT_STARTED, CauseKind.FLAT})


@dataclass(frozen=True, slots=True)
class TraderFacts:
    """What beside the controls decides of a trader. `is_flat` None: not known. `auto_start` and the interval, in
    seconds, are of the version in force, `retired` of the newest. `differences` counts those with the exchange that are
    not settled. Without a `trader_id` or an interval a trader starts at once after a release."""

    auto_start: bool = True
    retired: bool = False
    is_flat: bool | None = None
    equity_is_stale: bool = False
    differences: int = 0
    trader_id: str = ""
    decision_interval_seconds: int = 0


@dataclass(frozen=True, slots=True)
class WantedCause:
    """Why a trader may not do everything. `control` is the row that asks for it, None where none does. `until` is
    where it ends by itself."""

    kind: CauseKind
    text: TranslatableText
    control: Control | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class WantedState:
    """`run` is the last start, stop or drain, None before the first. `pauses` and `closes` are those that hold at the
    moment. `starts_at` is set from a release of the fleet until the trader's own turn. `last` is the newest row about
    the trader or the fleet."""

    facts: TraderFacts
    run: Control | None
    pauses: tuple[Control, ...]
    fleet_stop: Control | None
    pin: Control | None
    closes: tuple[Control, ...]
    last: Control | None
    starts_at: datetime | None = None

    @property
    def pinned_version(self) -> int | None:
        return self.pin.version if self.pin else None

    @property
    def starts(self) -> bool:
        """Whether the run state is that of a trader that runs or drains."""
        return self.facts.auto_start if self.run is None else self.run.kind is not ControlKind.STOP

    @property
    def is_draining(self) -> bool:
        return self.run is not None and self.run.kind is ControlKind.DRAIN

    @property
    def causes(self) -> tuple[WantedCause, ...]:
        """All of them, the most restrictive first; empty for a trader that may do everything."""
        return (*self._stops(), *self._bans())

    @property
    def effect(self) -> WantedEffect:
        return _effect(self.causes)

    @property
    def entries_allowed(self) -> bool:
        return self.effect is WantedEffect.RUNNING

    @property
    def is_banned_by_control(self) -> bool:
        """Whether somebody, or a guard, asked for no entries; not so for a trader that nobody has started yet."""
        return any(cause.control is not None or cause.kind is CauseKind.RETIRED for cause in self.causes)

    def _stops(self) -> list[WantedCause]:
        found = []
        if self.run is None and not self.facts.auto_start:
            found.append(WantedCause(CauseKind.NOT_STARTED, _("not started: auto_start is off")))
        elif self.run is not None and self.run.kind is ControlKind.STOP:
            found.append(WantedCause(CauseKind.STOP, _("stopped by %(by)s", by=_by(self.run)), self.run))
        if self.facts.is_flat and (self.is_draining or self.facts.retired):
            drained = self.run if self.is_draining else None
            found.append(WantedCause(CauseKind.FLAT, _("all positions are closed"), drained))
        return found

    def _bans(self) -> list[WantedCause]:
        found = []
        if self.fleet_stop is not None:
            found.append(
                WantedCause(CauseKind.FLEET_STOP, _("fleet stop by %(by)s", by=_by(self.fleet_stop)), self.fleet_stop)
            )
        if self.starts_at is not None:
            words = _("released, starts at %(moment)s", moment=MomentText(self.starts_at))
            found.append(WantedCause(CauseKind.RELEASED, words, until=self.starts_at))
        if self.facts.retired:
            found.append(WantedCause(CauseKind.RETIRED, _("the trader is retired")))
        if self.is_draining and self.run is not None:
            found.append(WantedCause(CauseKind.DRAIN, _("draining, asked by %(by)s", by=_by(self.run)), self.run))
        found += [WantedCause(CauseKind.PAUSE, pause_words(pause), pause, pause.until) for pause in self.pauses]
        if self.facts.equity_is_stale:
            found.append(WantedCause(CauseKind.STALE_EQUITY, _("equity is stale")))
        if self.facts.differences:
            words = _("differences with the exchange are not settled: %(count)s", count=self.facts.differences)
            found.append(WantedCause(CauseKind.DIFFERENCES, words))
        return found


def wanted(rows: Iterable[Control], facts: TraderFacts, moment: datetime) -> WantedState:
    """`rows` are those of one trader and of the fleet, in any order; later ones than `moment` do not count."""
    run = fleet = last = released = None
    pauses: list[Control] = []
    closes: list[Control] = []
    counted = sorted((row for row in rows if row.at <= moment), key=lambda row: row.id)
    for row in counted:
        last = row
        if row.trader_id is None:
            fleet, released = (row, None) if row.kind is ControlKind.STOP else (None, row)
        elif row.kind in RUN_KINDS:
            run = row
        elif row.kind is ControlKind.PAUSE:
            pauses.append(row)
        elif row.kind is ControlKind.RESUME:
            pauses = [pause for pause in pauses if pause.cause != row.cause]
        elif row.kind is ControlKind.CLOSE:
            closes.append(row)
    starts_at = _starts_at(released, facts)
    return WantedState(
        facts=facts,
        run=run,
        pauses=tuple(pause for pause in pauses if pause.holds(moment)),
        fleet_stop=fleet,
        pin=pin_in_force(counted, moment),
        closes=tuple(close for close in closes if close.holds(moment)),
        last=last,
        starts_at=starts_at if starts_at is not None and starts_at > moment else None,
    )


def pin_in_force(rows: Iterable[Control], moment: datetime) -> Control | None:
    """The last pin, in any order of the rows, unless an unpin came after it."""
    pins = [row for row in rows if row.kind in PIN_KINDS and row.at <= moment]
    last = max(pins, key=lambda row: row.id, default=None)
    return last if last is not None and last.kind is ControlKind.PIN else None


def spread(trader_id: str, decision_interval_seconds: int) -> timedelta:
    """How long after a release of the fleet a trader begins: a part of its interval that its id alone decides, so that
    a fleet does not send all its orders and calls at once."""
    part = int.from_bytes(hashlib.blake2b(trader_id.encode(), digest_size=8).digest()) / 2**64
    return timedelta(seconds=int(part * decision_interval_seconds))


def is_banned_throughout(
    rows: Sequence[Control], facts: TraderFacts, *, since: datetime, until: datetime
) -> WantedState | None:
    """What was wanted at `until`, where a control banned entries at every moment from `since` on; else None."""
    changes = {row.at for row in rows} | {row.until for row in rows if row.until is not None}
    moments = [since, *sorted(moment for moment in changes if since < moment < until), until]
    states = [wanted(rows, facts, moment) for moment in moments]
    return states[-1] if all(state.is_banned_by_control for state in states) else None


def equity_is_stale(last_at: datetime | None, *, decision_interval_seconds: int, now: datetime) -> bool:
    """A trader without any equity point has none that could be old."""
    allowed = max(timedelta(seconds=2 * decision_interval_seconds), STALE_EQUITY_AT_LEAST)
    return last_at is not None and now - last_at > allowed


def close_expires(moment: datetime) -> datetime:
    return moment + CLOSE_EXPIRES


def default_close_cooldown(decision_interval_seconds: int) -> timedelta:
    return max(timedelta(minutes=15), timedelta(seconds=2 * decision_interval_seconds))


KIND_WORDS: dict[ControlKind, TranslatableText] = {
    ControlKind.START: pgettext("control", "start"),
    ControlKind.STOP: pgettext("control", "stop"),
    ControlKind.DRAIN: pgettext("control", "drain"),
    ControlKind.PAUSE: pgettext("control", "pause"),
    ControlKind.RESUME: pgettext("control", "resume"),
    ControlKind.CLOSE: pgettext("control", "close"),
    ControlKind.PIN: pgettext("control", "pin"),
    ControlKind.UNPIN: pgettext("control", "unpin"),
    ControlKind.COOLDOWN: pgettext("control", "cooldown"),
    ControlKind.CLEAR_COOLDOWN: pgettext("control", "clear cooldown"),
    ControlKind.RELEASE: pgettext("control", "release"),
}


def pause_words(pause: Control) -> TranslatableText:
    until = MomentText(pause.until) if pause.until else ""
    if pause.cause and pause.cause.startswith(GUARD_PREFIX):
        name, reason = pause.cause.removeprefix(GUARD_PREFIX), pause.reason
        if not until:
            return _("paused by the guard %(name)s: %(reason)s", name=name, reason=reason)
        return _("paused by the guard %(name)s until %(until)s: %(reason)s", name=name, until=until, reason=reason)
    if not until:
        return _("paused by %(by)s", by=_by(pause))
    return _("paused by %(by)s until %(until)s", by=_by(pause), until=until)


def state_json(state: WantedState) -> dict[str, Any]:
    """What is wanted, for engines: `desired` of the engine API."""
    causes = state.causes
    first = next((cause.control for cause in causes if cause.control is not None), state.run)
    return {
        "state": _effect(causes).value,
        "by": first.actor if first else None,
        "at": first.at if first else None,
        "reason": first.reason if first else None,
        "run": state.run.kind.value if state.run else None,
        "causes": [
            {
                "kind": cause.kind.value,
                "text": str(cause.text),
                "control_id": cause.control.id if cause.control else None,
                "until": cause.until,
            }
            for cause in causes
        ],
        "version": state.pinned_version,
        "closes": [
            {
                "control_id": close.id,
                "symbol": close.symbol,
                "until": close.until,
                "reduce_only": True,
                "positions": close.detail.get("positions", []),
            }
            for close in state.closes
        ],
        "control_id": state.last.id if state.last else None,
    }


def needs_little(kind: ControlKind) -> bool:
    """Whether it only takes risk away."""
    return kind in STOPPING_KINDS


def state_kind(state: WantedState) -> tuple[Any, ...]:
    """States of the same kind have the same `state_json`, whichever traders they are of."""
    facts, single = state.facts, (state.run, state.fleet_stop, state.pin, state.last)
    return (
        (facts.auto_start, facts.retired, facts.is_flat, facts.equity_is_stale, facts.differences, state.starts_at),
        tuple(row.id if row is not None else None for row in single),
        tuple(row.id for row in state.pauses),
        tuple(row.id for row in state.closes),
    )


def _effect(causes: Sequence[WantedCause]) -> WantedEffect:
    if any(cause.kind in _STOPS for cause in causes):
        return WantedEffect.STOPPED
    return WantedEffect.ENTRIES_BANNED if causes else WantedEffect.RUNNING


def _starts_at(released: Control | None, facts: TraderFacts) -> datetime | None:
    if released is None or not facts.trader_id:
        return None
    return released.at + spread(facts.trader_id, facts.decision_interval_seconds)


def _by(row: Control) -> TranslatableText:
    return _("%(actor)s: %(reason)s", actor=row.actor, reason=row.reason)
