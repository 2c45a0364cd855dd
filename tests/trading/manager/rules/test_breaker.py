"""A provider that fails several traders is left alone, and probed by one call after a pause that grows."""

from __future__ import annotations

import pytest

from trading.manager.rules.breaker import FAILURES, FIRST_PAUSE, LONGEST_PAUSE, Breaker


class At:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def at() -> At:
    return At()


@pytest.fixture
def breaker(at: At) -> Breaker:
    return Breaker(at)


def open_it(breaker: Breaker) -> None:
    assert [breaker.failed(name) for name in ("a", "b", "a")] == [None, None, FIRST_PAUSE]


def test_failures_of_one_trader_alone_leave_it_closed(breaker: Breaker) -> None:
    assert [breaker.failed("a") for _ in range(3 * FAILURES)] == [None] * 3 * FAILURES
    assert breaker.enter("a") is None


def test_a_success_between_failures_begins_the_count_again(breaker: Breaker) -> None:
    breaker.failed("a")
    breaker.failed("b")
    breaker.succeeded()
    assert [breaker.failed(name) for name in ("a", "b")] == [None, None]
    assert breaker.enter("c") is None


def test_open_it_refuses_all_and_says_for_how_long(breaker: Breaker, at: At) -> None:
    open_it(breaker)
    assert [breaker.enter(name) for name in ("a", "b", "c")] == [FIRST_PAUSE] * 3
    at.now += FIRST_PAUSE - 10
    assert breaker.enter("c") == 10


def test_after_the_pause_one_call_probes_and_its_success_lets_all_go_on(breaker: Breaker, at: At) -> None:
    open_it(breaker)
    at.now += FIRST_PAUSE
    assert breaker.enter("c") is None
    assert breaker.enter("a") is not None
    breaker.succeeded()
    assert [breaker.enter(name) for name in ("a", "b")] == [None, None]


def test_each_failed_probe_doubles_the_pause_to_a_most(breaker: Breaker, at: At) -> None:
    open_it(breaker)
    pauses = []
    for _ in range(6):
        at.now += LONGEST_PAUSE
        assert breaker.enter("a") is None
        pauses.append(breaker.failed("a"))
        assert breaker.enter("b") is not None
    assert pauses == [60.0, 120.0, 240.0, 480.0, LONGEST_PAUSE, LONGEST_PAUSE]


def test_a_call_from_before_it_opened_neither_lengthens_the_pause_nor_ends_a_probe(breaker: Breaker, at: At) -> None:
    open_it(breaker)
    assert breaker.failed("late") is None
    at.now += FIRST_PAUSE
    assert breaker.enter("c") is None
    assert breaker.failed("late") is None
    assert breaker.enter("a") is not None
    assert breaker.failed("c") == 2 * FIRST_PAUSE
