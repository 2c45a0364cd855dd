"""Five trades by hand: what each field of the arena's tables means."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from math import sqrt

import pytest

from tests.trading.analytics.records import DECISIONS, EQUITY, FIVE, MINUTE, SIGNALS, decision, trade
from trading.analytics.intervals import OpenPosition, Period
from trading.analytics.stats import Table
from trading.analytics.tables import fees_pnl, invocations, longs_shorts, overall, signals, winners_losers
from trading.analytics.tables.all import tables


def check(found: Table, wanted: Table) -> None:
    assert set(found) == set(wanted)
    for name, value in wanted.items():
        figure = found[name]
        assert figure == (value if value is None else pytest.approx(float(value), rel=1e-12)), name
        assert type(figure) is type(value), name


def test_fees_and_pnl() -> None:
    check(
        fees_pnl.table(FIVE),
        {
            "avg_gross_pnl": -2.2,
            "avg_net_pnl": -4.0,
            "avg_taker_fee": 2.0,
            "biggest_net_gain": Decimal(19),
            "biggest_net_loss": Decimal(-32),
            "overall_pnl_with_fees": Decimal(-20),
            "overall_pnl_without_fees": Decimal(-11),
            "std_gross_pnl": sqrt(1520.8 / 4),
            "std_net_pnl": sqrt(1550 / 4),
            "std_taker_fee": 1.0,
            "total_fees_as_pct_of_pnl": None,
            "total_fees_paid": Decimal(10),
        },
    )


def test_fees_are_a_share_of_the_pnl_only_where_something_was_earned() -> None:
    assert fees_pnl.table(FIVE[:1])["total_fees_as_pct_of_pnl"] == pytest.approx(100 / 19)
    assert fees_pnl.table(FIVE[3:4])["total_fees_as_pct_of_pnl"] is None


def test_winners_and_losers_leave_out_the_trade_that_earned_nothing() -> None:
    check(
        winners_losers.table(FIVE),
        {
            "avg_winners_holding_period": 45.0,
            "avg_winners_net_pnl": 13.0,
            "avg_winners_notional": 250.0,
            "std_winners_holding_period": sqrt(450),
            "std_winners_net_pnl": sqrt(72),
            "std_winners_notional": sqrt(5000),
            "avg_losers_holding_period": 95.0,
            "avg_losers_net_pnl": -23.0,
            "avg_losers_notional": 550.0,
            "std_losers_holding_period": sqrt(50),
            "std_losers_net_pnl": sqrt(162),
            "std_losers_notional": sqrt(5000),
            "win_rate": 40.0,
        },
    )


def test_longs_and_shorts() -> None:
    check(
        longs_shorts.table(FIVE),
        {
            "avg_longs_holding_period": 70.0,
            "avg_longs_net_pnl": 26 / 3,
            "avg_longs_notional": 300.0,
            "std_longs_holding_period": sqrt(2100),
            "std_longs_net_pnl": sqrt(277 / 3),
            "std_longs_notional": 100.0,
            "avg_shorts_holding_period": 95.0,
            "avg_shorts_net_pnl": -23.0,
            "avg_shorts_notional": 550.0,
            "std_shorts_holding_period": sqrt(50),
            "std_shorts_net_pnl": sqrt(162),
            "std_shorts_notional": sqrt(5000),
            "long_short_trades_ratio": 0.6,
            "num_long_trades": 3,
            "num_short_trades": 2,
        },
    )


def test_overall() -> None:
    check(
        overall.table(FIVE, SIGNALS, EQUITY),
        {
            "avg_convo_leverage": 10.0,
            "avg_holding_period_mins": 80.0,
            "avg_size_of_trade_notional": 400.0,
            "avg_size_of_trade_portfolio_pct": 45.0,
            "avg_stop_loss_distance_pct": 4.5,
            "avg_take_profit_distance_pct": 15.0,
            "median_convo_leverage": 10.0,
            "median_holding_period_mins": 90.0,
            "median_size_of_trade_notional": 400.0,
            "std_holding_period_mins": sqrt(1250),
            "std_size_of_trade_notional": sqrt(25000),
            "std_size_of_trade_portfolio_pct": sqrt(450),
            "total_trades": 5,
        },
    )


def test_a_trade_is_sized_by_its_own_traders_equity_known_at_its_entry() -> None:
    other = replace(FIVE[4], trader_id="kim")

    assert overall.table([FIVE[4], other], (), EQUITY)["avg_size_of_trade_portfolio_pct"] == 75.0
    assert overall.table([FIVE[0]], (), EQUITY[1:])["avg_size_of_trade_portfolio_pct"] is None


def test_invocations_measure_the_breaks_between_calls_of_one_trader() -> None:
    check(
        invocations.table([*DECISIONS, decision(9, 5, trader_id="kim")]),
        {
            "avg_invocation_break_mins": 20.0,
            "max_invocation_break_mins": 30.0,
            "min_invocation_break_mins": 10.0,
            "num_invocations": 5,
            "std_invocation_break_mins": 10.0,
        },
    )


def test_signals_count_what_was_asked_for_and_the_minutes_of_every_symbol() -> None:
    check(
        signals.table(SIGNALS, DECISIONS, FIVE),
        {
            "total_signals": 4,
            **{f"num_{kind}_signals": 1 for kind in ("long", "short", "close", "hold")},
            **{f"{kind}_signal_pct": 25.0 for kind in ("long", "short", "close", "hold")},
            "long_short_ratio": 1.0,
            "avg_confidence": 0.75,
            "median_confidence": 0.75,
            "std_confidence": sqrt(1 / 60),
            "avg_confidence_long": 0.6,
            "avg_confidence_short": 0.8,
            "avg_confidence_close": 0.7,
            "avg_confidence_hold": 0.9,
            **{f"std_confidence_{kind}": None for kind in ("long", "short", "close", "hold")},
            "avg_leverage": 25 / 3,
            "median_leverage": 5.0,
            "std_leverage": sqrt(100 / 3),
            "avg_leverage_long": 5.0,
            "avg_leverage_short": 15.0,
            "std_leverage_long": None,
            "std_leverage_short": None,
            "mins_long_combined": 60.0,
            "mins_short_combined": 30.0,
            "mins_flat_combined": 90.0,
            "pct_mins_long_combined": 100 / 3,
            "pct_mins_short_combined": 100 / 6,
            "pct_mins_flat_combined": 50.0,
        },
    )


def test_a_position_that_is_still_open_counts_as_held() -> None:
    still_open = OpenPosition("mei", "SOL", "short", 40 * MINUTE, 60 * MINUTE)

    found = signals.table(SIGNALS, DECISIONS, [*FIVE, still_open])

    assert found["mins_short_combined"] == 50.0
    assert found["mins_flat_combined"] == 70.0


def test_minutes_are_unknown_without_a_period() -> None:
    assert signals.table(SIGNALS)["mins_flat_combined"] is None
    assert signals.table(SIGNALS, period=Period(0, 60 * MINUTE))["mins_flat_combined"] == 180.0
    assert signals.table(SIGNALS, DECISIONS[:1])["pct_mins_flat_combined"] is None


def test_of_nothing_counts_and_sums_are_zero_and_the_rest_is_undefined() -> None:
    for table in tables([]).values():
        for name, figure in table.items():
            counted = name.startswith(("num_", "total_trades", "total_signals", "overall_pnl", "total_fees_paid"))
            assert figure == (0 if counted else None), name


def test_one_trade_has_a_mean_and_no_deviation() -> None:
    table = fees_pnl.table([trade(net="3")])

    assert table["avg_net_pnl"] == 3.0
    assert table["std_net_pnl"] is None


def test_the_fields_are_those_of_the_read_api() -> None:
    assert {name: len(table) for name, table in tables(FIVE, SIGNALS, DECISIONS, EQUITY).items()} == {
        "fee_pnl_moves_breakdown_table": 12,
        "winners_losers_breakdown_table": 13,
        "signals_breakdown_table": 34,
        "invocation_breakdown_table": 5,
        "longs_shorts_breakdown_table": 15,
        "overall_trades_overview_table": 13,
    }
