"""A fleet is given no more than it has."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import make_fleet, make_trader
from traders.versions.rules.allocation import Allocation, Share, after, allocated_pct, fleet_rule


def share(pct: str, *, retired: bool = False) -> Share:
    return Share(Decimal(pct), retired)


def message(shares: dict[str, Share], reserve_pct: str, missing: Sequence[str] = ()) -> str:
    problem = fleet_rule(Allocation(allocated_pct(shares), Decimal(reserve_pct)), shares=shares, missing=missing)
    assert problem is not None
    assert problem.path == "allocation_pct"
    return problem.message


@pytest.mark.parametrize(
    ("allocated", "reserve", "fits"),
    [("90", "10", True), ("90.01", "10", False), ("100", "0", True), ("0", "100", True), ("0.01", "100", False)],
)
def test_the_sum_may_reach_what_the_reserve_leaves(allocated: str, reserve: str, fits: bool) -> None:
    problem = fleet_rule(Allocation(Decimal(allocated), Decimal(reserve)), shares={})

    assert (problem is None) is fits


def test_a_retired_trader_does_not_count() -> None:
    assert allocated_pct({"a": share("40"), "b": share("30", retired=True), "c": share("0.50")}) == Decimal("40.50")


def test_an_empty_fleet_is_given_nothing() -> None:
    assert allocated_pct({}) == 0
    assert Allocation(Decimal(0), Decimal(10)).free_pct == 90


def test_the_message_names_the_sum_the_excess_and_the_limit() -> None:
    assert message({"a": share("60"), "b": share("45.50")}, "10") == (
        "makes the fleet's sum 105.50 %, 15.50 % above the 90 % that a reserve of 10 % leaves"
    )


def test_the_message_names_traders_that_the_file_lacks_and_what_to_do() -> None:
    shares = {"new": share("60"), "gone": share("25.5"), "old": share("20")}

    assert message(shares, "10", missing=["old", "gone"]) == (
        "makes the fleet's sum 105.5 %, 15.5 % above the 90 % that a reserve of 10 % leaves; "
        "45.5 % belong to traders that are stored but not in the file (gone 25.5 %, old 20 %): "
        "retire them with --retire-missing or put them back"
    )


def test_missing_traders_that_hold_nothing_are_not_named() -> None:
    shares = {"new": share("95"), "retired": share("50", retired=True), "idle": share("0")}

    assert "--retire-missing" not in message(shares, "10", missing=["retired", "idle"])


def test_the_message_says_what_would_fit() -> None:
    shares = {"a": share("60"), "b": share("45.50"), "c": share("5", retired=True)}
    allocation = Allocation(allocated_pct(shares), Decimal(10))

    def hint(*changed: str, path: str = "allocation_pct") -> str:
        problem = fleet_rule(allocation, shares=shares, changed=changed, path=path)
        assert problem is not None
        return problem.message.partition(" leaves; ")[2]

    assert hint("b") == "at most 30.00 % fits"
    assert hint("a", "b", "c") == "lower some of a 60 %, b 45.50 %"
    assert hint("c") == ""
    allocation = Allocation(Decimal(80), Decimal(30))
    assert hint(path="detail.manager.reserve_equity_pct") == "a reserve of at most 20 % fits"
    allocation = Allocation(Decimal(160), Decimal(0))
    assert hint("a") == "nothing is left for it"


def test_a_long_list_of_missing_traders_is_cut() -> None:
    shares = {f"t{number:02}": share("10") for number in range(13)}

    assert "t09 10 % and 3 more)" in message(shares, "10", missing=list(shares))
    assert "130 % belong to" in message(shares, "10", missing=list(shares))


def test_the_problem_lies_where_the_change_was_made() -> None:
    problem = fleet_rule(Allocation(Decimal(91), Decimal(10)), shares={}, path="detail.manager.reserve_equity_pct")

    assert problem is not None
    assert problem.path == "detail.manager.reserve_equity_pct"


def test_a_change_replaces_a_traders_share_and_adds_new_ones() -> None:
    shares, allocation = after(
        {"a": share("40"), "b": share("30")},
        Decimal(10),
        [make_trader("b", allocation_pct=Decimal("35")), make_trader("c", allocation_pct=Decimal("5"))],
    )

    assert shares == {"a": share("40"), "b": share("35"), "c": share("5")}
    assert allocation == Allocation(Decimal("80"), Decimal(10))


def test_a_retirement_gives_its_share_back() -> None:
    before = {"a": share("40"), "b": share("30")}

    _, allocation = after(before, Decimal(10), [make_trader("a", allocation_pct=Decimal(40), detail__retired=True)])

    assert allocation.free_pct == 60
    assert before["a"] == share("40")


def test_a_new_reserve_takes_the_place_of_the_old() -> None:
    _, allocation = after({"a": share("40")}, Decimal(10), [make_fleet(detail__manager__reserve_equity_pct=25)])

    assert allocation == Allocation(Decimal(40), Decimal(25))


@given(st.lists(st.decimals(0, 100, places=2), max_size=30), st.decimals(0, 100, places=2))
def test_the_rule_is_exact_to_the_cent(allocations: list[Decimal], reserve: Decimal) -> None:
    shares = {f"t{number}": Share(pct, retired=False) for number, pct in enumerate(allocations)}
    cents = sum(int(pct * 100) for pct in allocations)

    problem = fleet_rule(Allocation(allocated_pct(shares), reserve), shares=shares)

    assert (problem is None) is (cents <= 10_000 - int(reserve * 100))
