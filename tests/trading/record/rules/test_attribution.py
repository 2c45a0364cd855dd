"""Which version a moment or an order belongs to."""

from __future__ import annotations

from dataclasses import replace

from trading.record.rules.attribution import US_PER_MS, Attribution, Timeline

# Version 1 at 1 s, 2 (retired) at 2 s, 3 (back) at 3 s, 4 (retired again) at 4 s.
TIMELINE = Timeline(tuple(second * 1000 * US_PER_MS for second in (1, 2, 3, 4)), frozenset({2, 4}))
ATTRIBUTION = Attribution({"t": TIMELINE}, {("t", "67890"): 3, ("t", "1"): None})


def test_a_moment_belongs_to_the_version_valid_then() -> None:
    assert [TIMELINE.version_at(ms) for ms in (999, 1000, 1999, 2000, 9000)] == [None, 1, 1, 2, 4]


def test_each_retirement_counts_until_the_trader_is_unretired() -> None:
    assert [TIMELINE.is_retired_at(ms) for ms in (500, 1500, 2500, 3500, 4500)] == [False, False, True, False, True]


def test_a_trader_has_the_versions_of_its_timeline_only() -> None:
    assert [TIMELINE.has_version(version) for version in (0, 1, 4, 5)] == [False, True, True, False]


def test_a_pinned_version_comes_before_the_newest_and_a_named_one_before_both() -> None:
    pins = ((2_500 * US_PER_MS, 1), (3_500 * US_PER_MS, None))
    pinned = Attribution({"t": replace(TIMELINE, pins=pins)}, {("t", "67890"): 2})

    assert [pinned.version("t", ms) for ms in (2_400, 2_500, 3_499, 3_500, 9_000)] == [2, 1, 1, 3, 4]
    assert pinned.version("t", 3_000, [67890]) == 2


def test_the_journals_order_comes_before_the_time() -> None:
    assert ATTRIBUTION.version("t", 1500, [67890]) == 3
    assert ATTRIBUTION.version("t", 1500, [None, "67890"]) == 3
    assert ATTRIBUTION.version("t", 1500, [5]) == 1
    assert ATTRIBUTION.version("t", 500) is None


def test_an_order_of_a_decision_from_before_the_first_version_has_none() -> None:
    assert ATTRIBUTION.version("t", 1500, [1]) is None
