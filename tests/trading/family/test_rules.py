"""Who belongs to a family, what time its members share, and how their curves are drawn."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from trading.analytics.flows import Indexed
from trading.analytics.intervals import Period
from trading.family.chart import chart_of
from trading.family.rules import (
    MOST_POINTS,
    FamilyCurve,
    FamilyUse,
    common_period,
    curve_of,
    family_of,
    version_return_pct,
)
from trading.schema.facts import EquityPoint

NAMES = st.sampled_from("abcdef")


def series(*values: int) -> Indexed:
    points = tuple(EquityPoint("a", place * 1000, Decimal(value)) for place, value in enumerate(values))
    return Indexed(points, points)


def test_a_family_is_the_same_from_each_of_its_members() -> None:
    parents = {"b": "a", "c": "b", "d": "a", "x": "y"}

    assert [family_of(name, parents) for name in "abcd"] == [["a", "b", "d", "c"]] * 4
    assert family_of("y", parents) == ["y", "x"]
    assert family_of("z", parents) == ["z"]


@given(st.dictionaries(NAMES, NAMES))
def test_no_origin_makes_an_endless_family(parents: dict[str, str]) -> None:
    found = family_of("a", parents)

    assert len(found) == len(set(found))
    assert "a" in found


def test_the_common_period_is_the_overlap_of_those_that_ran() -> None:
    assert common_period([Period(0, 100), Period(50, 200), Period(7, 7)]) == (Period(50, 100), True)
    assert common_period([Period(0, 10), Period(20, 30)]) == (Period(0, 30), False)
    assert common_period([]) == (None, False)


def test_a_curve_begins_at_100_and_keeps_its_last_point() -> None:
    found = curve_of("a", series(*range(1000, 2001)))

    assert found.points[0] == (0, 100.0)
    assert found.points[-1] == (1_000_000, 200.0)
    assert len(found.points) <= MOST_POINTS + 1
    assert curve_of("a", series(1000)).points == ()


def test_a_trader_keeps_its_value_between_its_points_and_has_none_before_and_after_them() -> None:
    chart = chart_of(
        [
            FamilyCurve("a", ((0, 100.0), (3_000, 110.0))),
            FamilyCurve("b", ((1_000, 100.0), (2_000, 90.0), (4_000, 95.0))),
            FamilyCurve("c", ()),
        ]
    )

    assert chart is not None
    assert list(chart.times) == [0, 1, 2, 3, 4]
    assert [(line.label, list(line.values)) for line in chart.lines] == [
        ("a", [100.0, 100.0, 100.0, 110.0, None]),
        ("b", [None, 100.0, 90.0, 90.0, 95.0]),
    ]
    assert "b ends at 95.00; lowest 90.00, highest 100.00." in chart.summary
    assert chart_of([FamilyCurve("c", ())]) is None


def test_uses_add_up_and_an_unknown_cost_stays_unknown() -> None:
    assert FamilyUse(2, 1, None) + FamilyUse(3, 0, None) == FamilyUse(5, 1, None)
    assert FamilyUse(2, 1, Decimal("0.5")) + FamilyUse(3, 0, None) == FamilyUse(5, 1, Decimal("0.5"))


def test_the_return_of_a_version_is_of_the_equity_that_it_began_with() -> None:
    assert version_return_pct(Decimal(50), Decimal(1000)) == 5.0
    assert version_return_pct(Decimal(50), None) is None
