"""The demo's feed: prices that move, and the engine of the sample's traders."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from io import StringIO
from random import Random

import pytest
from django.core.management import call_command
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from demo.feed import engine
from demo.feed.prices import PriceWalk
from demo.sample.plan import usual_plan
from demo.sample.prices import price_paths
from tests.examples import few_examples
from tests.trading_factories import make_position
from traders.controls import services as controls
from traders.controls.services import Asked
from traders.models import TraderConfig, TraderControlAck, TraderRuntimeState
from traders.schema.controls.rows import ControlKind
from trading.models import DecisionJournal, EquitySnapshot, Position, Trade
from trading.schema.common import ExitPlan, Side
from trading.schema.position import PositionRecord, PositionStatus

CENTRES = {"BTC": 100_000.0, "DOGE": 0.2}


def held(stop: str, target: str) -> PositionRecord:
    plan = ExitPlan(sl_price=Decimal(stop), tp_price=Decimal(target))
    detail = make_position().model_copy(update={"exit_plan": plan})
    return PositionRecord("a|BTC", "a", "BTC", Side.LONG, PositionStatus.OPEN, detail)


@few_examples()
@given(seed=st.integers(), seconds=st.floats(1, 600))
def test_prices_move_and_reach_no_stop_or_target_of_an_open_position(seed: int, seconds: float) -> None:
    walk = PriceWalk(CENTRES, [held("99900", "100050")], Random(seed))
    seen = [walk.step(seconds) for _ in range(200)]
    assert all(Decimal(99_900) < prices["BTC"] < Decimal(100_050) for prices in seen)
    assert len({prices["DOGE"] for prices in seen}) > 5
    assert all(Decimal("0.15") < prices["DOGE"] < Decimal("0.27") for prices in seen)


@pytest.fixture
def working(db: None) -> list[engine.SampleEngine]:
    call_command("generate_sample", "--traders=4", "--days=2", "--trades=16", stdout=StringIO())
    return engine.engines()


@pytest.fixture
def prices() -> Mapping[str, Decimal]:
    plan = usual_plan(timezone.now())
    return {symbol: path.price(plan.end_ms) for symbol, path in price_paths(plan).items()}


def test_each_trader_reports_its_equity_and_decides_with_its_newest_version(
    working: list[engine.SampleEngine], prices: Mapping[str, Decimal]
) -> None:
    began = timezone.now()
    engine.report_all(working, prices)
    ids = [one.trader_id for one in working]
    assert len(ids) == 3, "one of the four never reported"
    newest = dict(TraderConfig.objects.filter(pk__in=ids).values_list("pk", "version"))
    states = TraderRuntimeState.objects.filter(pk__in=ids, is_running=True, updated_at__gte=began)
    assert dict(states.values_list("pk", "active_config_version")) == newest
    decided = DecisionJournal.objects.filter(decided_at__gte=began)
    assert dict(decided.values_list("trader_id", "config_version")) == newest
    for one in working:
        last = EquitySnapshot.objects.filter(trader_id=one.trader_id).latest("ts_ms")
        assert last.unrealized_pnl_usd is not None
        assert last.equity_usd == one.cash + last.unrealized_pnl_usd
    engine.report_all(working, prices)
    assert DecisionJournal.objects.filter(decided_at__gte=began).count() == 3, "the interval has not passed"


def test_a_stopped_trader_neither_runs_nor_decides_and_a_close_is_done(
    working: list[engine.SampleEngine], prices: Mapping[str, Decimal]
) -> None:
    began = timezone.now()
    open_ids = set(Position.objects.filter(status="open").values_list("trader_id", flat=True))
    closing = next(one.trader_id for one in working if one.trader_id in open_ids)
    stopped = next(one.trader_id for one in working if one.trader_id != closing)
    asked = Asked(reason="looked at it", actor="mei")
    controls.control(ControlKind.STOP, [stopped], asked)
    controls.control(ControlKind.CLOSE, [closing], asked)
    before = Trade.objects.filter(trader_id=closing).count()
    engine.report_all(working, prices)
    assert not TraderRuntimeState.objects.get(pk=stopped).is_running
    assert not DecisionJournal.objects.filter(trader_id=stopped, decided_at__gte=began).exists()
    assert not Position.objects.filter(trader_id=closing, status="open").exists()
    assert Trade.objects.filter(trader_id=closing).count() > before
    assert set(TraderControlAck.objects.values_list("trader_id", flat=True)) == {stopped, closing}
    engine.report_all(working, prices)
    assert TraderControlAck.objects.count() == TraderControlAck.objects.values("control_id").distinct().count()


def test_a_trader_that_cannot_report_does_not_stop_the_others(
    working: list[engine.SampleEngine], prices: Mapping[str, Decimal], caplog: pytest.LogCaptureFixture
) -> None:
    began = timezone.now()
    broken = working[0]
    # More digits than the record takes.
    broken.cash = Decimal("1e40")
    engine.report_all(working, prices)
    assert f"{broken.trader_id} of the demo cannot report" in caplog.text
    fresh = TraderRuntimeState.objects.filter(updated_at__gte=began).values_list("pk", flat=True)
    assert set(fresh) == {one.trader_id for one in working[1:]}
