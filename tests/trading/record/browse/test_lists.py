"""The lists of the record: filters, totals, pages, and a cost that does not grow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.traders.admin.browsing import text_of
from tests.trading_factories import HOUR_MS, OPENED_MS, make_entry, make_position, make_trade
from traders.database.apart import TookTooLong
from trading.record.browse import admin as browse
from trading.record.browse import totals
from trading.record.stored.bounded import fetch
from trading.record.stored.symbols import add
from trading.record.writing.decisions import record_decision
from trading.record.writing.positions import close_position, open_position
from trading.record.writing.trades import record_trade
from trading.schema.common import Side
from trading.schema.decision import Usage
from trading.schema.trade import Pnl, TradeRecord

TRADES, POSITIONS = "/admin/trading/trade/", "/admin/trading/position/"
DECISIONS = "/admin/trading/decisionjournal/"
DAY = "2025-10-09"
"""Of OPENED_MS."""
ONE = "quick_short|ETH|1760007200000000000"


@pytest.fixture
def trades(traders: None) -> list[TradeRecord]:
    """Twelve trades of two traders, some of which close in the same instant."""
    add(["BTC", "ETH"])
    made = []
    for number in range(12):
        net = Decimal(number * 10 - 45) + Decimal("0.1")
        made.append(
            make_trade(
                "steady_long" if number % 3 else "quick_short",
                symbol="ETH" if number % 2 else "BTC",
                side=Side.SHORT if number % 4 == 0 else Side.LONG,
                open_ms=OPENED_MS + number // 2 * HOUR_MS,
                entry_version=None if number == 1 else 1 + number % 2 if number % 3 else 1,
                pnl=Pnl(gross=net + Decimal("1.25"), commission=Decimal("0.75"), net=net),
            )
        )
    for trade in made:
        record_trade(trade)
    return made


FILTERS: dict[str, Any] = {
    "": lambda trade: True,
    "trader=steady_long": lambda trade: trade.trader_id == "steady_long",
    "trader=steady_long&version=2": lambda trade: trade.trader_id == "steady_long" and _version(trade) == 2,
    "trader=steady_long&version=0": lambda trade: trade.trader_id == "steady_long" and _version(trade) is None,
    "symbol=ETH": lambda trade: trade.symbol == "ETH",
    "side=short": lambda trade: trade.side is Side.SHORT,
    "outcome=gain": lambda trade: trade.net_pnl > 0,
    "outcome=loss&symbol=BTC": lambda trade: trade.net_pnl < 0 and trade.symbol == "BTC",
    f"since={DAY}T11:00&until={DAY}T13:00": lambda trade: (
        _at(f"{DAY}T11:00") <= trade.close_ts_ms < _at(f"{DAY}T13:00")
    ),
    "id=" + quote(ONE): lambda trade: trade.id == ONE,
}


def _version(trade: TradeRecord) -> int | None:
    return trade.detail.versions.entry if trade.detail.versions else None


def _at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize("query", FILTERS)
def test_a_filter_shows_its_trades_and_their_sums(viewer: Client, trades: list[TradeRecord], query: str) -> None:
    expected = [trade for trade in trades if FILTERS[query](trade)]
    expected.sort(key=lambda trade: (-trade.close_ts_ms, trade.id))

    page = viewer.get(f"{TRADES}?{query}")

    assert [row.id for row in page.context["cl"].result_list] == [trade.id for trade in expected]
    sums = page.context["cl"].totals
    assert expected
    assert (sums.count, sums.net_pnl, sums.gross_pnl, sums.commission) == (
        len(expected),
        sum(trade.net_pnl for trade in expected),
        sum(Decimal(trade.detail.pnl.gross) for trade in expected),
        sum(Decimal(trade.detail.pnl.commission) for trade in expected),
    )
    assert sums.win_rate_pct == Decimal(100) * sum(trade.net_pnl > 0 for trade in expected) / len(expected)


@pytest.mark.usefixtures("trades")
def test_what_cannot_be_asked_is_said_at_its_field(viewer: Client) -> None:
    said = text_of(viewer.get(f"{TRADES}?version=2"))
    assert "Version : Versions are numbered for each trader: name one trader as well." in said
    assert "No trade" not in said
    assert "Until : Must be after the beginning" in text_of(viewer.get(f"{TRADES}?since={DAY}&until=2025-10-01"))
    assert "Select a valid choice" in text_of(viewer.get(f"{TRADES}?symbol=NOSUCH"))
    assert viewer.get(f"{TRADES}?trader=%00").status_code == 400
    assert viewer.get(f"{TRADES}?older=nonsense").context["cl"].result_list
    assert viewer.get(f"{DECISIONS}?older=nonsense~x").status_code == 200


def walk(client: Client, url: str, link: str = "older_url") -> Iterator[list[Any]]:
    """The pages from this one on."""
    while url:
        page = client.get(url)
        yield page.context["cl"].result_list
        following = getattr(page.context["cl"], link)
        url = url.partition("?")[0] + following if following else ""


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trading.admin.RecordAdmin.list_per_page", 5)


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("query", ["", "?trader=steady_long", "?symbol=ETH"])
def test_pages_cover_everything_exactly_once(viewer: Client, trades: list[TradeRecord], query: str) -> None:
    there = [[row.id for row in rows] for rows in walk(viewer, TRADES + query)]
    seen = [one for ids in there for one in ids]
    matching = [trade for trade in trades if FILTERS[query.removeprefix("?")](trade)]
    assert sorted(seen) == sorted(trade.id for trade in matching)
    assert len(there) == -(-len(matching) // 5)

    last = TRADES + (query or "?")
    for _page in there[1:]:
        last = TRADES + viewer.get(last).context["cl"].older_url
    back = [[row.id for row in rows] for rows in walk(viewer, last, "newer_url")]
    assert [one for ids in reversed(back) for one in ids][-len(there[-1]) :] == there[-1]
    assert sorted(one for ids in back for one in ids) == sorted(seen)


@pytest.mark.usefixtures("small_pages", "trades")
def test_an_address_of_a_page_is_a_time_and_an_id(viewer: Client) -> None:
    page = viewer.get(TRADES)
    last = page.context["cl"].result_list[-1]
    query = urlencode({"older": f"{last.close_ts_ms}~{last.id}"})
    assert page.context["cl"].older_url == f"?{query}"
    assert viewer.get(f"{TRADES}?{query}").context["cl"].result_list[0].close_ts_ms <= last.close_ts_ms


@pytest.mark.usefixtures("small_pages")
def test_the_oldest_rows_can_come_first(viewer: Client, trades: list[TradeRecord]) -> None:
    oldest_first = viewer.get(TRADES).context["cl"].turn_url
    seen = [row.id for rows in walk(viewer, TRADES + oldest_first) for row in rows]
    assert seen == [
        trade.id for trade in sorted(trades, key=lambda trade: (-trade.close_ts_ms, trade.id), reverse=True)
    ]


@pytest.mark.usefixtures("small_pages")
def test_pages_of_decisions_cover_everything_exactly_once(viewer: Client) -> None:
    base = datetime(2026, 1, 8, 10, 30, tzinfo=UTC)
    made = {
        record_decision(make_entry(decided_at=base + timedelta(microseconds=number // 3))).id for number in range(13)
    }
    seen = [row.id for rows in walk(viewer, DECISIONS) for row in rows]
    assert sorted(seen) == sorted(made)
    assert seen == sorted(seen, reverse=True)


def test_more_rows_take_no_more_queries(viewer: Client, trades: list[TradeRecord]) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert viewer.get(TRADES).status_code == 200
        return len(captured)

    few = queries()
    for number in range(30):
        record_trade(make_trade(open_ms=OPENED_MS - (number + 1) * 1000))
    # One of them asks for the fleet stop, one for the open alarms: they stand in the top bar.
    assert queries() == few <= 25


@pytest.mark.usefixtures("trades")
def test_nothing_is_counted_and_nothing_skipped(viewer: Client) -> None:
    with CaptureQueriesContext(connection) as captured:
        viewer.get(f"{TRADES}?trader=steady_long")
    reads = [query["sql"].lower() for query in captured if 'from "trades"' in query["sql"].lower()]
    # How many were set aside, and how many are without known funding, two small indexes say.
    small = ('"exclusion_id" is not null', "is_funding_unknown")
    rows, *others = (sql for sql in reads if not any(condition in sql for condition in small))
    assert others == []
    assert "count(" not in rows
    assert "offset" not in rows


def test_sums_of_a_large_set_are_of_its_newest_and_say_so(
    viewer: Client, trades: list[TradeRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trading.record.browse.totals.NEWEST", ((4, totals.LIMIT_MS),))
    page = viewer.get(f"{TRADES}?symbol=ETH")

    newest = sorted((trade for trade in trades if trade.symbol == "ETH"), key=lambda trade: -trade.close_ts_ms)[:4]
    assert page.context["cl"].totals.net_pnl == sum(trade.net_pnl for trade in newest)
    assert "Summed over the newest 4" in text_of(page)


@pytest.mark.parametrize(
    ("page", "unpacked"), [(f"{TRADES}?symbol=BTC", [0, 1]), (DECISIONS, [0]), (f"{POSITIONS}?symbol=BTC", [0])]
)
@pytest.mark.usefixtures("trades")
def test_a_row_is_unpacked_once_at_most_for_all_its_sums(viewer: Client, page: str, unpacked: list[int]) -> None:
    """A stored text is compressed, and each mention of `detail` unpacks it again."""
    with CaptureQueriesContext(connection) as captured:
        viewer.get(page)
    sums = [query["sql"] for query in captured if "SUM(" in query["sql"]]
    assert [statement.count('"detail"') for statement in sums] == unpacked


@pytest.mark.usefixtures("trades")
def test_the_parts_of_the_profit_of_many_trades_are_left_out(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trading.record.browse.totals.UNPACKED", 5)
    page = viewer.get(f"{TRADES}?symbol=BTC")
    assert page.context["cl"].totals.gross_pnl is None
    assert "Net P&L, USD" in text_of(page)
    assert "Gross P&L, USD" not in text_of(page)


@pytest.mark.usefixtures("trades")
def test_a_filter_that_takes_too_long_says_so(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def passed(limit_ms: int) -> Iterator[None]:
        fetch("SELECT pg_sleep(5)", {}, limit_ms=20)
        yield

    monkeypatch.setattr(browse, "time_limit", passed)
    said = text_of(viewer.get(TRADES))
    assert "This filter took too long." in said
    monkeypatch.undo()
    monkeypatch.setattr(totals, "time_limit", passed)
    assert "Summing these up took too long" in text_of(viewer.get(f"{TRADES}?symbol=BTC"))


@pytest.mark.django_db
def test_a_time_limit_ends_with_its_statement() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        before = cursor.fetchone()
    with pytest.raises(TookTooLong):
        fetch("SELECT pg_sleep(5)", {}, limit_ms=20)
    assert fetch("SELECT pg_sleep(0.05), 1", {}, limit_ms=5_000)[0][1] == 1
    assert fetch("SHOW statement_timeout", {}, limit_ms=77) == [("77ms",)]
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == before


@pytest.mark.usefixtures("trades")
def test_a_line_reads_as_people_write_it(viewer: Client) -> None:
    said = text_of(viewer.get(f"{TRADES}?trader=quick_short"))
    assert "quick_short ETH ↗ long 10x 0.01 45,000.5 45,500 1 h ▲ +45.10 gain v1 Ticket" in said
    assert "quick_short BTC ↘ short 10x 0.01 45,000.5 45,500 1 h ▼ −44.90 loss v1 Ticket" in said
    assert "Trades 4 Net P&L, USD ▲ +0.40 gain Gross P&L, USD ▲ +5.40 gain Commission, USD 3.00 Win rate 50.0 %" in said
    assert "before v1 → v1" in text_of(viewer.get(f"{TRADES}?trader=steady_long&version=0"))


def test_positions_are_filtered_and_summed_up(viewer: Client) -> None:
    for symbol in ("BTC", "ETH"):
        open_position(trader_id="steady_long", symbol=symbol, side=Side.LONG, detail=make_position())
    close_position(
        trader_id="steady_long",
        symbol="BTC",
        price=Decimal("44000"),
        closed_at_ns=(OPENED_MS + HOUR_MS) * 1_000_000,
        pnl=Pnl(gross=Decimal("-7"), commission=Decimal("0.5"), net=Decimal("-7.5")),
    )
    page = viewer.get(f"{POSITIONS}?trader=steady_long")
    assert {row.symbol: row.status for row in page.context["cl"].result_list} == {"BTC": "closed", "ETH": "open"}
    assert page.context["cl"].totals == totals.PositionTotals(2, 1, 0, 1, Decimal("-7.5"))
    assert page.context["cl"].totals.win_rate_pct == 0
    assert "closed 10x" in text_of(page)
    for query, symbols in {"status=open": ["ETH"], "status=closed": ["BTC"], "outcome=loss": ["BTC"]}.items():
        assert [row.symbol for row in viewer.get(f"{POSITIONS}?{query}").context["cl"].result_list] == symbols


def test_decisions_are_filtered_and_summed_up(viewer: Client) -> None:
    usage = Usage(prompt_tokens=1000, completion_tokens=50, cost_usd=Decimal("0.012345"))
    good = record_decision(make_entry(usage=usage))
    bad = record_decision(make_entry("quick_short", success=False, error="the model did not answer", usage=usage))

    page = viewer.get(DECISIONS)
    assert [row.id for row in page.context["cl"].result_list] == [bad.id, good.id]
    assert page.context["cl"].totals == totals.DecisionTotals(2, 1, 2000, 100, Decimal("0.02469"))
    assert "open long BTC" in text_of(page)
    assert [row.id for row in viewer.get(f"{DECISIONS}?outcome=failed").context["cl"].result_list] == [bad.id]
    assert [row.id for row in viewer.get(f"{DECISIONS}?trader=steady_long&version=1").context["cl"].result_list] == [
        good.id
    ]
    assert [row.id for row in viewer.get(f"{DECISIONS}?id={good.id}").context["cl"].result_list] == [good.id]
    assert not viewer.get(f"{DECISIONS}?until=2026-01-08").context["cl"].result_list


@pytest.mark.parametrize(
    ("url", "command"),
    [(TRADES, "import_arena"), (POSITIONS, "import_arena"), (DECISIONS, "import_journal")],
)
def test_an_empty_list_says_what_fills_it(viewer: Client, url: str, command: str) -> None:
    said = text_of(viewer.get(url))
    assert f"python manage.py {command}" in said
    assert "make demo" in said
    assert "Choose fewer filters" in text_of(viewer.get(f"{url}?trader=nobody"))


@pytest.mark.usefixtures("trades")
def test_the_same_day_twice_is_that_day(viewer: Client) -> None:
    page = viewer.get(f"{TRADES}?since={DAY}&until={DAY}")
    both = viewer.get(f"{TRADES}?since={DAY}&until=2025-10-10")

    assert "Must be after the beginning" not in text_of(page)
    assert [row.pk for row in page.context["cl"].result_list] == [row.pk for row in both.context["cl"].result_list]


@pytest.mark.usefixtures("trades")
def test_trades_without_known_funding_are_counted_and_marked(viewer: Client) -> None:
    unknown = Pnl(gross=Decimal(5), net=Decimal(5), is_funding_unknown=True)
    record_trade(make_trade(open_ms=OPENED_MS - HOUR_MS, close_ms=OPENED_MS - 1000, pnl=unknown))
    page = viewer.get(f"{TRADES}?trader=steady_long")
    assert page.context["cl"].totals.funding_unknown == 1
    assert "Funding not known 1" in text_of(page)

    only = viewer.get(f"{TRADES}?trader=steady_long&outcome=no-funding")
    assert [row.net_pnl for row in only.context["cl"].result_list] == [5]
    assert "without funding" in text_of(only)
    address = re.search(r'href="(/admin/trading/trade/steady[^"]+)"', only.content.decode())
    assert address is not None
    ticket = viewer.get(unescape(address[1]))
    assert "its amount is not known: the P&L is without it" in text_of(ticket)
