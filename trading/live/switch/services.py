"""The way from the old layout to the new one and back, a step at a time.

    legacy ── dual, reads old ── dual, reads some new ── dual, reads new ── hash
    writes old    writes both         writes both           writes both     writes new

A process at one step can read what a process at the next step writes, so they need not switch at the same moment.
Before a step that needs it, every process has acknowledged the one before. `seen` is the revision of the mode that the
caller has read. If the mode was switched since, they raise ModeOutdated.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from traders.schema.messages import _
from trading.live import services as live
from trading.live.migration import backfill, cleanup, mirror
from trading.live.migration.cleanup import RemovedKeys
from trading.live.migration.modes import LayoutMode
from trading.live.redis.mode import ModeOutdated, ModeState, follower, switch, wait_for_acknowledgements
from trading.live.redis.outage import Client, demand
from trading.live.upkeep import verdicts
from trading.record.rules.errors import RecordError

VERIFIED_WITHIN_MINUTES = 10
ACKNOWLEDGED_WITHIN_SECONDS = 15.0
ORDER = [LayoutMode.LEGACY, LayoutMode.DUAL, LayoutMode.HASH]


class StepRefused(RecordError):
    """The step may not be taken now; the message says what to do first."""


@dataclass(frozen=True, slots=True)
class SwitchStep:
    """What a step did; `filled` counts the values copied to the other layout."""

    state: ModeState
    filled: int = 0


def current(*, seen: int | None = None) -> ModeState:
    """The stored mode. Raises Unavailable and ModeOutdated."""
    state = demand(lambda client: follower.current(now=True))
    if seen is not None and seen != state.revision:
        raise ModeOutdated(state)
    return state


def to_mode(
    mode: LayoutMode,
    *,
    read_new_pct: int | None = None,
    from_old: bool = False,
    within_minutes: float = VERIFIED_WITHIN_MINUTES,
    seen: int | None = None,
) -> SwitchStep:
    """Takes the steps one by one, as the functions below. `from_old` fills the new layout from the old one, not from
    PostgreSQL.

    Raises StepRefused, ModeOutdated and Unavailable; finished steps stay done.
    """
    step = SwitchStep(current(seen=seen))
    while step.state.mode != mode:
        is_forward = ORDER.index(mode) > ORDER.index(LayoutMode(step.state.mode))
        at = step.state.revision
        step = _forward(step.state, from_old, within_minutes) if is_forward else rollback(seen=at)
    if mode == LayoutMode.DUAL and read_new_pct is not None and read_new_pct != step.state.read_new_pct:
        step = SwitchStep(
            demand(lambda client: _switched(client, step.state, LayoutMode.DUAL, read_new_pct)), step.filled
        )
    return step


def _forward(state: ModeState, from_old: bool, within_minutes: float) -> SwitchStep:
    if state.mode == LayoutMode.LEGACY:
        return enter_dual(from_old=from_old, seen=state.revision)
    return cutover(within_minutes=within_minutes, seen=state.revision)


def enter_dual(*, from_old: bool = False, seen: int | None = None) -> SwitchStep:
    """legacy -> dual: both layouts are written, the old one is read, and the new one is filled."""

    def work(client: Client) -> SwitchStep:
        state = _switched(client, current(seen=seen), LayoutMode.DUAL, 0)
        if from_old:
            return SwitchStep(state, mirror.Mirror(client).once().copied)
        filled = live.rebuild_all() or 0
        return SwitchStep(state, filled + mirror.market_only(client).once().copied)

    return demand(work)


def cutover(*, within_minutes: float = VERIFIED_WITHIN_MINUTES, seen: int | None = None) -> SwitchStep:
    """dual -> hash: first all processes read the new layout, then none writes the old one any more."""

    def work(client: Client) -> SwitchStep:
        state = current(seen=seen)
        if state.mode != LayoutMode.DUAL:
            raise StepRefused(_("the mode is %(state)s; a cut-over begins in dual", state=state))
        _refuse_unverified(client, within_minutes)
        state = _switched(client, state, LayoutMode.DUAL, 100)
        return SwitchStep(_switched(client, state, LayoutMode.HASH, 100))

    return demand(work)


def rollback(*, seen: int | None = None) -> SwitchStep:
    """One step towards the old layout: hash -> dual (the old layout is filled again, then read), dual -> legacy."""

    def work(client: Client) -> SwitchStep:
        state = current(seen=seen)
        if state.mode == LayoutMode.LEGACY:
            raise StepRefused(_("the mode is legacy; there is no step before it"))
        if state.mode == LayoutMode.DUAL:
            state = _switched(client, state, LayoutMode.DUAL, 0)
            return SwitchStep(_switched(client, state, LayoutMode.LEGACY, 0))
        state = _switched(client, state, LayoutMode.DUAL, 100)
        filled = backfill.fill_old(client)
        # What would have expired in the old layout, but holds: from PostgreSQL.
        live.rebuild_all()
        return SwitchStep(_switched(client, state, LayoutMode.DUAL, 0), filled)

    return demand(work)


def clean_up(*, dry_run: bool = False, seen: int | None = None) -> RemovedKeys:
    """Removes the old layout's keys. Refuses while a process may still write or read them."""

    def work(client: Client) -> RemovedKeys:
        state = current(seen=seen)
        if state.mode != LayoutMode.HASH:
            raise StepRefused(_("the mode is %(state)s: the old layout is still written; cut over first", state=state))
        _wait(client, state)
        return cleanup.old_layout(client, dry_run=dry_run)

    return demand(work)


def _switched(client: Client, before: ModeState, mode: LayoutMode, read_new_pct: int) -> ModeState:
    state = switch(client, mode, read_new_pct, seen=before.revision)
    _wait(client, state)
    return state


def _wait(client: Client, state: ModeState) -> None:
    late = wait_for_acknowledgements(client, state, ACKNOWLEDGED_WITHIN_SECONDS)
    if late:
        raise StepRefused(
            _(
                "these processes do not follow to %(state)s: %(names)s; the mode stays %(state)s, try again",
                state=state,
                names=", ".join(late),
            )
        )


def _refuse_unverified(client: Client, within_minutes: float) -> None:
    verdict = verdicts.last(client)
    if verdict is None or not verdict.passed:
        raise StepRefused(_("no verify has passed; run `livestore verify` first"))
    minutes = (time.time() - verdict.at_ms / 1000) / 60
    if minutes > within_minutes:
        raise StepRefused(
            _("the last verify passed %(minutes)s minutes ago; run `livestore verify` again", minutes=f"{minutes:.0f}")
        )
