"""Documents of any records at all: valid JSON, nothing that is not finite, sums that agree, rows in order."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NoReturn

from hypothesis import given
from hypothesis import strategies as st

from tests.trading.export.documents.contract import ACCOUNT, LABEL, LEADER, TRADE, assert_is
from tests.trading_factories import OPENED_MS, make_trade
from trading.export.documents.accounts import (
    account_row,
    by_hour,
    encoded_row,
    hourly_marker,
    in_order,
    stays,
    thinning_step,
)
from trading.export.documents.benchmark import benchmark_rows
from trading.export.documents.standings import leaderboard_document
from trading.export.documents.trades import trade_object
from trading.export.documents.wire import document, encode
from trading.imports.arena.trades import read_trade, to_source
from trading.schema.common import Side
from trading.schema.published import AccountPoint, PricePoint, Standing, color_of, label_of
from trading.schema.trade import Pnl

money = st.decimals(min_value=-(10**9), max_value=10**9, places=8)
prices = st.decimals(min_value="0.00000001", max_value=10**7, places=8)
moments = st.integers(OPENED_MS, OPENED_MS + 10**10)


def refuse(constant: str) -> NoReturn:
    raise AssertionError(constant)


def loads(body: bytes) -> Any:
    return json.loads(body, parse_float=Decimal, parse_constant=refuse)


@given(st.lists(st.tuples(moments, st.integers(0, 10**8), money, st.sampled_from(Side)), max_size=20))
def test_trades_of_any_kind(made: list[tuple[int, int, Decimal, Side]]) -> None:
    trades = [
        make_trade(open_ms=opened, close_ms=opened + held, net=net, side=side) for opened, held, net, side in made
    ]
    rows = loads(document("trades", [encode(trade_object(one)) for one in trades], serverTime=1))["trades"]

    for row, (opened, held, net, side) in zip(rows, made, strict=True):
        assert_is(row, TRADE)
        assert (row["quantity"] > 0) is (side is Side.LONG)
        assert row["realized_net_pnl"] == net
        assert (row["entry_time"] * 1000, row["exit_time"] * 1000) == (opened, opened + held)


@given(st.lists(st.tuples(st.sampled_from("abc"), money, money, money.filter(bool) | st.none(), money | st.none())))
def test_the_leaderboard_of_any_standings(made: list[Any]) -> None:
    standings = [
        Standing(name, trades=1, won=abs(won), lost=-abs(lost), start_equity=start, equity=equity)
        for name, won, lost, start, equity in made
    ]
    labels = {name: label_of(name, version=1) for name in "abc"}
    rows = loads(leaderboard_document(standings, labels))["leaderboard"]

    assert len(rows) == len(made)
    for row in rows:
        assert_is(row, LEADER | LABEL)
        assert row["lose_dollars"] <= 0
    known = [row["return_pct"] for row in rows if row["return_pct"] is not None]
    assert known == sorted(known, reverse=True)
    assert all(row["return_pct"] is None for row in rows[len(known) :])


@given(st.lists(st.tuples(moments, money), min_size=1, unique_by=lambda one: one[0]), money)
def test_accounts_of_any_series(made: list[tuple[int, Decimal]], start: Decimal) -> None:
    points = [AccountPoint("ann", ts_ms, equity) for ts_ms, equity in sorted(made)]
    inception = points[0].ts_ms
    hours = by_hour(points, inception)
    rows = in_order(encoded_row(one, inception, account_row(one, start, inception, {}, None)) for one in hours.values())

    shown = [loads(row.encoded) for row in rows]
    for row in shown:
        assert_is(row, ACCOUNT)
    assert [row.marker for row in rows] == sorted({hourly_marker(one.ts_ms, inception) for one in points})
    assert shown[-1]["dollar_equity"] == points[-1].equity


@given(st.lists(st.tuples(moments, prices), unique_by=lambda one: one[0]))
def test_the_benchmark_of_any_prices(made: list[tuple[int, Decimal]]) -> None:
    series = [PricePoint(*one) for one in sorted(made)]
    rows = [loads(row.encoded) for row in benchmark_rows(series, Decimal(10_000), OPENED_MS)]

    assert len(rows) == len(series)
    assert not rows or rows[0]["dollar_equity"] == 10_000


@given(st.integers(0, 100_000), st.integers(1, 2_000))
def test_thinning_keeps_about_as_many_hours_as_asked(hours: int, most: int) -> None:
    step = thinning_step(hours, most)
    kept = [marker for marker in range(hours + 1) if stays(marker, hours, step)]

    assert len(kept) <= max(most, 49) + 2
    assert set(range(max(0, hours - 47), hours + 1)) <= set(kept)
    assert 0 in kept


@given(st.floats() | st.none())
def test_what_is_no_number_is_null(value: float | None) -> None:
    assert loads(encode({"x": value})) is not None


def test_a_numeric_that_is_no_number_is_null() -> None:
    row = account_row(AccountPoint("ann", OPENED_MS, Decimal("NaN")), Decimal(5), OPENED_MS, {}, None)
    assert loads(encode(row))["dollar_equity"] is None


def luminance(color: str) -> float:
    """As WCAG 2 defines it, of `#rrggbb`."""
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@given(st.text())
def test_the_colour_of_any_trader_reads_on_white_and_on_black(trader_id: str) -> None:
    found = luminance(color_of(trader_id))

    assert 1.05 / (found + 0.05) > 4.5
    assert (found + 0.05) / 0.05 > 4.5


def test_the_colour_of_a_trader_stays() -> None:
    assert color_of("steady_long") == "#00865d"
    assert len({color_of(f"trader_{number}") for number in range(100)}) > 80


def test_a_trade_without_known_funding_is_published_and_read_back_as_such() -> None:
    unknown = Pnl(gross=Decimal(5), net=Decimal(5), is_funding_unknown=True)
    for pnl, told in ((unknown, True), (Pnl(gross=Decimal(5), net=Decimal(5)), None)):
        row = loads(encode(trade_object(make_trade(pnl=pnl))))
        assert row.get("funding_unknown") is told
        back = read_trade(row)
        assert back.detail.pnl.is_funding_unknown is told
        assert to_source(back).get("funding_unknown") is told
        assert "funding_unknown" not in ((back.detail.origin and back.detail.origin.fields) or {})
