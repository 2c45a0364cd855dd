"""Operations on one value: numbers keep the steps of their setting, rounded toward less risk, and 0 is no small number
where it means off."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from traders.schema.settings.catalogue import TRADER_SETTINGS
from traders.schema.settings.declare import Setting
from traders.versions.bulk.rounding import RoundedWhy, Rounding
from traders.versions.bulk.rules import BulkVerb, Operation, apply_operations, is_numeric

ENTRIES = "detail.exec_guards.max_new_positions_per_cycle"  # 0: no limit
SHARPE = "detail.exec_guards.sharpe_pause_threshold"  # 0: never pauses
SIZE = "detail.risk.max_position_size_usd"
LEVERAGE = "detail.risk.major_coin_leverage"
CONFIDENCE = "detail.risk.min_confidence"
INTERVAL = "detail.llm.decision_interval_seconds"
NUMBERS = [setting for setting in TRADER_SETTINGS.values() if is_numeric(setting)]


def after(path: str, old: Any, do: BulkVerb, value: Any) -> Any:
    return applied(path, old, do, value)[0]


def applied(path: str, old: Any, do: BulkVerb, value: Any) -> tuple[Any, tuple[Rounding, ...]]:
    flat, roundings = apply_operations({path: old}, [Operation(path, do, value)], TRADER_SETTINGS)
    return flat[path], roundings


@pytest.mark.parametrize(
    ("path", "old", "do", "value", "new"),
    [
        (ENTRIES, 0, BulkVerb.CAP, 3, 3),
        (ENTRIES, 5, BulkVerb.CAP, 3, 3),
        (ENTRIES, 2, BulkVerb.CAP, 3, 2),
        (ENTRIES, 0, BulkVerb.FLOOR, 3, 0),
        (SHARPE, Decimal(0), BulkVerb.CAP, Decimal(1), Decimal(0)),
        (SHARPE, Decimal(0), BulkVerb.FLOOR, Decimal("0.5"), Decimal("0.5")),
    ],
)
def test_a_limit_that_is_off_counts_as_no_limit(path: str, old: Any, do: BulkVerb, value: Any, new: Any) -> None:
    assert after(path, old, do, value) == new


@pytest.mark.parametrize(
    ("path", "old", "factor", "new"),
    [
        (ENTRIES, 1, "0.4", 1),
        (ENTRIES, 0, "0.4", 0),
        (ENTRIES, 3, "0", 0),
        (SHARPE, Decimal("-0.0001"), "0.1", Decimal("-0.0001")),
        (LEVERAGE, 3, "0.5", 1),
        (SIZE, Decimal("333.33"), "0.5", Decimal("166.665")),
    ],
)
def test_scaling_never_switches_a_limit_off_by_rounding(path: str, old: Any, factor: str, new: Any) -> None:
    assert after(path, old, BulkVerb.TIMES, Decimal(factor)) == new


@given(st.integers(1, 200), st.decimals(0, 10, places=3))
def test_a_percentage_is_a_factor(old: int, factor: Decimal) -> None:
    assert after(LEVERAGE, old, BulkVerb.PERCENT, (factor - 1) * 100) == after(LEVERAGE, old, BulkVerb.TIMES, factor)


@given(st.integers(1, 200), st.integers(1, 200))
def test_a_cap_then_a_floor_at_the_same_value_sets_it(old: int, value: int) -> None:
    assert after(LEVERAGE, after(LEVERAGE, old, BulkVerb.CAP, value), BulkVerb.FLOOR, value) == value


@pytest.mark.parametrize(
    ("path", "old", "factor", "stored", "why"),
    [
        (LEVERAGE, 3, "0.5", 1, RoundedWhy.LESS_RISK),
        (CONFIDENCE, 75, "0.9", 68, RoundedWhy.LESS_RISK),  # 67.5: a higher one refuses more
        (INTERVAL, 5, "0.5", 2, RoundedWhy.NEAREST),
        (INTERVAL, 7, "0.5", 4, RoundedWhy.NEAREST),
        (LEVERAGE, 1, "0.1", 1, RoundedWhy.BOUND),
        (SIZE, Decimal("0.00000001"), "0.5", Decimal("0.00000001"), RoundedWhy.BOUND),
        (CONFIDENCE, 67, "1.5", 100, RoundedWhy.BOUND),
        (ENTRIES, 1, "0.4", 1, RoundedWhy.STAYS_ON),
    ],
)
def test_what_was_rounded_is_said_with_the_reason(
    path: str, old: Any, factor: str, stored: Any, why: RoundedWhy
) -> None:
    exact = Decimal(old) * Decimal(factor)
    assert applied(path, old, BulkVerb.TIMES, Decimal(factor)) == (stored, (Rounding(path, old, exact, stored, why),))


def test_what_needs_no_rounding_is_not_named() -> None:
    assert applied(LEVERAGE, 20, BulkVerb.TIMES, Decimal("0.5")) == (10, ())
    assert applied(SIZE, Decimal("333.33"), BulkVerb.PERCENT, Decimal(-50)) == (Decimal("166.665"), ())
    assert applied(LEVERAGE, 3, BulkVerb.CAP, 2) == (2, ())


def test_what_lies_far_outside_of_the_range_stays_there_to_be_refused() -> None:
    assert after(LEVERAGE, 150, BulkVerb.TIMES, Decimal(2)) == 300
    assert after(LEVERAGE, 150, BulkVerb.TIMES, Decimal(0)) == 0
    assert after(SIZE, Decimal(500), BulkVerb.TIMES, Decimal("1e29")) == Decimal("5e31")


@given(st.data(), st.sampled_from(NUMBERS), st.decimals(0, 4, places=3))
def test_rounding_raises_no_risk_and_keeps_range_and_step(
    data: st.DataObject, setting: Setting, factor: Decimal
) -> None:
    step = Decimal(1).scaleb(-(setting.decimal_places or 0))
    least = int((setting.minimum or 0) / step) + setting.above_minimum
    old: Any = data.draw(st.integers(least, min(int((setting.maximum or 0) / step), least + 10**6))) * step
    assume(factor or not setting.off_at_zero)
    exact = old * factor
    new = after(setting.path, old, BulkVerb.TIMES, factor)

    assert new == 0 or new % step == 0
    if not setting.raises_risk(old, exact):
        assert not setting.raises_risk(old, new)
    if (setting.minimum or 0) <= exact <= (setting.maximum or 0) and not (setting.above_minimum and not exact):
        assert (setting.minimum or 0) <= new <= (setting.maximum or 0)
        assert not (setting.above_minimum and not new)
