"""Performance in parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from tests.trading.analytics.records import DAY, DECISIONS, EQUITY, FIVE, MINUTE, SIGNALS, decision, point, trade
from trading.analytics.groups.grouping import Group, groups
from trading.analytics.groups.keys import GroupBy
from trading.analytics.intervals import OpenPosition
from trading.schema.facts import EquityPoint

THOUSAND = {"mei": Decimal(1000), "kim": Decimal(500)}


def nets(found: list[Group]) -> list[tuple[str, int]]:
    return [(group.label, int(group.performance.net)) for group in found]


def test_pnl_belongs_to_the_version_that_entered_and_a_close_by_another_is_counted() -> None:
    record = [
        trade("a", "5", entry_version=2, exit_version=3),
        trade("b", "-2", entry_version=2, exit_version=2),
        trade("c", "9", entry_version=None, exit_version=1),
        trade("d", "1", entry_version=10, exit_version=10),
    ]

    found = groups(record, by=GroupBy.VERSION)

    assert nets(found) == [("before v1", 9), ("v2", 3), ("v10", 1)]
    assert [group.performance.straddling for group in found] == [1, 1, 0]


def test_versions_of_two_traders_are_two_groups() -> None:
    record = [trade("a", entry_version=1), trade("b", "2", entry_version=1, trader_id="kim")]

    found = groups(record, by=GroupBy.VERSION)

    assert [(group.trader_id, group.value) for group in found] == [("kim", 1), ("mei", 1)]


def test_a_version_that_only_decided_is_a_group_of_no_trades() -> None:
    found = groups(FIVE, decisions=[decision(1, 0, version=4)], by=GroupBy.VERSION)

    assert [(group.label, group.performance.trades) for group in found] == [("before v1", 5), ("v4", 0)]


def test_symbols_and_sides_are_compared_over_the_same_time() -> None:
    by_symbol = groups(FIVE, SIGNALS, DECISIONS, by=GroupBy.SYMBOL)
    by_side = groups(FIVE, SIGNALS, DECISIONS, by=GroupBy.SIDE)

    assert nets(by_symbol) == [("BTC", 12), ("ETH", -32), ("SOL", 0)]
    assert nets(by_side) == [("long", 26), ("short", -46)]
    assert [group.performance.exposure_pct for group in by_symbol] == [pytest.approx(100 * 190 / 300), 70.0, 0.0]
    assert [group.performance.tables["invocation_breakdown_table"]["num_invocations"] for group in by_side] == [4, 4]
    assert [group.performance.tables["signals_breakdown_table"]["total_signals"] for group in by_side] == [2, 1]


def test_prompts_take_the_decisions_of_their_signals() -> None:
    record = [trade("a", "5", prompt_sha256="ff"), trade("b", "1")]
    asked = [replace(SIGNALS[0], prompt_sha256="ff")]

    found = groups(record, asked, DECISIONS, by=GroupBy.PROMPT)

    assert nets(found) == [("unknown", 1), ("ff", 5)]
    assert [group.performance.tables["invocation_breakdown_table"]["num_invocations"] for group in found] == [3, 1]


@pytest.mark.parametrize(
    ("by", "names"),
    [
        (GroupBy.DAY, ["1970-01-01", "1970-01-05", "1970-02-01"]),
        (GroupBy.WEEK, ["1970-W01", "1970-W02", "1970-W05"]),
        (GroupBy.MONTH, ["1970-01", "1970-02"]),
    ],
)
def test_a_trade_counts_in_the_period_of_its_close(by: GroupBy, names: list[str]) -> None:
    day = 24 * 60
    record = [trade(str(close), opened=close - 1, closed=close) for close in (0, 4 * day, 31 * day)]
    record[0] = replace(record[0], open_ts_ms=0)

    found = groups(record, by=by)

    assert [group.label for group in found if group.performance.trades] == names
    assert sum(group.performance.trades for group in found) == 3


def test_a_position_held_through_a_day_fills_it() -> None:
    found = groups([trade(opened=12 * 60, closed=60 * 60)], by=GroupBy.DAY, start_capital=THOUSAND)

    assert [group.performance.exposure_pct for group in found] == [100.0, 100.0, 100.0]
    assert [group.performance.trades for group in found] == [0, 0, 1]


def test_each_period_starts_with_the_capital_that_the_ones_before_left() -> None:
    day = 24 * 60
    record = [trade("a", "1000", closed=5), trade("b", "-500", opened=day, closed=day + 5)]

    depths = [group.performance.max_drawdown for group in groups(record, by=GroupBy.DAY, start_capital=THOUSAND)]

    assert [depth and depth.depth_pct for depth in depths] == [0.0, 25.0]


def test_periods_and_traders_are_measured_by_recorded_equity() -> None:
    equity = [*EQUITY, point(DAY, "900"), point(2 * DAY, "450")]

    by_day = groups(FIVE, equity=equity, by=GroupBy.DAY)
    by_trader = groups(FIVE, equity=equity, by=GroupBy.TRADER)

    assert [group.performance.equity_series for group in (*by_day, *by_trader)] == ["engine", "engine"]
    assert by_day[0].performance.max_drawdown is not None
    assert by_day[0].performance.max_drawdown.depth_pct == 20.0
    assert by_trader[0].performance.max_drawdown is not None
    assert by_trader[0].performance.max_drawdown.depth_pct == 55.0


def test_versions_are_measured_by_equity_derived_from_their_trades_over_the_first_equity() -> None:
    found = groups(FIVE, equity=EQUITY, by=GroupBy.VERSION)[0].performance

    assert found.equity_series == "derived"
    assert found.max_drawdown is not None
    assert found.max_drawdown.depth_pct == pytest.approx(100 * 39 / 1019)


def test_without_the_capital_of_every_trader_ratios_are_undefined() -> None:
    record = [*FIVE, trade(trader_id="kim")]

    alone = groups(record, by=GroupBy.SIDE, start_capital={"mei": Decimal(1000)})
    both = groups(record, by=GroupBy.SIDE, start_capital=THOUSAND)

    assert {group.performance.max_drawdown for group in alone} == {None}
    assert None not in {group.performance.max_drawdown for group in both}


def test_an_open_position_counts_in_its_own_group() -> None:
    still_open = OpenPosition("mei", "SOL", "long", 0, 150 * MINUTE)

    found = {group.label: group.performance for group in groups(FIVE, by=GroupBy.SYMBOL, open_positions=[still_open])}

    assert found["SOL"].trades == 0
    assert found["SOL"].exposure_pct == 50.0


def test_trades_signals_and_decisions_are_grouped_by_the_model_that_entered() -> None:
    record = [trade("a", "5", model="deepseek-chat"), trade("b", "-2", model="qwen3-max"), trade("c", "9")]
    said = [replace(SIGNALS[0], model="qwen3-max", decision_id=2)]

    found = groups(record, said, [decision(1, 0), decision(2, 5)], by=GroupBy.MODEL)

    assert nets(found) == [("unknown", 9), ("deepseek-chat", 5), ("qwen3-max", -2)]
    calls = [group.performance.tables["invocation_breakdown_table"]["num_invocations"] for group in found]
    assert calls == [1, 0, 1]


def test_recorded_equity_measures_no_part_of_a_traders_trades() -> None:
    whole, part = (
        groups(FIVE, equity=EQUITY, by=GroupBy.TRADER, is_whole=is_whole)[0].performance for is_whole in (True, False)
    )

    assert whole.equity_series == "engine"
    assert part.equity_series == "derived"
    assert part.return_pct == pytest.approx(float(100 * part.net / EQUITY[0].equity))


def test_the_equity_before_a_trade_is_looked_up_in_points_that_are_sorted_once() -> None:
    class Counted(list[EquityPoint]):
        read = 0

        def __iter__(self) -> Iterator[EquityPoint]:
            type(self).read += 1
            return super().__iter__()

    days = [trade(str(n), opened=1440 * n, closed=1440 * n + 5) for n in range(50)]

    assert len(groups(days, equity=Counted(EQUITY), by=GroupBy.DAY)) == 50
    assert Counted.read < 10


def test_days_are_those_of_the_zone_whose_clock_changes() -> None:
    zone = ZoneInfo("Europe/Berlin")
    midnight = int(datetime(2026, 3, 29, tzinfo=zone).timestamp() * 1000)
    hours = [-1, 0, 22, 23]
    record = [
        trade(str(hour), opened=(midnight + hour * 3_600_000) // MINUTE, closed=(midnight + hour * 3_600_000) // MINUTE)
        for hour in hours
    ]

    found = groups(record, by=GroupBy.DAY, zone=zone)

    assert [(group.label, group.performance.trades) for group in found] == [
        ("2026-03-28", 1),
        ("2026-03-29", 2),
        ("2026-03-30", 1),
    ]
