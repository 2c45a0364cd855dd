"""How far ahead a moment may lie, and how that is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from traders.schema import moments
from traders.schema.runtime import ReportDetail, ReportedCycle
from traders.words.moments import ago_words

NOW = datetime(2026, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ms", "text"), [(40_000, "40 s"), (300_000, "5 min"), (7_200_000, "2 h"), (12 * 86_400_000, "12 days")]
)
def test_a_distance_is_said_roughly(ms: int, text: str) -> None:
    assert moments.rough(ms) == text


def test_what_may_lie_ahead_is_left_alone() -> None:
    later = datetime.now(UTC) + timedelta(days=1)
    assert not list(moments.moments_ahead(ReportDetail(decision=ReportedCycle(next_at=later))))
    [found] = moments.moments_ahead(ReportDetail(decision=ReportedCycle(last_at=later)))
    assert found.path == "decision.last_at"
    assert later.isoformat() in found.message


def test_an_age_below_zero_is_not_just_now() -> None:
    assert ago_words(NOW + timedelta(minutes=6), NOW) == "ahead of this server's clock"
    assert ago_words(NOW + timedelta(seconds=1), NOW) == ago_words(NOW, NOW) == "just now"
