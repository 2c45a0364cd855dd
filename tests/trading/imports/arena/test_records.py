"""Whatever a record holds, it is read whole or refused with a field and a reason."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.arena_sample import account, conversation, position, short, trade
from traders.schema import jsonio
from trading.imports.arena import positions, trades
from trading.imports.arena.conversations import read_conversation
from trading.imports.arena.equity import read_inception, read_standing, served_ms
from trading.imports.arena.prices import read_symbol
from trading.record.rules.errors import InvalidRecord
from trading.schema.common import Side
from trading.schema.position import PositionDetail, PositionRecord
from trading.schema.trade import TradeDetail, TradeRecord

NUMBERS = st.one_of(
    st.integers(),
    st.integers(-5, 5),
    st.decimals(allow_nan=True, allow_infinity=True),
    st.sampled_from(
        [
            Decimal("1E+30"),
            Decimal("1E-400"),
            Decimal("1E+9999999"),
            Decimal("-0.0"),
            10**4000,
            1_750_000_000_123,
            1_750_000_000,
        ]
    ),
)
TEXTS = st.text() | st.sampled_from(["\0", "\ud800", "long", "short", "BTC", "2025-06-15T15:06:40Z", "1", "null", "{}"])
ODD = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
DEEP = st.integers(1, 100).map(lambda depth: _nested(depth))


def _nested(depth: int) -> Any:
    value: Any = {}
    for _ in range(depth):
        value = [value]
    return value


def exact(record: Any) -> Any:
    """As the reader of files gives it: fractions are Decimal."""
    return jsonio.loads(jsonio.dumps(record))


def text(record: dict[str, Any]) -> str:
    return jsonio.dumps(dict(sorted(record.items())))


@st.composite
def mutated(draw: st.DrawFn, record: dict[str, Any]) -> Any:
    """Fields changed, taken away or added; sometimes no object at all."""
    if draw(st.integers(0, 20)) == 0:
        return draw(ODD)
    changed = dict(record)
    for field in draw(st.lists(st.sampled_from(sorted(record)), max_size=3)):
        changed[field] = draw(ODD | DEEP)
    for field in draw(st.lists(st.sampled_from(sorted(record)), max_size=2)):
        changed.pop(field, None)
    return changed | draw(st.dictionaries(TEXTS, ODD, max_size=1))


def stored_again(trade: TradeRecord) -> TradeRecord:
    detail = TradeDetail.model_validate(jsonio.loads(jsonio.dumps(trade.stored())))
    return TradeRecord(trade.id, trade.trader_id, trade.symbol, trade.side, detail)


@pytest.mark.parametrize("bad", [Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity")])
@pytest.mark.parametrize("record", [exact(trade()), exact(position("BTC"))], ids=["trade", "position"])
def test_a_number_that_is_none_is_refused_in_each_field(record: dict[str, Any], bad: Decimal) -> None:
    read: Callable[[Any], Any] = trades.read_trade
    if "current_price" in record:
        read = partial(positions.read_position, "amber-7b", "BTC")
    for field in ("entry_time", "entry_oid", "entry_price", "quantity"):
        with pytest.raises(InvalidRecord):
            read(record | {field: bad})


@given(record=mutated(exact(trade())))
def test_any_trade_is_refused_or_gives_all_of_itself_back(record: Any) -> None:
    try:
        read = trades.read_trade(record)
    except InvalidRecord:
        return
    back = trades.to_source(stored_again(read))
    assert {field: back.get(field) for field in record} == record
    assert read.id == trades.read_trade(record).id


@given(record=mutated(exact(position("BTC"))))
def test_any_position_is_refused_or_gives_all_of_itself_back(record: Any) -> None:
    try:
        read = positions.read_position("amber-7b", "BTC", record)
    except InvalidRecord:
        return
    detail = PositionDetail.model_validate(jsonio.loads(jsonio.dumps(read.detail.stored())))
    back = positions.to_source(PositionRecord(read.id, read.trader_id, read.symbol, read.side, read.status, detail))
    assert {field: back.get(field) for field in record} == record


@pytest.mark.parametrize(
    ("read", "sample"),
    [
        (read_conversation, conversation()),
        (read_inception, {"model_id": "a", "nav_since_inception": 10000, "inception_date": 1_750_000_000.5}),
        (lambda record: read_standing(record, 1_750_000_000_000), {"id": "a", "equity": 1.5}),
        (read_symbol, {"symbol": "BTC", "price": 1}),
        (lambda record: list(positions.read_account(record)), account(position())),
    ],
    ids=["conversation", "inception", "standing", "price", "account"],
)
@given(data=st.data())
def test_any_other_record_is_read_or_refused(
    read: Callable[[Any], Any], sample: dict[str, Any], data: st.DataObject
) -> None:
    record = data.draw(mutated(exact(sample)))
    with contextlib.suppress(InvalidRecord):
        read(record)


def test_a_whole_trade_needs_nothing_beside_its_columns() -> None:
    for record in (trade(), short()):
        read = trades.read_trade(exact(record))
        assert read.detail.origin is not None
        assert read.detail.origin.fields is None
        assert text(trades.to_source(read)) == text(record)


def test_a_short_is_negative_on_the_wire_and_positive_with_a_side_in_the_row() -> None:
    read = trades.read_trade(exact(short(confidence=0.62)))
    assert (read.side, read.detail.quantity.total) == (Side.SHORT, Decimal("0.25"))
    assert read.detail.risk is not None
    assert read.detail.risk.confidence == 62


def test_the_id_tells_apart_what_one_fill_closed() -> None:
    ids = {trades.read_trade(exact(trade(number, exit_tid=1, exit_oid=1))).id for number in (1, 2)}
    assert ids == {"amber-7b|BTC|1750003600456000000|7001", "amber-7b|BTC|1750003600456000000|7002"}
    without = {trades.read_trade(exact(trade(1, entry_tid=None, entry_price=price))).id for price in (10, 11, 10)}
    assert len(without) == 2


def test_orders_that_are_none_are_minus_one_on_the_wire() -> None:
    read = positions.read_position("amber-7b", "ETH", exact(position(tp_oid=-1, sl_oid=77, oid=5, wait_for_fill=False)))
    assert read.detail.orders is not None
    assert (read.detail.orders.tp_oid, read.detail.orders.sl_oid) == (None, 77)
    assert read.detail.origin is not None
    assert read.detail.origin.fields == {"oid": "5", "wait_for_fill": "false"}


@pytest.mark.parametrize("server_time", [None, 1_750_000_000, 1_750_000_000_000.5, "2025", True])
def test_a_server_time_is_whole_milliseconds_or_unknown(server_time: Any) -> None:
    assert served_ms(server_time) is None
    assert served_ms(1_750_000_000_000) == 1_750_000_000_000
