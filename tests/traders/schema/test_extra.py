"""Extension keys: anything JSON holds, under names that fit a dotted path."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from tests.factories import make_trader
from tests.strategies import extras
from traders.schema.paths import unflatten
from traders.schema.problems import InvalidConfig
from traders.schema.settings.extra import MAX_BYTES, MAX_DEPTH
from traders.schema.settings.stored import flat_of
from traders.schema.settings.validate import validate_trader


def keep(extra: Any) -> dict[str, Any]:
    flat = {path: value for path, value in flat_of(make_trader()).items() if not path.startswith("detail.extra")}
    return validate_trader("a", unflatten(flat | {"detail.extra": extra})).detail.extra


def refusal(extra: Any) -> str:
    with pytest.raises(InvalidConfig) as caught:
        keep(extra)
    [problem] = caught.value.problems
    assert problem.path == "detail.extra"
    return problem.message


@given(extras())
def test_json_is_kept_as_it_is(extra: dict[str, Any]) -> None:
    assert keep(extra) == extra


@pytest.mark.parametrize("key", ["", "1a", "a.b", "a b", "é", "-a", "_a", "a" * 65])
def test_a_key_that_would_need_quoting_is_refused(key: str) -> None:
    assert refusal({key: 1}) == f"must have keys of letters, digits, - and _, beginning with a letter; {key!r} is not"


def test_keys_further_down_are_free() -> None:
    assert keep({"limits": {"BTC-USD.perp": 1, "": 2}}) == {"limits": {"BTC-USD.perp": 1, "": 2}}


@pytest.mark.parametrize(
    "value", [float("nan"), 1.5, Decimal("NaN"), Decimal("Infinity"), Decimal("1E-40"), 10**30, -(10**40)]
)
def test_a_number_that_cannot_be_kept_exactly_is_refused(value: Any) -> None:
    assert "must hold only" in refusal({"a": [value]})


@pytest.mark.parametrize("value", ["\0", "a\x07", "\ud800"])
def test_a_character_that_no_database_keeps_is_refused(value: str) -> None:
    assert refusal({"a": {"b": value}}).startswith("must not hold the character U+")


def test_a_tree_too_deep_is_refused() -> None:
    deep: Any = 1
    for _ in range(MAX_DEPTH + 2):
        deep = [deep]
    assert refusal({"a": deep}) == f"must not be nested deeper than {MAX_DEPTH} levels"


def test_too_much_is_refused() -> None:
    assert refusal({"a": "x" * MAX_BYTES}) == "must not exceed 64 KB"


@pytest.mark.parametrize("value", [{1, 2}, b"x", object])
def test_what_is_not_json_is_refused(value: Any) -> None:
    assert refusal({"a": value}).startswith("must hold only JSON values, not ")
