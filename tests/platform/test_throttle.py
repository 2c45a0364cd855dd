"""The arithmetic of the throttle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nof0site.login.throttle import LIMITS, WINDOW, Failures, ThrottleScope, refusal

NOW = datetime(2026, 11, 29, tzinfo=UTC)
COUNTS = st.integers(0, 100_000)
FAILURES = st.builds(Failures, COUNTS, st.none() | st.integers(0, 1000).map(lambda ago: NOW - timedelta(seconds=ago)))
COUNTED = st.dictionaries(st.sampled_from(ThrottleScope), FAILURES)


def lasting(scope: ThrottleScope, count: int) -> float:
    found = refusal({scope: Failures(count, NOW)}, NOW, is_known=False)
    return (found.until - NOW).total_seconds() if found else 0.0


@pytest.mark.parametrize(
    ("scope", "pauses"),
    [
        (ThrottleScope.PAIR, {4: 0, 5: 900, 6: 900}),
        (ThrottleScope.ACCOUNT, {19: 0, 20: 5, 21: 10, 22: 20, 23: 40, 24: 60, 10_000: 60}),
        (ThrottleScope.ADDRESS, {19: 0, 20: 30, 21: 60, 24: 480, 25: 900, 10_000: 900}),
    ],
)
def test_pauses(scope: ThrottleScope, pauses: dict[int, float]) -> None:
    assert {count: lasting(scope, count) for count in pauses} == pauses


@given(st.sampled_from(ThrottleScope), COUNTS)
def test_a_further_failure_never_makes_the_pause_shorter(scope: ThrottleScope, count: int) -> None:
    assert LIMITS[scope].pause(count) <= LIMITS[scope].pause(count + 1) <= LIMITS[scope].longest <= WINDOW


@given(COUNTED, st.booleans())
def test_a_refusal_ends_in_the_future_and_within_the_window(
    counted: dict[ThrottleScope, Failures], is_known: bool
) -> None:
    found = refusal(counted, NOW, is_known=is_known)
    if found:
        assert NOW < found.until <= NOW + WINDOW
        assert refusal(counted, found.until, is_known=is_known) is None


@given(COUNTED)
def test_others_failures_lock_an_account_for_a_minute_at_most(counted: dict[ThrottleScope, Failures]) -> None:
    others: dict[ThrottleScope, Failures] = {
        scope: at for scope, at in counted.items() if scope is ThrottleScope.ACCOUNT
    }
    found = refusal(others, NOW, is_known=False)
    assert found is None or found.until <= NOW + timedelta(seconds=60)


@given(COUNTED)
def test_where_an_account_is_known_only_its_own_failures_count(counted: dict[ThrottleScope, Failures]) -> None:
    own: dict[ThrottleScope, Failures] = {scope: at for scope, at in counted.items() if scope is ThrottleScope.PAIR}
    assert refusal(counted, NOW, is_known=True) == refusal(own, NOW, is_known=False)
