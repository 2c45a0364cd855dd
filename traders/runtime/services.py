"""An engine's report of a trader, and what it learns in return: which configuration stands by now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from traders.runtime import writer as runtime
from traders.runtime.redaction import without_secrets
from traders.schema.messages import _
from traders.schema.problems import InvalidConfig, Problem
from traders.schema.runtime import ReportDetail, RuntimeState, TraderBeat
from traders.versions import queries as configs
from traders.versions.rules.errors import UnknownConfig


def state_of(trader_id: str) -> RuntimeState:
    """Raises UnknownConfig."""
    found = runtime.state(trader_id)
    if found is None:
        raise UnknownConfig(trader_id)
    return found


def report(*, trader_id: str, active_config_version: int, is_running: bool, detail: ReportDetail) -> RuntimeState:
    """Replaces what the engine said before; what the operator desires stays. Secrets are taken out of its texts.

    Raises UnknownConfig, and InvalidConfig for a version that the trader never had and for a retired trader without an
    open position that is said to run: nothing is written, so that a page shows the report as old.
    """
    clean, _ = without_secrets(detail, f"the report of {trader_id}")
    if not runtime.report(trader_id, version=active_config_version, is_running=is_running, detail=clean.stored()):
        raise _refused(state_of(trader_id), active_config_version)
    return state_of(trader_id)


def heartbeat(
    *,
    trader_id: str,
    active_config_version: int | None = None,
    is_running: bool | None = None,
    extra: dict[str, Any] | None = None,
) -> RuntimeState:
    """The engine lives; the rest of its report stands. `extra` replaces what it said beside the known fields.

    Raises what `report` raises, also for a trader of which no version was ever reported and that is said to run.
    """
    before = state_of(trader_id)
    if is_running and active_config_version is None and before.active_config_version is None:
        raise _no_version(trader_id)
    clean = _clean_extra(extra, trader_id)
    if not runtime.heartbeat(trader_id, version=active_config_version, is_running=is_running, extra=clean):
        raise _refused(before, active_config_version)
    return state_of(trader_id)


def heartbeats(
    beats: Sequence[TraderBeat],
) -> tuple[list[RuntimeState], dict[str, UnknownConfig | InvalidConfig]]:
    """Heartbeats of many traders, each named once: the states of those that were taken, in the order given, and what
    `heartbeat` would raise of each other one. One that is refused does not stop the others."""
    written = runtime.heartbeats([replace(beat, extra=_clean_extra(beat.extra, beat.trader_id)) for beat in beats])
    states = runtime.states([beat.trader_id for beat in beats])
    refused: dict[str, UnknownConfig | InvalidConfig] = {}
    for beat in beats:
        state = states.get(beat.trader_id)
        if state is None:
            refused[beat.trader_id] = UnknownConfig(beat.trader_id)
        elif beat.trader_id not in written:
            has_version = beat.active_config_version is not None or state.active_config_version is not None
            refused[beat.trader_id] = (
                _refused(state, beat.active_config_version) if has_version else _no_version(beat.trader_id)
            )
    return [states[beat.trader_id] for beat in beats if beat.trader_id in written], refused


def _clean_extra(extra: dict[str, Any] | None, trader_id: str) -> dict[str, Any] | None:
    if not extra:
        return None
    clean, _found = without_secrets(ReportDetail(extra=extra), f"a heartbeat of {trader_id}")
    return clean.extra


def _no_version(trader_id: str) -> InvalidConfig:
    right = _("is missing: a running trader runs some version")
    return InvalidConfig([Problem("active_config_version", right, trader_id)])


def _refused(state: RuntimeState, version: int | None) -> InvalidConfig:
    if version is not None and configs.version(state.trader_id, version) is None:
        right = _(
            "must be a version that the trader has had, from 1 to %(last)s, was %(version)s",
            last=state.config_version,
            version=version,
        )
        return InvalidConfig([Problem("active_config_version", right, state.trader_id)])
    return InvalidConfig(
        [Problem("is_running", _("must be false: the trader is retired, and has no open position"), state.trader_id)]
    )
