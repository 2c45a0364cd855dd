"""What holds for every decision, moment and limit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.trading.replay.rules.moments import DECIDED_AT, decision, moment, settings
from traders.schema.moments import EARLIEST_MS, LATEST_MS
from traders.schema.settings.catalogue import TRADER_SETTINGS
from traders.schema.settings.declare import Setting, SettingKind
from trading.replay.rules.checks.moment import DecisionMoment
from trading.replay.rules.risk_checks import CHECKS, judge, refusals
from trading.schema.common import Side
from trading.schema.decision import Account, Action, Decision, HeldPosition, JournalCooldown, Quote
from trading.schema.leaf import LARGEST

SYMBOLS = st.sampled_from(["BTC", "ETH-PERP", "SOL", "DOGE"])


def amounts(low: Any = 0, high: Any = LARGEST) -> st.SearchStrategy[Decimal | None]:
    edges = st.sampled_from([Decimal(low), Decimal("1e-40"), Decimal("0.01"), Decimal(1), Decimal(high)])
    return st.none() | edges | st.decimals(low, high, allow_nan=False, allow_infinity=False)


def parts(model: Any, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(fields).map(lambda values: model(**values))


PRICES = dict.fromkeys(("position_size_usd", "entry_price", "stop_loss", "take_profit"), amounts())
DECISIONS = parts(
    Decision, symbol=SYMBOLS, action=st.sampled_from(Action), leverage=amounts(), confidence=amounts(0, 100), **PRICES
)
MONEY = dict.fromkeys(("equity_usd", "used_margin_usd", "used_margin_pct", "sharpe_ratio"), amounts(-LARGEST))
MOMENTS = parts(
    lambda **values: DecisionMoment(DECIDED_AT, **values),
    account=st.none() | parts(Account, positions=st.none() | st.integers(0, 9), **MONEY),
    positions=st.none()
    | st.tuples(parts(HeldPosition, symbol=SYMBOLS, side=st.sampled_from(Side), quantity=st.just(Decimal(1)))),
    market=st.none() | st.tuples(parts(Quote, symbol=SYMBOLS, price=amounts(), open_interest=amounts())),
    candidates=st.none() | st.lists(SYMBOLS).map(tuple),
    cooldowns=st.none()
    | st.tuples(parts(JournalCooldown, symbol=SYMBOLS, until_ms=st.integers(EARLIEST_MS, LATEST_MS))),
    opened=st.lists(DECISIONS, max_size=2).map(tuple),
)
LIMITS = {
    path: setting
    for path, setting in TRADER_SETTINGS.items()
    if path.startswith(("detail.risk.", "detail.exec_guards.")) and setting.riskier is not None
}


def values(setting: Setting) -> st.SearchStrategy[Any]:
    if setting.kind is SettingKind.SYMBOLS:
        return st.lists(SYMBOLS)
    if setting.minimum is None:
        return st.booleans()
    low, high = setting.minimum, setting.maximum
    assert high is not None
    if setting.decimal_places is None:
        return st.integers(int(low), min(int(high), 1000))
    least = low + Decimal("0.5") if setting.above_minimum else low
    return st.sampled_from([least, Decimal(1), Decimal(3), high]) | st.decimals(
        least, min(high, Decimal(10**6)), places=2
    )


@st.composite
def loosened(draw: Any) -> tuple[Any, Any]:
    """Settings, and the same with one limit in the riskier direction."""
    path = draw(st.sampled_from(sorted(LIMITS)))
    one, other = draw(values(LIMITS[path])), draw(values(LIMITS[path]))
    if LIMITS[path].raises_risk(other, one):
        one, other = other, one
    name = path.removeprefix("detail.").replace(".", "__")
    return settings(**{name: one}), settings(**{name: other})


@given(DECISIONS, MOMENTS, loosened())
def test_no_decision_and_no_moment_breaks_a_rule(made: Decision, at: DecisionMoment, pair: tuple[Any, Any]) -> None:
    for refusal in refusals(made, pair[0], at):
        assert refusal.rule in {check.__name__ for check in CHECKS}
        assert refusal.message
        assert not refusal.setting or refusal.setting in TRADER_SETTINGS


@given(DECISIONS | st.just(decision()), MOMENTS | st.just(moment()), loosened())
def test_a_looser_limit_never_refuses_more(made: Decision, at: DecisionMoment, pair: tuple[Any, Any]) -> None:
    tight, loose = ({refusal.rule for refusal in refusals(made, each, at)} for each in pair)
    assert loose <= tight


@given(st.lists(DECISIONS, max_size=4), MOMENTS)
def test_what_a_cycle_lets_through_each_rule_lets_through_alone(made: list[Decision], at: DecisionMoment) -> None:
    for one, found in zip(made, judge(made, settings(), at), strict=True):
        if one.action.opens and not found:
            assert not [r for r in refusals(one, settings(), at) if r.rule not in ("max_positions", "already_held")]
