"""The rules about controls: those that an engine does not follow, and those that wait for a person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import F, Q

from traders.controls import facts
from traders.controls import queries as control_queries
from traders.controls.rules import KIND_WORDS, WantedEffect, WantedState
from traders.controls.wanted import wanted_of
from traders.models import TraderControlAck, TraderRuntimeState
from traders.schema.controls.rows import AckResult, Control
from traders.schema.durations import duration_text
from traders.schema.messages import TranslatableText, _, joined
from trading.alarms.watching.causes import AlarmLook, Cause, positions_words

STILL_RUNNING_SECONDS = 60
"""After it acknowledged a stop, an engine that reports itself as running does not follow it."""
NAMED = 10


def control_not_followed(look: AlarmLook) -> Iterator[Cause]:
    """Traders that an engine runs, and that are stopped or banned from entries by a control."""
    states = {row.pk: row for row in TraderRuntimeState.objects.filter(is_running=True)}
    wanted = {name: state for name, state in wanted_of(list(states), look.now).items() if _controls(state)}
    asked = {control.id for state in wanted.values() for control in _controls(state)}
    acks = control_queries.newest_acks(asked) if asked else {}
    found: dict[str, TranslatableText] = {}
    for name, state in wanted.items():
        for control in _controls(state):
            if why := _why(look, states[name], state, control, acks.get((control.id, name))):
                found[name] = why
                break
    if found:
        first = [_("%(trader)s %(why)s", trader=name, why=found[name]) for name in sorted(found)[:NAMED]]
        message = _(
            "Traders that do not follow a control (%(count)s): %(named)s", count=len(found), named=joined("; ", first)
        )
        yield Cause(message, traders=sorted(found), figures={"traders": len(found)})


def close_expired(look: AlarmLook) -> Iterator[Cause]:
    """Positions that are open by now, that an expired close named, and that no close names any more."""
    closes = control_queries.closes_of(facts.holding())
    asked = {(row.trader_id, *key) for row in closes if row.holds(look.now) for key in _named(row)}
    left = {(row.trader_id, *key) for row in closes for key in _named(row)} - asked
    positions = facts.open_positions({str(trader_id) for trader_id, *_key in left}) or {}
    found = [
        one for of_one in positions.values() for one in of_one if (one.trader_id, one.id, one.entry_time_ms) in left
    ]
    if found:
        first = positions_words(found[:NAMED])
        message = _(
            "Positions still open after their close expired (%(count)s): %(named)s", count=len(found), named=first
        )
        yield Cause(
            message,
            traders=sorted({one.trader_id for one in found}),
            figures={"positions": len(found)},
            grows_by=("positions",),
        )


def pin_old(look: AlarmLook) -> Iterator[Cause]:
    if found := control_queries.pins_before(look.ago(look.threshold * 3600)):
        first = ", ".join(f"{row.trader_id} v{row.version}" for row in found[:NAMED])
        days = (look.now - found[0].at).days
        message = _(
            "Traders pinned to an older version (%(count)s), the first for %(days)s d: %(named)s",
            count=len(found),
            days=days,
            named=first,
        )
        yield Cause(message, traders=sorted(str(row.trader_id) for row in found), figures={"traders": len(found)})


def version_behind(look: AlarmLook) -> Iterator[Cause]:
    """Traders whose engine has reported since, and still runs another version than the pinned or newest one."""
    others = TraderRuntimeState.objects.select_related("trader").filter(
        ~Q(active_config_version=F("trader__version")), is_running=True, trader__retired=False
    )
    states = {row.pk: row for row in others.defer("detail", "trader__detail")}
    wanted = wanted_of(list(states), look.now) if states else {}
    found = {}
    for name, state in sorted(wanted.items()):
        row, pin = states[name], state.pin
        version, since = (pin.version, pin.at) if pin else (row.trader.version, row.trader.updated_at)
        allowed = timedelta(seconds=2 * state.facts.decision_interval_seconds + look.threshold)
        if version != row.active_config_version and row.updated_at - since > allowed:
            found[name] = f"{name} v{row.active_config_version} (v{version})"
    if found:
        first = ", ".join(list(found.values())[:NAMED])
        message = _(
            "Traders that run another version than the wanted one in brackets (%(count)s): %(named)s",
            count=len(found),
            named=first,
        )
        yield Cause(message, traders=sorted(found), figures={"traders": len(found)})


def _named(close: Control) -> list[tuple[str, int]]:
    """(id, entry in ms) of the positions that it means."""
    return [(one["id"], one["entry_time_ms"]) for one in close.detail.get("positions", ())]


def _controls(state: WantedState) -> list[Control]:
    """Those that stop or ban it now, the newest first."""
    found = {cause.control.id: cause.control for cause in state.causes if cause.control is not None}
    return [found[number] for number in sorted(found, reverse=True)]


def _why(
    look: AlarmLook, runtime: TraderRuntimeState, state: WantedState, control: Control, ack: TraderControlAck | None
) -> TranslatableText | None:
    """What its engine did wrong about the control; None: nothing."""
    asked = _("%(kind)s by %(who)s", kind=KIND_WORDS[control.kind], who=control.actor)
    if ack is None:
        seconds = round((look.now - control.at).total_seconds())
        if not look.is_overdue(control.at, look.threshold):
            return None
        return _("has not acknowledged %(asked)s, %(age)s ago", asked=asked, age=duration_text(seconds, units=2))
    if ack.result == AckResult.REFUSED:
        return _("refused %(asked)s", asked=asked)
    if state.effect is WantedEffect.STOPPED:
        seconds = round((runtime.updated_at - ack.received_at).total_seconds())
        if seconds > STILL_RUNNING_SECONDS:
            return _(
                "still runs %(age)s after it acknowledged %(asked)s", age=duration_text(seconds, units=2), asked=asked
            )
    return None
