"""Every leaf of a record is declared with words, and what is stored is what was given."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.trading_factories import make_entry, make_position, make_trade
from traders.schema import jsonio
from trading.schema.decision import DecisionDetail
from trading.schema.leaf import Part, leaves_of
from trading.schema.position import PositionDetail
from trading.schema.trade import Pnl, Time, TradeDetail

DETAILS: tuple[type[Part], ...] = (PositionDetail, TradeDetail, DecisionDetail)
amounts = st.decimals(-(10**15), 10**15, allow_nan=False, allow_infinity=False, places=18)


@pytest.mark.parametrize("model", DETAILS)
def test_every_leaf_has_a_label_of_its_own_place(model: type[Part]) -> None:
    leaves = list(leaves_of(model))
    assert all(leaf.label and leaf.kind for leaf in leaves)
    assert len({leaf.path for leaf in leaves}) == len(leaves)


def test_leaves_of_a_list_are_marked_whether_or_not_it_may_be_missing() -> None:
    paths = {leaf.path for leaf in leaves_of(DecisionDetail)}
    assert {
        *(
            "detail.decisions[].symbol",
            "detail.positions[].symbol",
            "detail.market[].price",
            "detail.account.equity_usd",
        ),
    } <= paths


def test_the_leaves_that_others_read_keep_their_names() -> None:
    paths = {leaf.path for leaf in leaves_of(TradeDetail)}
    assert {
        *("detail.time.open_ts_ms", "detail.time.close_ts_ms", "detail.time.duration_seconds"),
        *("detail.prices.avg_entry", "detail.prices.avg_exit", "detail.quantity.total"),
        *("detail.pnl.gross", "detail.pnl.commission", "detail.pnl.net"),
        *("detail.risk.leverage", "detail.risk.confidence", "detail.exchange.provider"),
        *(f"detail.fills[].{name}" for name in ("type", "order_id", "fill_id", "price", "quantity", "commission")),
        *("detail.fills[].is_crossed", "detail.fills[].ts_ms", "detail.versions.entry", "detail.versions.exit"),
    } <= paths
    assert {
        *(f"detail.entry.{name}" for name in ("price", "quantity", "time_ms", "leverage")),
        *("detail.exchange.provider", "detail.exchange.position_id"),
        *(f"detail.orders.{name}" for name in ("entry_oid", "tp_oid", "sl_oid")),
        *(f"detail.exit_plan.{name}" for name in ("tp_price", "sl_price", "trailing_stop_pct")),
        *("detail.risk.confidence", "detail.risk.risk_usd"),
        *(f"detail.close.{name}" for name in ("price", "time_ms", "quantity", "pnl")),
    } <= {leaf.path for leaf in leaves_of(PositionDetail)}


@given(gross=amounts, commission=amounts, net=amounts)
def test_numbers_come_back_digit_for_digit(gross: Decimal, commission: Decimal, net: Decimal) -> None:
    detail = make_trade(pnl=Pnl(gross=gross, commission=commission, net=net)).detail
    text = jsonio.dumps(detail.stored())
    back = TradeDetail.model_validate(jsonio.loads(text))
    assert back == detail
    assert [str(back.pnl.gross), str(back.pnl.net)] == [str(gross), str(net)] or back.pnl == detail.pnl
    assert jsonio.dumps(back.stored()) == text


@pytest.mark.parametrize("detail", [make_trade().detail, make_position(), make_entry().detail])
def test_what_is_not_known_is_not_stored(detail: Part) -> None:
    assert "null" not in jsonio.dumps(detail.stored())
    assert type(detail).model_validate(jsonio.loads(jsonio.dumps(detail.stored()))) == detail


@pytest.mark.parametrize(
    ("part", "changed", "message"),
    [
        (Pnl, {"net": Decimal("1e30")}, "must not be beyond"),
        (Pnl, {"net": Decimal("NaN")}, "finite"),
        (Pnl, {"net": Decimal("Infinity")}, "finite"),
        (Pnl, {"net": True}, "must be a number"),
        (Pnl, {"net": "1.5"}, "must be a number"),
        (Pnl, {"tax": Decimal(1)}, "Extra inputs"),
        (Time, {"open_ts_ms": 1_760_000_000}, "milliseconds since 1970"),
        (Time, {"open_ts_ms": 1_760_000_000_000_000}, "milliseconds since 1970"),
        (Time, {"open_ts_ms": 1_760_000_009_000}, "exit is before the entry"),
        (Time, {"duration_seconds": Decimal(6)}, "not the time from open to close"),
    ],
)
def test_what_cannot_be_meant_is_refused(part: type[Part], changed: dict[str, Any], message: str) -> None:
    valid: dict[type[Part], dict[str, Any]] = {
        Pnl: {"gross": Decimal(1), "net": Decimal(1)},
        Time: {"open_ts_ms": 1_760_000_000_000, "close_ts_ms": 1_760_000_005_000, "duration_seconds": Decimal(5)},
    }
    part.model_validate(valid[part])
    with pytest.raises(ValidationError, match=message):
        part.model_validate(valid[part] | changed)
