"""Whatever traders do, their money is what their transfers and fills say, to the cent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from unittest import mock

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from tests.factories import make_trader, sync_traders
from tests.manager_factories import ManagerAtWork, closes, opens
from trading.manager.deciders.rules import RulesDecider
from trading.manager.markets.simulated import SimulatedMarket
from trading.manager.projecting import Projector
from trading.manager_models import ManagerOrder
from trading.models import EquitySnapshot, EquityTransfer, Position, Trade
from trading.schema.common import Side
from trading.schema.trade import Pnl

CENT = Decimal("0.01")
STEPS = st.lists(
    st.tuples(st.sampled_from(["long", "short", "close", "hold"]), st.integers(min_value=85, max_value=118)),
    min_size=1,
    max_size=5,
)


def says(what: str, price: int) -> list[Any]:
    if what == "close":
        return [closes()]
    if what == "hold":
        return []
    sign = 1 if what == "long" else -1
    return [
        opens(
            side="buy" if what == "long" else "sell",
            entry_price=price + sign,
            stop_loss=price - 2 * sign,
            take_profit=price + 12 * sign,
        )
    ]


def money_of_fills() -> tuple[Decimal, Decimal]:
    """(quantity held with its sign, cash of all fills), folded from the orders alone."""
    held = cash = Decimal(0)
    for order in ManagerOrder.objects.filter(state="filled").order_by("filled_at", "kind"):
        sign = Side(order.side).sign * (1 if order.kind == "entry" else -1)
        assert order.fill_quantity is not None
        assert order.fill_price is not None
        assert order.commission is not None
        held += sign * order.fill_quantity
        cash -= sign * order.fill_quantity * order.fill_price + order.commission
    return held, cash


# `make soak` walks a day minute by minute, other runs in steps of two hours.
IS_LONG = hypothesis_settings.default is not None and hypothesis_settings.default.max_examples >= 1_000


class MoneyTest(TestCase):
    def setUp(self) -> None:
        # The live store is not looked at here.
        self.enterContext(mock.patch("trading.manager.projecting._in_use", [Projector()]))

    @given(STEPS)
    def test_positions_are_the_fold_of_fills_and_equity_what_money_and_fills_say(
        self, steps: list[tuple[str, int]]
    ) -> None:
        sync_traders(make_trader(detail__auto_start=True, detail__exec_guards__allowed_symbols=["BTC"]))
        work = ManagerAtWork()
        work.later(-600)
        turns = work.turns()
        for what, price in steps:
            work.market.quotes["BTC"] = Decimal(price)
            work.later(20)
            turns.watch(list(work.fleet().values()))
            work.says = says(what, price)
            turns.take("steady_long", work.later(5))
            held, cash = money_of_fills()
            stored = sum(
                (Side(one.side).sign * one.quantity for one in Position.objects.filter(status="open")), Decimal(0)
            )
            assert stored == held
            equity = EquitySnapshot.objects.latest("ts_ms")
            capital = sum(EquityTransfer.objects.values_list("amount_usd", flat=True), Decimal(0))
            funding = sum((one.funding or Decimal(0) for one in _pnls()), Decimal(0))
            assert abs(equity.equity_usd - (capital + cash + held * Decimal(price) + funding)) < CENT
            assert equity.realized_pnl_usd is not None
            assert equity.unrealized_pnl_usd is not None
            parts = capital + equity.realized_pnl_usd + equity.unrealized_pnl_usd
            assert abs(equity.equity_usd - parts) < CENT
        ids = ManagerOrder.objects.values_list("cycle", "symbol", "action")
        assert len(ids) == len(set(ids))


class SimulatedDayTest(TestCase):
    @hypothesis_settings(max_examples=1)
    @given(st.integers(min_value=0, max_value=2**32))
    def test_a_day_of_rules_at_made_up_prices_ends_with_explained_money(self, seed: int) -> None:
        names, minutes = ("quick", "calm"), 1 if IS_LONG else 120
        both = [
            make_trader(
                name,
                detail__auto_start=True,
                detail__llm__decision_interval_seconds=60 * minutes,
                detail__order__style="market_ioc",
                detail__risk__max_position_size_usd=Decimal(1_000),
                detail__risk__min_risk_reward_ratio=Decimal("1.1"),
                detail__risk__min_confidence=0,
            )
            for name in names
        ]
        sync_traders(*both)
        work = ManagerAtWork(says=RulesDecider().decide)
        work.market = SimulatedMarket(seed=seed, volatility=0.5)  # type: ignore[assignment]
        work.later(-86_400)
        turns = work.turns()
        with mock.patch("trading.manager.projecting._in_use", [Projector()]):
            for _step in range(86_400 // 60 // minutes):
                known = work.fleet(*names)
                turns.watch(list(known.values()))
                for name in names:
                    turns.take(name, work.now, known[name])
                work.later(60 * minutes)
        assert ManagerOrder.objects.filter(kind="entry", state="filled").exists()
        assert not ManagerOrder.objects.filter(state="filled", is_recorded=False).exists()
        for name in names:
            equity = EquitySnapshot.objects.filter(trader=name).latest("ts_ms")
            assert equity.realized_pnl_usd is not None
            assert equity.unrealized_pnl_usd is not None
            explained = Decimal(2_000) + equity.realized_pnl_usd + equity.unrealized_pnl_usd
            assert abs(equity.equity_usd - explained) < CENT


def _pnls() -> list[Any]:
    return [Pnl.model_validate(one.detail["pnl"]) for one in Trade.objects.all()]
