"""What holding a symbol would have returned, from the prices of the record."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.citus import is_citus
from tests.trading_factories import HOUR_MS, OPENED_MS, make_trade
from trading.analytics.intervals import Period
from trading.models import Symbol
from trading.record.exclusions.services import set_aside
from trading.record.stored import symbols
from trading.record.stored.prices import ReferenceReturn, last_prices, reference_returns
from trading.record.writing.trades import record_trade
from trading.schema.exclusion import RecordKey, RecordKind
from trading.schema.trade import Prices, TradeRecord

DAY_MS = 24 * HOUR_MS

pytestmark = pytest.mark.usefixtures("traders")


def _sale(at_ms: int, price: object, symbol: str) -> TradeRecord:
    prices = Prices(avg_entry=Decimal(1), avg_exit=Decimal(str(price)))
    return make_trade(symbol=symbol, open_ms=at_ms - HOUR_MS, close_ms=at_ms, prices=prices)


def sold(at_ms: int, price: object, symbol: str = "BTC") -> str:
    """The id of a trade that closed for this price."""
    trade = _sale(at_ms, price, symbol)
    record_trade(trade)
    symbols.add([symbol])
    return trade.id


@pytest.mark.parametrize("is_spread", [False, True])
def test_the_last_price_of_a_symbol_needs_no_row_of_that_symbol(
    is_spread: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both ways of asking, of one server and of several."""
    if is_spread or not is_citus():
        monkeypatch.setattr("trading.record.stored.prices.was_spread", lambda: is_spread)
    for symbol, price in (("BTC", 45_500), ("ETH", 3_000), ("XYZ:SP500", 6_800)):
        record_trade(_sale(OPENED_MS, price, symbol))
        record_trade(_sale(OPENED_MS + HOUR_MS, price + 1, symbol))

    found = {symbol: (price.ts_ms, int(price.price)) for symbol, price in last_prices().items()}

    at_ms = OPENED_MS + HOUR_MS
    assert found == {"BTC": (at_ms, 45_501), "ETH": (at_ms, 3_001), "XYZ:SP500": (at_ms, 6_801)}
    assert not Symbol.objects.filter(pk="XYZ:SP500").exists()


def of_days(first: int, last: int) -> Period:
    return Period(OPENED_MS + first * DAY_MS, OPENED_MS + last * DAY_MS)


def test_the_return_is_of_the_last_prices_before_both_ends() -> None:
    sold(OPENED_MS - HOUR_MS, 90_000)
    sold(OPENED_MS, 100_000)
    sold(OPENED_MS + HOUR_MS, 110_000)
    sold(OPENED_MS + 4 * DAY_MS - 1, 95_000)
    sold(OPENED_MS + 4 * DAY_MS + 1, 1)
    (found,) = reference_returns([of_days(0, 4)])
    assert found == ReferenceReturn("BTC", OPENED_MS, Decimal(100_000), OPENED_MS + 4 * DAY_MS - 1, Decimal(95_000))
    assert found.pct == Decimal(-5)


def test_a_period_without_a_price_near_either_end_has_no_return() -> None:
    sold(OPENED_MS, 100_000)
    sold(OPENED_MS + 10 * DAY_MS, 120_000)
    asked = [of_days(-1, 10), of_days(0, 9), of_days(0, 11), of_days(1, 10), of_days(0, 0), of_days(10, 0)]
    found = reference_returns(asked)
    assert [one and one.pct for one in found] == [None, None, Decimal(20), None, None, None]
    assert reference_returns([]) == []


def test_a_short_period_needs_prices_that_are_near() -> None:
    sold(OPENED_MS, 100_000)
    hour = Period(OPENED_MS, OPENED_MS + HOUR_MS)
    sold(OPENED_MS + HOUR_MS // 2, 120_000)
    assert reference_returns([hour]) == [None], "half an hour is too old for the end of an hour"
    sold(OPENED_MS + HOUR_MS - HOUR_MS // 10, 130_000)
    (found,) = reference_returns([hour])
    assert found is not None
    assert found.pct == Decimal(30)


def test_both_prices_are_of_one_symbol_of_the_underlying() -> None:
    sold(OPENED_MS, 100_000, "BTC-PERP")
    sold(OPENED_MS + DAY_MS, 90, "kBTC")
    assert reference_returns([of_days(0, 1)]) == [None]
    sold(OPENED_MS + DAY_MS - HOUR_MS, 101_000, "BTC-PERP")
    sold(OPENED_MS, 50_000, "ETH")
    sold(OPENED_MS + DAY_MS, 55_000, "ETH")
    found, of_eth = reference_returns([of_days(0, 1)]) + reference_returns([of_days(0, 1)], "ETH")
    assert found is not None
    assert of_eth is not None
    assert (found.symbol, found.pct, of_eth.pct) == ("BTC-PERP", Decimal(1), Decimal(10))


def test_a_trade_that_was_set_aside_has_no_price() -> None:
    wrong = sold(OPENED_MS, 1)
    sold(OPENED_MS + DAY_MS, 90_000)
    set_aside([RecordKey(RecordKind.TRADE, wrong)], reason="a test", actor="mei")
    assert reference_returns([of_days(0, 1)]) == [None]


@pytest.mark.plain
def test_many_periods_are_one_statement() -> None:
    sold(OPENED_MS, 100_000)
    with CaptureQueriesContext(
        connection,
    ) as ran:
        reference_returns([of_days(first, first + 1) for first in range(50)])
    assert len(ran) == 1
