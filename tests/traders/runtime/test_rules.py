from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from traders.runtime.rules import EngineReport, State, state_of

NOW = datetime(2026, 1, 8, 10, 30, tzinfo=UTC)


def state(*, retired: bool = False, version: int = 3, interval: int = 180, **report: Any) -> State:
    said = {"active_version": 3, "is_running": True, "paused_until": None, "reported_at": NOW} | report
    return state_of(
        retired=retired, version=version, decision_interval_seconds=interval, report=EngineReport(**said), now=NOW
    )


def test_without_a_report_nothing_is_said_to_run() -> None:
    assert state(active_version=None, is_running=False) is State.NOT_REPORTED


def test_a_fresh_report_is_believed() -> None:
    assert state() is State.RUNNING
    assert state(is_running=False) is State.STOPPED


@pytest.mark.parametrize(
    ("interval", "age", "expected"),
    [
        *((30, 90, State.RUNNING), (30, 91, State.OVERDUE)),
        *((180, 270, State.RUNNING), (180, 271, State.OVERDUE)),
        *((3600, 3900, State.RUNNING), (3600, 3901, State.OVERDUE)),
    ],
)
def test_running_is_not_said_once_the_next_report_is_overdue(interval: int, age: int, expected: State) -> None:
    assert state(interval=interval, reported_at=NOW - timedelta(seconds=age)) is expected
    assert state(interval=interval, reported_at=NOW - timedelta(seconds=age), version=4) is State.PENDING


@pytest.mark.parametrize(("age", "expected"), [(420, State.OVERDUE), (421, State.STALE)])
def test_a_report_is_old_after_two_intervals_and_a_minute(age: int, expected: State) -> None:
    assert state(interval=180, reported_at=NOW - timedelta(seconds=age)) is expected


def test_an_old_report_is_stale_whatever_it_says() -> None:
    long_ago = NOW - timedelta(days=1)
    assert state(reported_at=long_ago, is_running=False) is State.STALE
    assert state(reported_at=long_ago, paused_until=NOW + timedelta(hours=1)) is State.STALE


def test_a_newer_version_that_the_engine_does_not_run_yet_is_pending() -> None:
    assert state(version=4) is State.PENDING
    assert state(version=4, is_running=False) is State.STOPPED


def test_a_pause_holds_until_its_end() -> None:
    assert state(paused_until=NOW + timedelta(seconds=1)) is State.PAUSED
    assert state(paused_until=NOW) is State.RUNNING


def test_retired_comes_before_everything() -> None:
    assert state(retired=True) is State.RETIRED
    assert state(retired=True, active_version=None) is State.RETIRED
