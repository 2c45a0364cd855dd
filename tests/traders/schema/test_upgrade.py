"""Old shapes of `detail` are lifted step by step; golden snapshots show whole ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from traders.schema.settings.fleet import FLEET_SCHEMA_VERSION
from traders.schema.settings.trader import SCHEMA_VERSION
from traders.schema.settings.upgrade import FLEET_STEPS, TRADER_STEPS, lift_fleet_detail, lift_trader_detail

LIFTS = [(lift_trader_detail, SCHEMA_VERSION), (lift_fleet_detail, FLEET_SCHEMA_VERSION)]


def test_there_is_one_step_to_each_schema_version() -> None:
    assert len(TRADER_STEPS) == SCHEMA_VERSION
    assert len(FLEET_STEPS) == FLEET_SCHEMA_VERSION


@pytest.mark.parametrize(("lift", "newest"), LIFTS)
def test_a_shape_without_a_version_is_the_oldest(lift: Callable[..., Any], newest: int) -> None:
    assert lift({"auto_start": True}) == {"auto_start": True, "schema_version": newest}


@pytest.mark.parametrize(("lift", "newest"), LIFTS)
def test_todays_shape_is_left_as_it_is(lift: Callable[..., Any], newest: int) -> None:
    detail = {"schema_version": newest, "auto_start": True}

    assert lift(detail) == detail
    assert lift(detail) is not detail


@pytest.mark.parametrize(("lift", "newest"), LIFTS)
def test_a_newer_programs_shape_is_refused(lift: Callable[..., Any], newest: int) -> None:
    with pytest.raises(
        ValueError, match=f"schema version {newest + 1} is newer than this program's {newest}; upgrade the program"
    ):
        lift({"schema_version": newest + 1})
