"""The decider without a model: within the trader's own settings, always in the schema of the executor's answer."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import make_trader
from traders.schema import jsonio
from traders.schema.settings.trader import OrderStyle, TraderDetail
from trading.manager.deciders.rules import answers
from trading.manager.protocols import DecisionRequest
from trading.manager.providers import RULES, ProviderOptions, make_decider
from trading.manager.rules.paper import PaperFill, PaperTerms, filled, quantity_for
from trading.replay.rules.checks.moment import DecisionMoment
from trading.replay.rules.parsing import parse_answer
from trading.replay.rules.risk_checks import judge
from trading.schema.common import Side
from trading.schema.decision import Account, Action, HeldPosition, Quote

NOON = datetime(2026, 1, 8, 12, tzinfo=UTC)
CALM, RISING, FALLING = Decimal("0.0005"), Decimal("0.01"), Decimal("-0.01")


def quote(symbol: str, change: Decimal, price: str = "100") -> Quote:
    return Quote(
        symbol=symbol,
        price=Decimal(price),
        change_1h=change,
        change_4h=change * 2,
        open_interest=Decimal(10_000_000),
        funding=Decimal("0.00001"),
    )


def moment(*quotes: Quote, held: tuple[HeldPosition, ...] = (), equity: int = 10_000, used: int = 0) -> DecisionMoment:
    return DecisionMoment(
        decided_at=NOON,
        account=Account(
            equity_usd=Decimal(equity),
            available_usd=Decimal(equity - used),
            used_margin_usd=Decimal(used),
            positions=len(held),
        ),
        positions=held,
        market=quotes,
        candidates=tuple(one.symbol for one in quotes),
        cooldowns=(),
    )


def position(symbol: str, side: Side) -> HeldPosition:
    return HeldPosition(symbol=symbol, side=side, quantity=Decimal(1), leverage=Decimal(3), entry_price=Decimal(100))


def settings(**changed: Any) -> TraderDetail:
    return make_trader("long", **changed).detail


def test_a_rising_market_is_bought_and_a_falling_one_sold() -> None:
    [bought] = answers(settings(), moment(quote("BTC", CALM), quote("ETH", RISING)))
    [sold] = answers(settings(), moment(quote("BTC", FALLING)))

    assert (bought["signal"], bought["symbol"]) == ("buy_to_enter", "ETH")
    assert bought["stop_loss"] < bought["entry_price"] < bought["take_profit"]
    assert sold["take_profit"] < sold["entry_price"] < sold["stop_loss"]
    assert "ETH moved +1.00 % in one hour" in bought["reasoning"]


def test_without_a_trend_nothing_is_done_and_the_reasoning_says_so() -> None:
    [held] = answers(settings(), moment(quote("BTC", CALM)))

    assert (held["signal"], held["reasoning"]) == ("hold", "No candidate has a trend of the last hours.")


def test_a_position_whose_trend_turned_is_closed() -> None:
    found = answers(settings(), moment(quote("BTC", CALM), quote("ETH", FALLING), held=(position("ETH", Side.LONG),)))

    assert (found[0]["signal"], found[0]["symbol"]) == ("close", "ETH")


def test_a_position_that_goes_its_way_is_kept() -> None:
    [found] = answers(
        settings(detail__risk__max_positions=1), moment(quote("ETH", RISING), held=(position("ETH", Side.LONG),))
    )

    assert found["signal"] == "hold"
    assert found["reasoning"] == "1 of 1 positions are open. Kept: ETH."


def test_a_check_that_refuses_the_entry_is_named() -> None:
    [found] = answers(settings(detail__exec_guards__allowed_symbols=["ETH"]), moment(quote("BTC", RISING)))

    assert found["signal"] == "hold"
    assert "BTC has a trend, but BTC is none of the 1 allowed symbols" in found["reasoning"]


def test_without_candidates_nothing_is_answered() -> None:
    assert answers(settings(), moment()) == []
    assert answers(settings(), DecisionMoment(NOON)) == []


@pytest.mark.parametrize("style", OrderStyle)
def test_an_entry_fills_on_paper_at_the_price_that_it_saw(style: OrderStyle) -> None:
    wanted = settings(detail__order__style=style.value)
    [found] = answers(wanted, moment(quote("BTC", RISING)))

    fill = filled(
        buys=True,
        style=style,
        quantity=quantity_for(found["position_size_usd"], Decimal(100)),
        price=Decimal(100),
        slippage_bps=wanted.order.slippage_bps,
        limit_price=found["entry_price"],
        terms=PaperTerms(wanted.order.paper_slippage_bps, wanted.order.paper_commission_bps, Decimal("0.005")),
    )

    assert isinstance(fill, PaperFill)


@given(
    changes=st.lists(st.decimals("-0.2", "0.2", places=4), max_size=4),
    equity=st.integers(1, 1_000_000),
    used_pct=st.integers(0, 100),
    held=st.lists(st.sampled_from(["S0", "S1"]), unique=True),
    confidence=st.integers(0, 100),
    ratio=st.decimals("0.1", 20, places=1),
    leverage=st.integers(1, 50),
    margin_pct=st.integers(0, 100),
    style=st.sampled_from(OrderStyle),
)
def test_every_answer_can_be_read_and_passes_every_check(
    changes: list[Decimal],
    equity: int,
    used_pct: int,
    held: list[str],
    confidence: int,
    ratio: Decimal,
    leverage: int,
    margin_pct: int,
    style: OrderStyle,
) -> None:
    wanted = settings(
        detail__risk__min_confidence=confidence,
        detail__risk__min_risk_reward_ratio=ratio,
        detail__risk__altcoin_leverage=leverage,
        detail__risk__max_margin_usage_pct=margin_pct,
        detail__order__style=style.value,
        detail__risk__take_profit_enabled=True,
    )
    seen = moment(
        *(quote(f"S{index}", change) for index, change in enumerate(changes)),
        held=tuple(position(name, Side.LONG) for name in held),
        equity=equity,
        used=equity * used_pct // 100,
    )

    found = answers(wanted, seen)
    decisions = parse_answer(jsonio.dumps(found), seen.positions)

    assert answers(wanted, seen) == found
    assert all(refusals == () for refusals in judge(decisions, wanted, seen))
    assert sum(decision.action.opens for decision in decisions) <= 1
    for decision in decisions:
        assert decision.reasoning
        if decision.action.opens:
            assert decision.risk_usd is not None
            assert decision.risk_usd <= Decimal(equity) / 100 + Decimal("0.01")


def test_it_answers_by_its_name_for_no_money(tmp_path: Path) -> None:
    made = make_decider(ProviderOptions("calm", {"provider": RULES}, tmp_path))
    seen = moment(quote("BTC", RISING))

    found = made.decide(
        DecisionRequest(
            trader_id="long",
            cycle_number=1,
            model="calm",
            system_text="",
            user_text="",
            timeout_seconds=1.0,
            moment=seen,
            settings=settings(),
        )
    )

    assert (found.model, found.cost_usd, found.prompt_tokens) == ("rules", Decimal(0), 0)
    assert parse_answer(found.text, seen.positions)[0].action is Action.OPEN_LONG
