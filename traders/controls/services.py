"""One way to every control, for pages, commands, the API and guards."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from traders.controls import facts, queries, rules, writer
from traders.controls import pins as pinning
from traders.controls.facts import PositionNow
from traders.controls.rules import UnknownControl, WantedState
from traders.controls.wanted import wanted_of
from traders.models import TraderControlAck
from traders.runtime.cooldowns import writer as cooldowns
from traders.runtime.spelling import spelled
from traders.schema.actors import PROGRAM_PREFIXES, RESTORE, account_id_of
from traders.schema.controls.rows import (
    FLEET_KINDS,
    OPERATOR,
    RUN_KINDS,
    TRADER_KINDS,
    AckResult,
    Control,
    ControlKind,
    NewControl,
)
from traders.schema.messages import TranslatableText, _
from traders.schema.moments import LATEST
from traders.schema.problems import InvalidConfig, Problem, shown
from traders.schema.symbols import is_symbol
from traders.versions import services as configs
from traders.versions.lock import locked_fleet
from traders.versions.reason import required_reason
from traders.versions.rules.errors import UnknownConfig


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of each trader, beside the kind. `cause` names whose pauses are meant: people's, or a guard's.
    `once` keeps a guard, or a request that is sent again, from writing a second row; it belongs to one request."""

    reason: str
    actor: str
    until: datetime | None = None
    version: int | None = None
    symbol: str | None = None
    cause: str = OPERATOR
    keep_trading: bool = False
    once: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Written:
    """A row, and whether it is new: what is asked for again stands already."""

    control: Control
    is_new: bool = True


def control(kind: ControlKind, trader_ids: Collection[str], asked: Asked) -> list[Written]:
    """Asks for the same of each trader, all or nothing, within the caller's transaction if there is one. What stands
    already is written no second time; what has no object (resume without a pause, unpin without a pin) writes no row.

    Raises UnknownConfig, UnknownVersion, and InvalidConfig with what is wrong at its field.
    """
    names = list(dict.fromkeys(trader_ids))
    reason = required_reason(asked.reason)
    now = timezone.now()
    _require_fitting(kind, names, asked, now)
    with ExitStack() as locks:
        if kind is ControlKind.PIN:
            fleet = locks.enter_context(locked_fleet())
            pinning.require_allowed(fleet, names, asked.version or 0)
        locks.enter_context(writer.locked_controls())
        states = wanted_of(names)
        for name in names:
            if name not in states:
                raise UnknownConfig(name)
        ask = _Ask(kind, asked, reason, now, states, facts.open_positions(names) or {})
        return [written for name in names for written in ask.of(name)]


def fleet_control(
    kind: ControlKind, *, reason: str, actor: str, close_all: bool = False, once: str | None = None
) -> list[Written]:
    """`stop`: no trader opens anything, exits go on; `release` ends it, and lifts no trader's stop or pause. With
    `close_all` a stop also closes all positions. `once` as in `Asked`. Raises InvalidConfig."""
    if kind not in FLEET_KINDS:
        raise InvalidConfig([Problem("kind", _("must be stop or release for the fleet, was %(kind)s", kind=kind))])
    if close_all and kind is not ControlKind.STOP:
        raise InvalidConfig([Problem("close_all", _("belongs to a stop"))])
    reason = required_reason(reason)
    with writer.locked_controls():
        if before := _asked_before(kind, None, once):
            return [Written(before, is_new=False)]
        last = queries.last_of_fleet()
        is_stopped = last is not None and last.kind is ControlKind.STOP
        if kind is ControlKind.RELEASE and is_stopped:
            _require_person(actor)
        written: list[Written] = []
        if (
            last is not None
            and (kind is ControlKind.STOP) == is_stopped
            and (kind is ControlKind.RELEASE or last.actor == actor)
        ):
            written.append(Written(last, is_new=False))
        elif kind is ControlKind.STOP or is_stopped:
            row = NewControl(kind, None, reason, actor, once=once, account_id=account_id_of(actor))
            written.append(Written(*writer.write(row)))
        if close_all:
            names = sorted(facts.holding())
            asked = Asked(reason, actor, keep_trading=True)
            written += control(ControlKind.CLOSE, names, asked) if names else []
        return written


def _require_person(actor: str) -> None:
    """What engines did between a backup and its restoration is known to nobody here, so that a person has to look."""
    if actor.startswith(PROGRAM_PREFIXES) and queries.is_stopped_since_a_restore():
        right = _("must not be release: the fleet was stopped after a backup was restored; a person releases it")
        raise InvalidConfig([Problem("kind", right)])


def restored() -> list[Written]:
    """After a backup was restored: engines may have traded on since, so the fleet is stopped until a person releases
    it, and cursors from after the backup are of another history."""
    with writer.locked_controls():
        writer.leave_room_for_lost_positions()
        reason = _("a backup was restored: compare open positions with the exchange, then release")
        return fleet_control(ControlKind.STOP, reason=reason, actor=RESTORE)


def acknowledge(
    *, trader_id: str, control_id: int, result: AckResult, note: str, at: datetime, actor: str
) -> TraderControlAck:
    """An engine says what became of a control. Raises UnknownControl for one of another trader."""
    found = queries.numbered([control_id]).get(control_id)
    if found is None or found.trader_id not in (None, trader_id):
        raise UnknownControl(control_id)
    configs.existing_trader(trader_id)
    return writer.acknowledge(control_id, trader_id, result=result, note=note, at=at, actor=actor)


def acknowledge_done(done: Collection[tuple[int, str]], *, at: datetime, actor: str) -> None:
    """An engine has done these controls of these traders, as (control, trader): it has just read them, and said nothing
    of them before. One statement for a thousand."""
    writer.acknowledge_done(done, at=at, actor=actor)


def _require_fitting(kind: ControlKind, names: Sequence[str], asked: Asked, now: datetime) -> None:
    """Raises InvalidConfig for what cannot be asked of any trader."""
    problems = []
    if kind not in TRADER_KINDS:
        problems.append(Problem("kind", _("must be one of %(kinds)s", kinds=", ".join(sorted(TRADER_KINDS)))))
    if not names:
        problems.append(Problem("", _("choose at least one trader")))
    takes = {
        "until": (asked.until, {ControlKind.PAUSE, ControlKind.COOLDOWN}, {ControlKind.COOLDOWN}),
        "version": (asked.version, {ControlKind.PIN}, {ControlKind.PIN}),
        "symbol": (
            asked.symbol,
            {ControlKind.CLOSE, ControlKind.COOLDOWN, ControlKind.CLEAR_COOLDOWN},
            {ControlKind.COOLDOWN},
        ),
    }
    for name, (value, takers, needers) in takes.items():
        if value is not None and kind not in takers:
            problems.append(Problem(name, _("does not belong to %(kind)s", kind=kind.value)))
        elif value is None and kind in needers:
            problems.append(Problem(name, _("is missing: %(kind)s needs it", kind=kind.value)))
    if asked.symbol is not None and not is_symbol(asked.symbol):
        problems.append(Problem("symbol", _("must be a symbol such as BTC, was %(value)s", value=shown(asked.symbol))))
    if asked.until is not None and not now < asked.until <= LATEST:
        right = _("must be a moment to come, before the year 2100, was %(value)s", value=asked.until.isoformat())
        problems.append(Problem("until", right))
    if problems:
        raise InvalidConfig(problems)


def _asked_before(
    kind: ControlKind, trader_id: str | None, once: str | None, asked: Asked | None = None
) -> Control | None:
    """The row of this request, where it was sent before. Raises InvalidConfig where the text is that of another
    request, which must not be lost for it."""
    before = queries.by_once(trader_id, once) if once is not None else None
    if before is None:
        return None
    is_same = before.kind is kind
    if asked is not None and kind is ControlKind.PIN:
        is_same = is_same and before.version == asked.version
    if asked is not None and kind in (ControlKind.PAUSE, ControlKind.RESUME):
        is_same = is_same and before.cause == asked.cause
    if not is_same:
        right = _(
            "is the text of control %(id)s, which is %(kind)s; another request needs another text",
            id=before.id,
            kind=before.kind.value,
        )
        raise InvalidConfig([Problem("once", right, trader_id or "")])
    return before


@dataclass(frozen=True, slots=True)
class _Ask:
    """One request while nobody else writes controls. `of` writes what it means for one trader."""

    kind: ControlKind
    asked: Asked
    reason: str
    now: datetime
    states: Mapping[str, WantedState]
    positions: Mapping[str, list[PositionNow]]

    def of(self, trader_id: str) -> list[Written]:
        if before := _asked_before(self.kind, trader_id, self.asked.once, self.asked):
            return [Written(before, is_new=False)]
        state = self.states[trader_id]
        if self.kind in RUN_KINDS:
            return self._run(trader_id, state)
        if self.kind is ControlKind.PAUSE:
            return self._pause(trader_id, state)
        if self.kind is ControlKind.RESUME:
            return self._resume(trader_id, state)
        if self.kind is ControlKind.PIN:
            again = state.pin if state.pinned_version == self.asked.version else None
            return self._unless(again, trader_id, version=self.asked.version)
        if self.kind is ControlKind.UNPIN:
            return [self._write(trader_id, ControlKind.UNPIN)] if state.pin else []
        if self.kind is ControlKind.CLOSE:
            return self._close(trader_id, state)
        return self._cooldowns(trader_id)

    def _run(self, trader_id: str, state: WantedState) -> list[Written]:
        if self.kind is ControlKind.START and state.facts.retired:
            self._refuse(trader_id, "kind", _("must not be start: the trader is retired; unretire it first"))
        again = state.run if state.run is not None and state.run.kind is self.kind else None
        return self._unless(again, trader_id)

    def _pause(self, trader_id: str, state: WantedState) -> list[Written]:
        until, cause = self.asked.until, self.asked.cause
        again = next((held for held in state.pauses if held.cause == cause and held.until == until), None)
        return self._unless(again, trader_id, until=until, cause=cause)

    def _resume(self, trader_id: str, state: WantedState) -> list[Written]:
        held = {pause.cause for pause in state.pauses}
        if self.asked.cause in held:
            return [self._write(trader_id, ControlKind.RESUME, cause=self.asked.cause)]
        if held:
            right = _(
                "must be one of %(held)s: the trader is paused by nothing else, was %(cause)s",
                held=", ".join(sorted(filter(None, held))),
                cause=self.asked.cause,
            )
            self._refuse(trader_id, "cause", right)
        return []

    def _close(self, trader_id: str, state: WantedState) -> list[Written]:
        symbol = spelled(trader_id, self.asked.symbol) if self.asked.symbol else None
        held = [one for one in self.positions.get(trader_id, ()) if symbol in (None, one.symbol)]
        if not held:
            self._refuse(
                trader_id,
                "symbol" if symbol else "",
                _("must be one with an open position, was %(symbol)s", symbol=symbol)
                if symbol
                else _("has nothing to close: the trader has no open position"),
            )
        named = [one.named() for one in held]
        again = next(
            (one for one in state.closes if one.symbol == symbol and one.detail.get("positions") == named), None
        )
        detail = {"positions": named, "keep_trading": self.asked.keep_trading}
        written = self._unless(again, trader_id, until=rules.close_expires(self.now), symbol=symbol, detail=detail)
        if written[0].is_new:
            self._cool_down(trader_id, written[0].control, sorted({one.symbol for one in held}))
        if symbol is None and not self.asked.keep_trading:
            paused = next((one for one in state.pauses if one.cause == OPERATOR and one.until is None), None)
            written.append(
                Written(paused, is_new=False) if paused else self._write(trader_id, ControlKind.PAUSE, cause=OPERATOR)
            )
        return written

    def _cool_down(self, trader_id: str, close: Control, symbols: Sequence[str]) -> None:
        """No entry in what is closed for a while; a cooldown that ends later stays."""
        interval = configs.existing_trader(trader_id).flat["detail.llm.decision_interval_seconds"]
        until = close.at + rules.default_close_cooldown(interval)
        detail = {"reason": f"closed by {close.actor}", "triggered_at": close.at.isoformat()}
        for symbol in symbols:
            cooldowns.extend(trader_id, symbol, until, detail)

    def _cooldowns(self, trader_id: str) -> list[Written]:
        """One row a symbol; to clear without a symbol clears all that hold."""
        if self.asked.symbol is not None:
            symbols = [spelled(trader_id, self.asked.symbol)]
        else:
            symbols = cooldowns.holding_symbols([trader_id]).get(trader_id, [])
        written = []
        for symbol in symbols:
            row = self._write(trader_id, self.kind, symbol=symbol, until=self.asked.until)
            cooldowns.replace(
                trader_id,
                symbol,
                self.asked.until or row.control.at,
                reason=self.reason,
                control_id=row.control.id,
                at=row.control.at,
            )
            written.append(row)
        return written

    def _unless(self, again: Control | None, trader_id: str, **given: Any) -> list[Written]:
        """A second request of the same actor for what stands already writes nothing; another's is on record."""
        if again is not None and again.actor == self.asked.actor:
            return [Written(again, is_new=False)]
        return [self._write(trader_id, self.kind, **given)]

    def _write(self, trader_id: str, kind: ControlKind, **given: Any) -> Written:
        detail = {**self.asked.detail, **given.pop("detail", {})}
        once = self.asked.once if kind is self.kind else None
        actor = self.asked.actor
        row = NewControl(
            kind, trader_id, self.reason, actor, once=once, account_id=account_id_of(actor), detail=detail, **given
        )
        return Written(*writer.write(row))

    def _refuse(self, trader_id: str, path: str, right: TranslatableText) -> None:
        raise InvalidConfig([Problem(path, right, trader_id)])
