"""The bucket of requests: full for one second, filled at the rate, one for each caller."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from traders.tokens import throttle as module
from traders.tokens.throttle import Throttle

steps = st.lists(st.floats(min_value=0, max_value=3), min_size=1, max_size=60)


@given(rate=st.integers(1, 50), waits=steps)
def test_no_span_of_time_admits_more_than_the_rate_and_one_bucket(rate: int, waits: list[float]) -> None:
    now = [0.0]
    admitted: list[float] = []
    bucket = Throttle(lambda: now[0])
    for wait in waits:
        now[0] += wait
        admitted += [now[0] for _ in range(3) if not bucket.wait_seconds("engine", rate=rate)]
    for first, began in enumerate(admitted):
        for last, ended in enumerate(admitted[first:], first):
            assert last - first + 1 <= rate + (ended - began) * rate + 1e-6


@given(rate=st.integers(1, 1000), sent=st.integers(0, 2000))
def test_after_the_wait_that_was_told_a_request_is_admitted(rate: int, sent: int) -> None:
    now = [0.0]
    bucket = Throttle(lambda: now[0])
    waits = [bucket.wait_seconds("engine", rate=rate) for _ in range(sent)]
    assert waits.count(0) == min(sent, rate)
    now[0] += max(waits, default=0) or 1
    assert bucket.wait_seconds("engine", rate=rate) == 0


def test_threads_share_one_bucket() -> None:
    bucket = Throttle(lambda: 0.0)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: bucket.wait_seconds("engine", rate=5), range(8)))
    assert sorted(answers) == [0] * 5 + [1] * 3


def test_callers_that_are_silent_are_forgotten() -> None:
    now = [0.0]
    bucket = Throttle(lambda: now[0])
    for caller in range(module._MOST_CALLERS):
        bucket.wait_seconds(caller, rate=1)
    now[0] += 10
    bucket.wait_seconds("newest", rate=1)
    assert len(bucket._buckets) == 1
