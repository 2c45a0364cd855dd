"""What a sample holds, before any database sees it."""

from __future__ import annotations

import dataclasses
import itertools
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.sample.fleet import SampleTrader, fleet_of
from demo.sample.ledger import STARTING_EQUITY
from demo.sample.plan import MOST_ALLOCATION_PCT, SamplePlan, usual_trades
from demo.sample.styles import persona
from demo.sample.travel import timeline_of
from traders.schema.settings.validate import validate_trader
from trading.record.rules.attribution import Attribution
from trading.schema.decision import DecisionDetail
from trading.schema.position import PositionDetail
from trading.schema.trade import FillType, TradeDetail

END = datetime(2026, 11, 1, tzinfo=UTC)
PLAN = SamplePlan(traders=4, days=12, trades=90, seed=7, end=END)


@pytest.fixture(scope="module")
def fleet() -> list[SampleTrader]:
    return list(fleet_of(PLAN))


def everything(plan: SamplePlan) -> list[object]:
    return [
        [
            *trader.versions,
            *trader.trades(),
            *trader.positions(),
            *trader.decisions(),
            *trader.equity(),
            trader.report(),
        ]
        for trader in fleet_of(plan)
    ]


def test_the_same_plan_makes_the_same_records() -> None:
    small = dataclasses.replace(PLAN, days=3, trades=12)

    assert everything(small) == everything(small)


def test_another_seed_makes_others() -> None:
    small = dataclasses.replace(PLAN, days=3, trades=12)

    assert everything(small) != everything(dataclasses.replace(small, seed=8))


def test_one_more_trader_changes_nothing_of_the_others() -> None:
    few = dataclasses.replace(PLAN, days=3, traders=2, trades=12)
    more = dataclasses.replace(few, traders=3, trades=18)

    assert everything(more)[:2] == everything(few)


def test_there_are_as_many_trades_as_asked_for(fleet: list[SampleTrader]) -> None:
    assert sum(len(list(trader.trades())) for trader in fleet) == 90


def test_all_ids_are_different(fleet: list[SampleTrader]) -> None:
    for records in (
        [trade.id for trader in fleet for trade in trader.trades()],
        [position.id for trader in fleet for position in trader.positions()],
        [persona(index).id.lower() for index in range(5000)],
    ):
        assert len(records) == len(set(records))


def test_net_pnl_follows_from_the_fills(fleet: list[SampleTrader]) -> None:
    for trade in (trade for trader in fleet for trade in trader.trades()):
        bought, sold = Decimal(0), Decimal(0)
        for fill in trade.detail.fills:
            if fill.type is FillType.ENTRY:
                bought += fill.price * fill.quantity
            else:
                sold += fill.price * fill.quantity
        commission = sum(fill.commission or 0 for fill in trade.detail.fills)
        assert trade.detail.pnl.gross == (sold - bought) * trade.side.sign
        assert trade.detail.pnl.commission == commission
        assert trade.net_pnl == trade.detail.pnl.gross - commission
        assert trade.detail.pnl.gross == sum(fill.closed_pnl or 0 for fill in trade.detail.fills)


def test_prices_are_those_of_the_market(fleet: list[SampleTrader]) -> None:
    for trip in (trip for trader in fleet for trip in trader.trips):
        quoted = fleet[0].paths[trip.symbol].price(trip.entry_ms)
        assert abs(trip.price - quoted) <= 2 * trip.market.tick


def test_a_trader_holds_one_position_a_symbol_at_a_time(fleet: list[SampleTrader]) -> None:
    for trader in fleet:
        for symbol in {trip.symbol for trip in trader.trips}:
            trips = [trip for trip in trader.trips if trip.symbol == symbol]
            for before, after in itertools.pairwise(trips):
                assert before.exit is not None
                assert before.exit.ts_ms < after.entry_ms


def test_some_positions_are_open_still(fleet: list[SampleTrader]) -> None:
    assert all(any(position.is_open for position in trader.positions()) for trader in fleet)


def test_every_record_is_valid_under_its_schema(fleet: list[SampleTrader]) -> None:
    for trader in fleet:
        for trade in trader.trades():
            assert TradeDetail.model_validate(trade.stored()) == trade.detail
        for position in trader.positions():
            assert PositionDetail.model_validate(position.detail.stored()) == position.detail
        for decision in trader.decisions():
            detail = decision.entry.detail
            assert DecisionDetail.model_validate(detail.stored()) == detail
        for version in trader.versions:
            assert validate_trader(trader.id, version.spec.model_dump(exclude={"id"})) == version.spec


def test_every_trader_has_capital_and_together_they_leave_the_reserve(fleet: list[SampleTrader]) -> None:
    for version in (version for trader in fleet for version in trader.versions):
        assert version.spec.allocation_pct == MOST_ALLOCATION_PCT
        assert version.spec.detail.auto_start


@given(traders=st.integers(1, 5_000), free=st.decimals(Decimal("0.01"), 85, places=2))
def test_shares_fit_into_what_is_free_or_the_plan_is_refused(traders: int, free: Decimal) -> None:
    try:
        share = SamplePlan(traders=traders, days=2, trades=0, seed=1, end=END, capital_pct=free).allocation_pct
    except ValueError:
        assert free < traders * Decimal("0.01")
    else:
        assert 0 < share <= MOST_ALLOCATION_PCT
        assert traders * share <= free


def test_names_are_those_of_a_real_fleet(fleet: list[SampleTrader]) -> None:
    assert [(trader.id, trader.persona.name) for trader in fleet] == [
        ("momentum_btc", "Momentum BTC"),
        ("reversion_eth", "Range Reversion ETH"),
        ("breakout_sol", "Breakout SOL"),
        ("funding_bnb", "Funding Contrarian BNB"),
    ]
    paths = {version.spec.detail.prompts.system_template for trader in fleet for version in trader.versions}
    assert "prompts/manager/momentum.tmpl" in paths


def test_versions_rise_in_time_and_name_what_they_change(fleet: list[SampleTrader]) -> None:
    for trader in fleet:
        assert len(trader.versions) >= 3
        assert [version.number for version in trader.versions] == list(range(1, len(trader.versions) + 1))
        for before, after in zip(trader.versions, trader.versions[1:], strict=False):
            assert before.at < after.at < PLAN.end
            assert before.spec != after.spec
            assert after.changed_fields
            assert after.reason


def test_records_belong_to_the_versions_of_their_moments(fleet: list[SampleTrader]) -> None:
    for trader in fleet:
        of_time = Attribution({trader.id: timeline_of(trader.versions)}, {})
        for trade in trader.trades():
            versions, time = trade.detail.versions, trade.detail.time
            assert versions is not None
            assert versions.entry == of_time.version(trader.id, time.open_ts_ms)
            assert versions.exit == of_time.version(trader.id, time.close_ts_ms)
        for decision in trader.decisions():
            moment = round(decision.entry.decided_at.timestamp() * 1000)
            assert decision.entry.config_version == of_time.version(trader.id, moment)


def test_some_trades_straddle_versions(fleet: list[SampleTrader]) -> None:
    trades = [trade.detail.versions for trader in fleet for trade in trader.trades()]

    assert any(versions and versions.entry != versions.exit for versions in trades)


def test_the_journal_tells_of_every_entry_and_of_the_limits_of_its_version(fleet: list[SampleTrader]) -> None:
    for trader in fleet:
        versions = {version.number: version.spec.detail.risk for version in trader.versions}
        ordered = set()
        for decision in trader.decisions():
            risk = versions[decision.entry.config_version or 0]
            for action in decision.entry.detail.actions:
                if action.action.opens and action.ok:
                    ordered.add(action.order_id)
                    assert action.confidence is not None
                    assert action.position_size_usd is not None
                    assert action.confidence >= risk.min_confidence
                    assert action.position_size_usd <= risk.max_position_size_usd
        assert ordered == {trip.order_id for trip in trader.trips}


def test_some_decisions_were_refused(fleet: list[SampleTrader]) -> None:
    refused = [
        action.refused_by
        for trader in fleet
        for decision in trader.decisions()
        for action in decision.entry.detail.actions
        if not action.ok
    ]

    assert refused
    assert all("min_confidence" in (names or ()) for names in refused)


def test_equity_is_what_was_realized_and_what_is_held(fleet: list[SampleTrader]) -> None:
    for trader in fleet:
        marks = list(trader.equity())
        assert len(marks) == PLAN.days * 24 + 1
        assert marks[0].equity == STARTING_EQUITY
        paid = sum(held.detail.entry.commission or 0 for held in trader.positions() if held.is_open)
        assert marks[-1].realized == sum(trade.net_pnl for trade in trader.trades()) - paid
        assert all(mark.equity == STARTING_EQUITY + mark.realized + mark.unrealized for mark in marks)


def test_nothing_lies_outside_of_the_period(fleet: list[SampleTrader]) -> None:
    for trader in fleet:
        for trade in trader.trades():
            assert PLAN.start_ms < trade.detail.time.open_ts_ms <= trade.close_ts_ms < PLAN.end_ms


def test_a_dense_fleet_decides_more_often_and_journals_the_newest_cycles() -> None:
    (trader,) = fleet_of(SamplePlan(traders=1, days=2, trades=1500, seed=1, end=END))

    decisions = list(trader.decisions())
    assert len(list(trader.trades())) == 1500
    assert len(decisions) == 2000
    assert decisions[-1].cycle == trader.pace.cycles


@pytest.mark.parametrize(
    ("traders", "days", "trades"), [(0, 1, 1), (1, 0, 1), (1, 1, -1), (1, 1, 10_000), (5001, 1, 1)]
)
def test_what_cannot_be_made_is_refused(traders: int, days: int, trades: int) -> None:
    with pytest.raises(ValueError, match="must|fit"):
        list(fleet_of(SamplePlan(traders, days, trades, 1, END)))


def test_no_trades_at_all_can_be_asked_for() -> None:
    (trader,) = fleet_of(SamplePlan(traders=1, days=1, trades=0, seed=1, end=END))

    assert list(trader.trades()) == []


def test_usually_a_trader_closes_forty_trades_in_thirty_days() -> None:
    assert usual_trades(6, 30) == 240
