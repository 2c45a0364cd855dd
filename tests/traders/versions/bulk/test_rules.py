"""Operations on one value: numbers keep the steps of their setting, and 0 is no small number where it means off."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traders.schema.settings.catalogue import TRADER_SETTINGS
from traders.versions.bulk.rules import Do, Operation, apply_operations

ENTRIES = "detail.exec_guards.max_new_positions_per_cycle"  # 0: no limit
SHARPE = "detail.exec_guards.sharpe_pause_threshold"  # 0: never pauses
SIZE = "detail.risk.max_position_size_usd"
LEVERAGE = "detail.risk.major_coin_leverage"


def after(path: str, old: Any, do: Do, value: Any) -> Any:
    return apply_operations({path: old}, [Operation(path, do, value)], TRADER_SETTINGS)[path]


@pytest.mark.parametrize(
    ("path", "old", "do", "value", "new"),
    [
        (ENTRIES, 0, Do.CAP, 3, 3),
        (ENTRIES, 5, Do.CAP, 3, 3),
        (ENTRIES, 2, Do.CAP, 3, 2),
        (ENTRIES, 0, Do.FLOOR, 3, 0),
        (SHARPE, Decimal(0), Do.CAP, Decimal(1), Decimal(0)),
        (SHARPE, Decimal(0), Do.FLOOR, Decimal("0.5"), Decimal("0.5")),
    ],
)
def test_a_limit_that_is_off_counts_as_no_limit(path: str, old: Any, do: Do, value: Any, new: Any) -> None:
    assert after(path, old, do, value) == new


@pytest.mark.parametrize(
    ("path", "old", "factor", "new"),
    [
        (ENTRIES, 1, "0.4", 1),
        (ENTRIES, 0, "0.4", 0),
        (ENTRIES, 3, "0", 0),
        (SHARPE, Decimal("-0.0001"), "0.1", Decimal("-0.0001")),
        (LEVERAGE, 3, "0.5", 2),
        (SIZE, Decimal("333.33"), "0.5", Decimal("166.665")),
    ],
)
def test_scaling_never_switches_a_limit_off_by_rounding(path: str, old: Any, factor: str, new: Any) -> None:
    assert after(path, old, Do.TIMES, Decimal(factor)) == new


@given(st.integers(1, 200), st.decimals(0, 10, places=3))
def test_a_percentage_is_a_factor(old: int, factor: Decimal) -> None:
    assert after(LEVERAGE, old, Do.PERCENT, (factor - 1) * 100) == after(LEVERAGE, old, Do.TIMES, factor)


@given(st.integers(1, 200), st.integers(1, 200))
def test_a_cap_then_a_floor_at_the_same_value_sets_it(old: int, value: int) -> None:
    assert after(LEVERAGE, after(LEVERAGE, old, Do.CAP, value), Do.FLOOR, value) == value
