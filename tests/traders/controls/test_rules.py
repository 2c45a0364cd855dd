"""What is wanted, for every beginning of random sequences of controls and at any moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from traders.controls.rules import (
    CauseKind,
    TraderFacts,
    WantedEffect,
    WantedState,
    is_banned_throughout,
    spread,
    state_json,
    state_kind,
    wanted,
)
from traders.schema.controls.rows import FLEET_KINDS, OPERATOR, TRADER_KINDS, Control, ControlKind

START = datetime(2026, 1, 1, tzinfo=UTC)
GUARD = "guard:max_daily_loss_usd"
RUNS = TraderFacts(auto_start=True)


def at(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)


def row(number: int, kind: str, **given: object) -> Control:
    """A row one second after the one before; of the trader unless `trader_id` says otherwise."""
    parts: dict[str, object] = {"trader_id": "a", "reason": "why", "actor": "mei", "at": at(number)} | given
    return Control(id=number, kind=ControlKind(kind), **parts)  # type: ignore[arg-type]


def state(*rows: Control, facts: TraderFacts = RUNS, seconds: int = 1000) -> WantedState:
    return wanted(rows, facts, at(seconds))


def kinds(found: WantedState) -> list[str]:
    return [cause.kind.value for cause in found.causes]


def fleet(number: int, kind: str) -> Control:
    return row(number, kind, trader_id=None)


def pause(number: int, cause: str = OPERATOR, until: datetime | None = None) -> Control:
    return row(number, "pause", cause=cause, until=until)


def test_without_controls_the_configuration_says_whether_a_trader_runs() -> None:
    assert state().effect is WantedEffect.RUNNING
    off = state(facts=replace(RUNS, auto_start=False))
    assert (off.effect, kinds(off)) == (WantedEffect.STOPPED, ["not_started"])
    assert state(row(1, "start"), facts=replace(RUNS, auto_start=False)).effect is WantedEffect.RUNNING


def test_the_last_of_start_stop_and_drain_counts() -> None:
    assert state(row(1, "stop")).effect is WantedEffect.STOPPED
    assert state(row(1, "stop"), row(2, "drain")).effect is WantedEffect.ENTRIES_BANNED
    assert state(row(1, "stop"), row(2, "drain"), row(3, "start")).effect is WantedEffect.RUNNING


def test_a_start_lifts_no_pause_no_fleet_stop_and_no_retirement() -> None:
    held = state(pause(1), fleet(2, "stop"), row(3, "start"), facts=replace(RUNS, retired=True))
    assert (held.effect, kinds(held)) == (WantedEffect.ENTRIES_BANNED, ["fleet_stop", "retired", "pause"])


def test_a_release_lifts_no_stop_and_no_pause_of_a_trader() -> None:
    assert kinds(state(row(1, "stop"), pause(2), fleet(3, "stop"), fleet(4, "release"))) == ["stop", "pause"]


@given(name=st.text(min_size=1), interval=st.integers(1, 86_400), seconds=st.integers(0, 90_000))
def test_a_released_trader_begins_at_its_own_moment_within_its_interval(name: str, interval: int, seconds: int) -> None:
    facts = TraderFacts(trader_id=name, decision_interval_seconds=interval)
    rows = [fleet(0, "stop"), fleet(1, "release")]
    turn = at(1) + spread(name, interval)
    found = state(*rows, facts=facts, seconds=seconds + 1)
    assert at(1) <= turn < at(1 + interval)
    assert (found.effect is WantedEffect.RUNNING) is (at(seconds + 1) >= turn)
    assert kinds(found) == ([] if found.entries_allowed else ["released"])
    assert not found.is_banned_by_control, "an engine that cannot be told so acts against no control"
    assert kinds(state(*rows, fleet(2, "stop"), facts=facts)) == ["fleet_stop"]


def test_released_traders_are_spread_evenly_over_their_interval() -> None:
    moments = [spread(f"trader_{number}", 180).total_seconds() for number in range(900)]
    a_tenth = [sum(18 * part <= moment < 18 * (part + 1) for moment in moments) for part in range(10)]
    assert (sum(a_tenth), min(a_tenth) > 50, max(a_tenth) < 140) == (900, True, True)


def test_who_waits_after_a_release_is_told_until_when() -> None:
    facts = TraderFacts(trader_id="a", decision_interval_seconds=3600)
    turn = at(1) + spread("a", 3600)
    (cause,) = wanted([fleet(0, "stop"), fleet(1, "release")], facts, at(1)).causes
    assert (str(cause.text), cause.until) == (f"released, starts at {turn:%Y-%m-%d %H:%M:%S} UTC", turn)


def test_pauses_are_a_set_and_a_resume_ends_those_of_its_cause_only() -> None:
    rows = [pause(1), pause(2, GUARD), pause(3, until=at(5000))]
    assert [held.id for held in state(*rows).pauses] == [1, 2, 3]
    assert [held.id for held in state(*rows, row(4, "resume", cause=OPERATOR)).pauses] == [2]
    assert [held.id for held in state(*rows, row(4, "resume", cause=GUARD)).pauses] == [1, 3]


def test_a_pause_ends_by_itself_at_its_end() -> None:
    rows = [pause(1, until=at(60))]
    assert state(*rows, seconds=59).effect is WantedEffect.ENTRIES_BANNED
    assert state(*rows, seconds=60).effect is WantedEffect.RUNNING


def test_a_drained_and_a_retired_trader_are_stopped_when_flat() -> None:
    for rows, facts in (([row(1, "drain")], RUNS), ([], replace(RUNS, retired=True))):
        assert state(*rows, facts=replace(facts, is_flat=False)).effect is WantedEffect.ENTRIES_BANNED
        assert state(*rows, facts=replace(facts, is_flat=None)).effect is WantedEffect.ENTRIES_BANNED
        assert state(*rows, facts=replace(facts, is_flat=True)).effect is WantedEffect.STOPPED


def test_stale_equity_bans_entries_without_a_row() -> None:
    found = state(facts=replace(RUNS, equity_is_stale=True))
    assert (found.effect, kinds(found), found.is_banned_by_control) == (
        WantedEffect.ENTRIES_BANNED,
        ["stale_equity"],
        False,
    )


def test_an_unpin_ends_a_pin_and_the_last_pin_counts() -> None:
    rows = [row(1, "pin", version=5), row(2, "pin", version=3)]
    assert state(*rows).pinned_version == 3
    assert state(*rows, row(3, "unpin")).pinned_version is None


def test_a_close_holds_for_ten_minutes() -> None:
    rows = [row(1, "close", until=at(601), detail={"positions": [{"id": "a|BTC"}]})]
    assert [close.id for close in state(*rows, seconds=600).closes] == [1]
    assert state(*rows, seconds=601).closes == ()


def test_a_ban_counts_throughout_only_without_a_gap() -> None:
    rows = [pause(1, until=at(100)), row(90, "stop"), row(200, "start"), pause(230)]
    assert is_banned_throughout(rows, RUNS, since=at(2), until=at(150)) is not None
    assert is_banned_throughout(rows, RUNS, since=at(150), until=at(240)) is None
    assert is_banned_throughout(rows, RUNS, since=at(0), until=at(50)) is None


_ROWS = st.lists(
    st.one_of(
        st.tuples(st.just("a"), st.sampled_from(sorted(TRADER_KINDS)), st.integers(1, 40)),
        st.tuples(st.none(), st.sampled_from(sorted(FLEET_KINDS)), st.integers(1, 40)),
    ),
    max_size=30,
)


def rows_of(drawn: list[tuple[str | None, str, int]]) -> list[Control]:
    """Valid rows, one a second; the number picks causes, versions and ends."""
    found = []
    for number, (trader_id, kind, choice) in enumerate(drawn, 1):
        given: dict[str, object] = {"trader_id": trader_id}
        if kind in ("pause", "resume"):
            given["cause"] = (OPERATOR, GUARD)[choice % 2]
        if kind == "pause" and choice % 3 == 0:
            given["until"] = at(number + choice)
        if kind in ("close", "cooldown"):
            given["until"] = at(number + choice)
        if kind == "pin":
            given["version"] = choice
        found.append(row(number, kind, **given))
    return found


@given(drawn=_ROWS, facts=st.builds(TraderFacts), seconds=st.integers(0, 80))
def test_the_most_restrictive_counts_for_every_beginning(
    drawn: list[tuple[str | None, str, int]], facts: TraderFacts, seconds: int
) -> None:
    """Told a second time from the meaning of each kind: by searching backwards instead of going forward."""
    rows = rows_of(drawn)
    for length in range(len(rows) + 1):
        beginning = rows[:length]
        moment = at(seconds)
        found = wanted(beginning, facts, moment)
        past = [one for one in beginning if one.at <= moment]
        run = next(
            (one.kind for one in reversed(past) if one.kind in ("start", "stop", "drain") and one.trader_id), None
        )
        of_fleet = next((one.kind for one in reversed(past) if one.trader_id is None), None)
        paused = any(
            one.kind == "pause"
            and (one.until is None or one.until > moment)
            and not any(later.kind == "resume" and later.cause == one.cause for later in past if later.id > one.id)
            for one in past
        )
        ends = run == "drain" or facts.retired
        stopped = run == "stop" or (run is None and not facts.auto_start) or (ends and facts.is_flat is True)
        banned = ends or of_fleet == "stop" or paused or facts.equity_is_stale
        expected = WantedEffect.STOPPED if stopped else WantedEffect.ENTRIES_BANNED if banned else WantedEffect.RUNNING
        assert found.effect is expected
        assert found.entries_allowed is (expected is WantedEffect.RUNNING)
        assert bool(found.causes) is (expected is not WantedEffect.RUNNING)


@given(
    drawn=_ROWS,
    of_both=st.tuples(st.builds(TraderFacts), st.builds(TraderFacts)),
    beginnings=st.tuples(st.integers(0, 30), st.integers(0, 30)),
    seconds=st.integers(0, 80),
)
def test_what_is_told_is_the_same_wherever_the_kind_of_state_is(
    drawn: list[tuple[str | None, str, int]],
    of_both: tuple[TraderFacts, TraderFacts],
    beginnings: tuple[int, int],
    seconds: int,
) -> None:
    rows = rows_of(drawn)
    states = [wanted(rows[:length], facts, at(seconds)) for facts in of_both for length in beginnings]
    told = {state_kind(one): state_json(one) for one in states}
    assert [told[state_kind(one)] for one in states] == [state_json(one) for one in states]


@given(drawn=_ROWS, seconds=st.integers(0, 80))
def test_rows_that_were_overtaken_change_nothing(drawn: list[tuple[str | None, str, int]], seconds: int) -> None:
    """A start after any history, with its pauses resumed and the fleet released, is as a start at the beginning."""
    rows = rows_of(drawn)
    end = len(rows)
    after = [
        row(end + 1, "start"),
        row(end + 2, "resume", cause=OPERATOR),
        row(end + 3, "resume", cause=GUARD),
        row(end + 4, "unpin"),
        fleet(end + 5, "release"),
    ]
    found = wanted([*rows, *after], RUNS, at(end + 5 + seconds))
    assert (found.effect, found.causes, found.pinned_version) == (WantedEffect.RUNNING, (), None)


def test_every_cause_has_words() -> None:
    found = state(
        row(1, "drain"),
        pause(2, until=at(5000)),
        pause(3, GUARD),
        fleet(4, "stop"),
        facts=TraderFacts(retired=True, is_flat=True, equity_is_stale=True, differences=1),
    )
    others = {CauseKind.STOP, CauseKind.NOT_STARTED, CauseKind.RELEASED}
    assert {cause.kind for cause in found.causes} == set(CauseKind) - others
    said = [str(cause.text) for cause in found.causes]
    assert said == [
        "all positions are closed",
        "fleet stop by mei: why",
        "the trader is retired",
        "draining, asked by mei: why",
        "paused by mei: why until 2026-01-01 01:23:20 UTC",
        "paused by the guard max_daily_loss_usd: why",
        "equity is stale",
        "differences with the exchange are not settled: 1",
    ]
