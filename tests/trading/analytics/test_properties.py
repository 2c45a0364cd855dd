"""What holds of every record."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.analytics.records import DAY, decisions, equity, money, signals, trades
from trading.analytics.groups.grouping import groups
from trading.analytics.groups.keys import GroupBy
from trading.analytics.intervals import Period
from trading.analytics.stats import exact_sum
from trading.analytics.summary import Performance, performance
from trading.schema.facts import DecisionFact, EquityPoint, SignalFact, TradeFact

Record = tuple[list[TradeFact], list[SignalFact], list[DecisionFact], list[EquityPoint]]
records = st.tuples(trades(), signals(), decisions(), equity())
periods = st.builds(Period, st.integers(0, 140 * DAY), st.integers(0, 140 * DAY))
capitals = st.none() | money(-1, 10**6)


def numbers(value: Any) -> Iterator[float | Decimal]:
    """Every number in a result, however deep."""
    if isinstance(value, (float, int, Decimal)):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from numbers(item)
    elif is_dataclass(value):
        for each in fields(value):
            yield from numbers(getattr(value, each.name))


def measured(record: Record, capital: Decimal | None) -> Performance:
    return performance(*record, start_capital=capital)


@given(records, capitals)
def test_no_figure_is_infinite_or_not_a_number(record: Record, capital: Decimal | None) -> None:
    assert all(math.isfinite(number) for number in numbers(measured(record, capital)))


@given(records, capitals, st.randoms())
def test_the_order_of_the_input_does_not_matter(record: Record, capital: Decimal | None, random: Any) -> None:
    shuffled = tuple(random.sample(part, len(part)) for part in record)

    assert measured(shuffled, capital) == measured(record, capital)


@given(records, capitals, st.none() | periods)
def test_shares_lie_between_nothing_and_all(record: Record, capital: Decimal | None, period: Period | None) -> None:
    found = performance(*record, start_capital=capital, period=period)

    assert found.wins + found.losses + found.flats == found.trades == len(record[0])
    assert found.exposure_pct is None or 0 <= found.exposure_pct <= 100
    assert found.win_rate_pct is None or 0 <= found.win_rate_pct <= 100
    signals_table = found.tables["signals_breakdown_table"]
    for kind in ("long", "short", "flat"):
        share = signals_table[f"pct_mins_{kind}_combined"]
        assert share is None or 0 <= share <= 100
    if found.max_drawdown:
        assert 0 <= found.max_drawdown.depth_pct <= 100
        assert found.max_drawdown.depth_usd >= 0
        assert found.max_drawdown.duration_ms >= 0
        assert found.max_drawdown.series == found.equity_series


@pytest.mark.parametrize("by", GroupBy)
@given(records)
def test_groups_add_up_to_the_whole(by: GroupBy, record: Record) -> None:
    whole = performance(*record)
    parts = [group.performance for group in groups(*record, by=by)]

    for count in ("trades", "wins", "losses", "flats", "straddling"):
        assert sum(getattr(part, count) for part in parts) == getattr(whole, count)
    for money_sum in ("net", "gross", "fees"):
        assert exact_sum(getattr(part, money_sum) for part in parts) == getattr(whole, money_sum)


@pytest.mark.parametrize("by", GroupBy)
@given(records, capitals, st.randoms())
def test_groups_are_finite_sorted_and_the_same_in_any_order(
    by: GroupBy, record: Record, capital: Decimal | None, random: Any
) -> None:
    start = {} if capital is None else {"ann": capital, "bob": Decimal(10)}
    shuffled = tuple(random.sample(part, len(part)) for part in record)

    found = groups(*record, by=by, start_capital=start)

    assert found == groups(*shuffled, by=by, start_capital=start)
    assert all(math.isfinite(number) for group in found for number in numbers(group))
    keys = [(group.trader_id or "", group.value is not None, group.value or 0) for group in found]
    assert keys == sorted(keys)
