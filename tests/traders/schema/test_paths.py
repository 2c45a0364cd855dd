"""Configurations as dotted paths, compared as values."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import fleet_specs, json_values, trader_specs
from traders.schema.paths import ABSENT, Change, Flat, apply, diff, flatten, same, unflatten
from traders.schema.settings.fleet import FleetSpec
from traders.schema.settings.stored import flat_of
from traders.schema.settings.trader import TraderSpec


@st.composite
def flats(draw: st.DrawFn) -> Flat:
    """Any settings, and any extension keys."""
    settings = draw(st.dictionaries(st.sampled_from(["allocation_pct", "detail.a", "detail.b.c"]), json_values()))
    keys = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,5}", fullmatch=True)
    extra = draw(st.dictionaries(keys, json_values(), max_size=4))
    return settings | {f"detail.extra.{key}": value for key, value in extra.items()}


@given(flats(), flats())
def test_a_diff_turns_the_old_into_the_new(old: Flat, new: Flat) -> None:
    result = apply(old, diff(old, new))

    assert result.keys() == new.keys()
    assert all(same(result[path], new[path]) for path in new)


@given(flats())
def test_nothing_differs_from_itself(flat: Flat) -> None:
    assert diff(flat, dict(flat)) == []


@given(flats(), flats())
def test_a_diff_names_each_path_once_and_only_what_differs(old: Flat, new: Flat) -> None:
    changes = diff(old, new)

    assert len({change.path for change in changes}) == len(changes)
    assert not any(same(change.old, change.new) for change in changes)


@given(trader_specs())
def test_a_trader_goes_through_paths_and_back(spec: TraderSpec) -> None:
    nested = {"id": spec.id, **unflatten(flatten(spec.model_dump()))}

    assert TraderSpec.model_validate(nested) == spec
    assert nested["detail"] == {
        key: value for key, value in spec.detail.model_dump().items() if key != "schema_version"
    }


@given(fleet_specs())
def test_the_fleet_goes_through_paths_and_back(spec: FleetSpec) -> None:
    assert FleetSpec.model_validate(unflatten(flatten(spec.model_dump()))) == spec


@given(trader_specs(), trader_specs())
def test_a_diff_of_two_traders_makes_the_one_the_other(one: TraderSpec, other: TraderSpec) -> None:
    result = apply(flat_of(one), diff(flat_of(one), flat_of(other)))

    assert TraderSpec.model_validate({"id": other.id, **unflatten(result)}) == other


def test_identity_and_schema_version_are_no_paths() -> None:
    snapshot = {"id": "a", "version": 3, "allocation_pct": 1, "detail": {"schema_version": 1, "auto_start": True}}

    assert flatten(snapshot) == {"allocation_pct": 1, "detail.auto_start": True}


def test_an_extension_key_is_one_path_whatever_it_holds() -> None:
    nested = {"detail": {"extra": {"limits": {"BTC": {"max": 1}}, "note": "x"}, "cloned_from": {"trader_id": "a"}}}

    assert flatten(nested) == {
        "detail.extra.limits": {"BTC": {"max": 1}},
        "detail.extra.note": "x",
        "detail.cloned_from": {"trader_id": "a"},
    }
    assert unflatten(flatten(nested)) == nested


def test_changes_come_in_the_order_of_the_old_then_what_is_new() -> None:
    old = {"b": 1, "a": 2, "detail.extra.gone": 3}
    new = {"a": 1, "b": 2, "detail.extra.here": None}

    assert diff(old, new) == [
        Change("b", 1, 2),
        Change("a", 2, 1),
        Change("detail.extra.gone", 3, ABSENT),
        Change("detail.extra.here", ABSENT, None),
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (3, Decimal("3.00")),
        (3.0, 3),
        (Decimal("1E+2"), 100),
        (0, Decimal("-0")),
        ([1, {"a": Decimal("2.0")}], [1, {"a": 2}]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"fills": ({"price": 1},)}, {"fills": [{"price": Decimal("1.0")}]}),
        (None, None),
    ],
)
def test_equal_values_are_the_same(one: Any, other: Any) -> None:
    assert same(one, other)
    assert same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (0, False),
        ([1], [True]),
        ({"a": 0}, {"a": False}),
        ("3", 3),
        (None, False),
        (None, 0),
        (None, ABSENT),
        ("", None),
        ([], {}),
        ([1, 2], [2, 1]),
        ([1], [1, 1]),
        ({"a": None}, {}),
        (Decimal("0.1"), Decimal("0.10000000000000000001")),
    ],
)
def test_different_values_are_not(one: Any, other: Any) -> None:
    assert not same(one, other)
    assert not same(other, one)
