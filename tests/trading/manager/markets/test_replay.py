"""Prices of a file."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from trading.manager.markets.replay import InvalidPriceFile, parse_prices
from trading.manager.protocols import MarketSource
from trading.manager.providers import InvalidProvider, ProviderOptions, make_market

NOON = datetime(2026, 1, 8, 12, tzinfo=UTC)
HEAD = "time,symbol,price,open_interest,funding_rate"
ROWS = f"""{HEAD}
2026-01-08T11:00:00Z,BTC,50000,10,0.0001
2026-01-08T11:00:00Z,ETH,2500,,
2026-01-08T12:00:00Z,BTC,51000,12,0.0002
2026-01-08T12:00:30+00:00,ETH,2400,1000,
"""


def market(tmp_path: Path, text: str = ROWS, **values: str) -> MarketSource:
    (tmp_path / "prices.csv").write_text(text)
    return make_market(ProviderOptions("day", {"type": "replay", "file": "prices.csv", **values}, tmp_path))


def test_a_price_is_valid_from_its_row_to_the_next_and_has_its_moment(tmp_path: Path) -> None:
    made = market(tmp_path)

    assert made.prices(["BTC"], NOON - timedelta(hours=2)) == {}
    found = made.prices(["BTC", "ETH", "SOL"], NOON + timedelta(seconds=29))
    assert {name: (seen.price, seen.at) for name, seen in found.items()} == {
        "BTC": (Decimal(51_000), NOON),
        "ETH": (Decimal(2500), NOON - timedelta(hours=1)),
    }


def test_the_context_has_what_the_file_tells(tmp_path: Path) -> None:
    found = market(tmp_path).context(["BTC", "ETH"], NOON)

    assert (found["BTC"].open_interest, found["BTC"].funding_rate) == (Decimal(12), Decimal("0.0002"))
    assert (found["BTC"].change_1h, found["BTC"].change_4h) == (Decimal("0.02"), None)
    assert (found["ETH"].open_interest, found["ETH"].funding_rate) == (None, None)


def test_symbols_come_with_the_highest_open_interest_first(tmp_path: Path) -> None:
    assert market(tmp_path).symbols(NOON) == ["BTC", "ETH"]
    assert market(tmp_path).symbols(NOON + timedelta(minutes=1)) == ["ETH", "BTC"]


def test_the_file_begins_at_the_moment_that_is_asked_for(tmp_path: Path) -> None:
    made = market(tmp_path, begins="2027-05-01T00:00:00Z")
    begins = datetime(2027, 5, 1, tzinfo=UTC)

    assert made.prices(["BTC"], begins - timedelta(seconds=1)) == {}
    assert made.prices(["BTC"], begins + timedelta(hours=1))["BTC"].price == 51_000


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("time,symbol\n", "line 1: the column price is missing"),
        ("time,symbol,price,volume\n", "line 1: volume is no column"),
        (f"{HEAD}\n", "there are no prices"),
        (f"{HEAD}\n2026-01-08,BTC,1,,\n", "line 2: the time must be a moment such as"),
        (f"{HEAD}\nnoon,BTC,1,,\n", "line 2: the time must be a moment such as"),
        (f"{HEAD}\n2026-01-08T12:00:00Z,B C,1,,\n", "line 2: 'B C' is no symbol"),
        (f"{HEAD}\n2026-01-08T12:00:00Z,BTC,0,,\n", "line 2: the price must be above 0"),
        (f"{HEAD}\n2026-01-08T12:00:00Z,BTC,NaN,,\n", "line 2: price must be a number, was 'NaN'"),
        (f"{HEAD}\n2026-01-08T12:00:00Z,BTC,1,x,\n", "line 2: open_interest must be a number"),
        (f"{HEAD}\n2026-01-08T12:00:00Z,BTC,1,,\n2026-01-08T11:00:00Z,BTC,1,,\n", "line 3: the time is before"),
        ("time,symbol,price\n2026-01-08T12:00:00Z,BTC,60,000\n", "line 2: there are more values than columns"),
        ("time,symbol,price,price\n2026-01-08T12:00:00Z,BTC,60,61\n", "line 1: a column is named twice"),
        (f"{HEAD}\n2026-01-08T12:00:00Z,BTC,1,-5,\n", "line 2: open_interest must not be below 0"),
        (f"{HEAD}\n2026-01-08T12:00:00Z,BTC,1e300,,\n", "line 2: price is beyond any market: '1e300'"),
        (f"{HEAD}\n2026-01-08T12:00:00Z,BTC,1e-300,,\n", "line 2: price is beyond any market"),
        (f"{HEAD}\n2026-01-08T12:00:00Z,BTC,1,,{'9' * 50}\n", "line 2: funding_rate is beyond any market"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(text: str, words: str) -> None:
    with pytest.raises(InvalidPriceFile) as caught:
        parse_prices(text.splitlines())

    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["", "../prices.csv", "/etc/passwd", "none.csv"])
def test_a_file_outside_of_the_directory_or_absent_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidProvider):
        make_market(ProviderOptions("day", {"type": "replay", "file": name}, tmp_path))


def test_a_wrong_beginning_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidProvider, match="begins of the provider day must be a moment"):
        market(tmp_path, begins="yesterday")
    with pytest.raises(InvalidProvider, match="so early that the last row has a moment"):
        market(tmp_path, begins="9999-12-31T23:59:59Z")


def test_a_quote_that_does_not_end_is_refused_and_a_byte_order_mark_is_not(tmp_path: Path) -> None:
    with pytest.raises(InvalidProvider, match="is no CSV file"):
        market(tmp_path, f'{ROWS}2026-01-08T12:01:00Z,BTC,51000,,"0.0001\n')
    assert market(tmp_path, f"\ufeff{ROWS}").symbols(NOON) == ["BTC", "ETH"]


def test_a_price_that_is_so_many_times_the_one_before_has_no_known_change(tmp_path: Path) -> None:
    rows = f"{HEAD}\n2026-01-08T11:00:00Z,BTC,0.000000000001,,\n2026-01-08T12:00:00Z,BTC,1000000,,\n"

    assert market(tmp_path, rows).context(["BTC"], NOON)["BTC"].change_1h is None


def test_a_pipe_is_no_file_of_prices(tmp_path: Path) -> None:
    """Nothing writes into it: to read it would never end."""
    os.mkfifo(tmp_path / "prices.csv")
    with pytest.raises(InvalidProvider, match=r"prices\.csv: is a named pipe, not a file"):
        make_market(ProviderOptions("day", {"type": "replay", "file": "prices.csv"}, tmp_path))
