"""What is wanted of a trader, and what its engine reported, in people's words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from traders.controls import facts, queries
from traders.controls.facts import PositionNow
from traders.controls.rules import KIND_WORDS, CauseKind, WantedEffect, WantedState
from traders.controls.wanted import wanted_of_rows
from traders.models import TraderConfig, TraderControlAck
from traders.schema.controls.rows import OPERATOR, AckResult, Control, ControlKind
from traders.schema.runtime import ANSWERED
from traders.words.messages import listed, translated
from traders.words.moments import ago_words
from traders.words.zones import to_the_minute

STILL_RUNNING_AFTER = timedelta(seconds=60)
PIN_IS_OLD = timedelta(days=7)


@dataclass(frozen=True)
class ControlShown:
    """`wanted` beside `observed`, each with its age. `warnings` are shown in red, `note` is not."""

    state: WantedState
    wanted: str
    reason: str
    observed: str
    warnings: Sequence[str]
    note: str

    @property
    def short(self) -> str:
        """For a column."""
        return effect_words(self.state)

    @property
    def others(self) -> list[str]:
        """The causes beside the first, which `wanted` names."""
        return causes_words(self.state)[1:]

    @property
    def pinned(self) -> str:
        number = self.state.pinned_version
        return "" if number is None else _("Pinned to v%(n)d: newer versions will not run.") % {"n": number}

    @property
    def is_stopped(self) -> bool:
        return self.state.run is not None and self.state.run.kind is ControlKind.STOP

    @property
    def may_start(self) -> bool:
        """Whether a start would change something."""
        run, facts_known = self.state.run, self.state.facts
        if facts_known.retired:
            return False
        return not facts_known.auto_start if run is None else run.kind is not ControlKind.START

    @property
    def is_plain(self) -> bool:
        return self.state.effect is WantedEffect.RUNNING and not self.warnings and self.state.pin is None


def kind_words(kind: ControlKind) -> str:
    """What the button of a control says."""
    return {
        ControlKind.START: _("Start"),
        ControlKind.STOP: _("Stop"),
        ControlKind.DRAIN: _("Drain"),
        ControlKind.PAUSE: _("Pause"),
        ControlKind.RESUME: _("Resume"),
        ControlKind.CLOSE: _("Close positions"),
        ControlKind.PIN: _("Pin"),
        ControlKind.UNPIN: _("Unpin"),
        ControlKind.COOLDOWN: _("Set a cooldown"),
        ControlKind.CLEAR_COOLDOWN: _("Clear cooldowns"),
        ControlKind.RELEASE: _("Release"),
    }[kind]


def effect_words(state: WantedState) -> str:
    """`paused`, `draining`, `running`: the most restrictive cause in a word."""
    causes = state.causes
    if not causes:
        return _("running")
    return {
        CauseKind.FLEET_STOP: _("no entries: fleet stop"),
        CauseKind.RELEASED: _("released, waits for its turn"),
        CauseKind.RETIRED: _("retired"),
        CauseKind.DRAIN: _("draining"),
        CauseKind.PAUSE: _("paused"),
        CauseKind.STALE_EQUITY: _("no entries: equity is stale"),
        CauseKind.DIFFERENCES: _("no entries: differs from the exchange"),
        CauseKind.STOP: _("stopped"),
        CauseKind.NOT_STARTED: _("not started"),
        CauseKind.FLAT: _("stopped: all positions are closed"),
    }[causes[0].kind]


def age(moment: datetime, now: datetime) -> str:
    """`12 s ago`: an operator who waits for an engine counts seconds."""
    seconds = int((now - moment).total_seconds())
    if 0 <= seconds < 60:
        return _("%(n)d s ago") % {"n": seconds}
    return ago_words(moment, now)


def shown_of(trader_ids: Collection[str], now: datetime) -> dict[str, ControlShown]:
    """{trader_id: what is wanted beside what is observed}, with a few statements for any number of traders."""
    return shown_of_rows(queries.watched(trader_ids), now)


def shown_of_rows(traders: Iterable[TraderConfig], now: datetime) -> dict[str, ControlShown]:
    """As `shown_of`, of rows of `queries.watched`."""
    rows: dict[str, Any] = {row.pk: row for row in traders}
    held = facts.open_positions(list(rows))
    positions = held or {}
    holding = None if held is None else [name for name, found in held.items() if found]
    states = wanted_of_rows(rows, holding, now)
    controls = {control.id for state in states.values() if (control := _newest(state))}
    acks = queries.newest_acks(controls) if controls else {}
    return {
        name: _shown(row, states[name], acks, positions.get(name, ()), acknowledges=row.hears, now=now)
        for name, row in rows.items()
    }


def _shown(
    row: TraderConfig,
    state: WantedState,
    acks: Mapping[tuple[int, str], TraderControlAck],
    positions: Sequence[PositionNow],
    *,
    acknowledges: bool,
    now: datetime,
) -> ControlShown:
    behind = _behind(state)
    wanted = _("wanted %(what)s") % {"what": effect_words(state)}
    if behind:
        who = {"wanted": wanted, "who": behind.actor, "age": age(behind.at, now)}
        wanted = _("%(wanted)s by %(who)s %(age)s") % who
    is_reported = row.runtime_state.active_config_version is not None
    hears = acknowledges or _is_answered(row)
    warnings = [
        *_not_followed(row, state, acks, hears, now),
        *_of_pin(state, now),
        *_against(positions),
        *_of_retired(state, len(positions)),
    ]
    note = _("This engine cannot be told while it runs.") if is_reported and not hears else ""
    return ControlShown(state, wanted, behind.reason if behind else "", _observed(row, now), warnings, note)


def _behind(state: WantedState) -> Control | None:
    """The control that the words of the state come from."""
    causes = state.causes
    return causes[0].control if causes else state.run


def _newest(state: WantedState) -> Control | None:
    """The newest control that stops or bans the trader now."""
    found = [cause.control for cause in state.causes if cause.control is not None]
    return max(found, key=lambda control: control.id, default=None)


def _observed(row: TraderConfig, now: datetime) -> str:
    report = row.runtime_state
    if report.active_config_version is None:
        return _("no engine has reported yet")
    said = {"n": report.active_config_version, "age": age(report.updated_at, now)}
    if report.is_running:
        return _("engine reported running v%(n)d, %(age)s") % said
    return _("engine reported not running, v%(n)d, %(age)s") % said


def _not_followed(
    row: TraderConfig,
    state: WantedState,
    acks: Mapping[tuple[int, str], TraderControlAck],
    hears: bool,
    now: datetime,
) -> list[str]:
    control, report = _newest(state), row.runtime_state
    if control is None or report.active_config_version is None or not report.is_running:
        return []
    found, ack = [], acks.get((control.id, row.pk))
    if ack is not None and ack.result == AckResult.REFUSED:
        found.append(_("The engine refused: %(note)s") % {"note": ack.note or _("it did not say why")})
    elif ack is None and hears and now - control.at > timedelta(seconds=settings.CONTROL_ACK_SECONDS):
        found.append(_("Not acknowledged: asked %(age)s.") % {"age": age(control.at, now)})
    told = ack.received_at if ack else control.at
    if state.effect is WantedEffect.STOPPED and report.updated_at - told > STILL_RUNNING_AFTER:
        found.append(_("Still running, though it is to be stopped."))
    return found


def _of_pin(state: WantedState, now: datetime) -> list[str]:
    if state.pin is None or now - state.pin.at <= PIN_IS_OLD:
        return []
    return [_("Pinned to v%(n)d for more than 7 days.") % {"n": state.pin.version or 0}]


def _is_answered(row: TraderConfig) -> bool:
    """Whether the last report came through this site, so that its engine was told in the answer what is wanted."""
    detail = row.runtime_state.detail
    return isinstance(detail, dict) and detail.get(ANSWERED) is True


def _against(positions: Sequence[PositionNow]) -> list[str]:
    symbols = sorted(one.symbol for one in positions if one.is_against_control)
    return [_("Entered although entries were banned: %(symbols)s.") % {"symbols": listed(symbols)}] if symbols else []


def _of_retired(state: WantedState, open_count: int) -> list[str]:
    if not state.facts.retired or not open_count:
        return []
    words = ngettext(
        "Retired, and %(n)d position is still open.", "Retired, and %(n)d positions are still open.", open_count
    )
    return [words % {"n": open_count}]


def causes_words(state: WantedState, *, beside: int | None = None) -> list[str]:
    """All causes, but for that of the control `beside`."""
    return [translated(cause.text) for cause in state.causes if cause.control is None or cause.control.id != beside]


def kind_name(kind: ControlKind) -> str:
    """In a sentence or a list: `clear cooldown`."""
    return translated(KIND_WORDS[kind])


def control_words(row: Control) -> str:
    """`pause until 2026-11-29 12:00 UTC+8`, `pin v5`, `close BTC`."""
    parts = [kind_name(row.kind)]
    if row.version is not None:
        parts.append(f"v{row.version}")
    if row.symbol is not None:
        parts.append(row.symbol)
    if row.until is not None:
        parts.append(_("until %(moment)s") % {"moment": to_the_minute(row.until)})
    if row.cause is not None and row.cause != OPERATOR:
        parts.append(f"({row.cause})")
    return " ".join(parts)
