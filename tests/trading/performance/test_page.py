"""The page Performance: what is chosen, shown, sorted, and saved as a file."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from tests.traders.admin.browsing import text_of
from tests.traders.admin.people import browser_of
from tests.trading_factories import HOUR_MS, make_trade
from traders.accounts.rules import Role
from traders.database.apart import TookTooLong
from traders.schema.moments import now_ms
from trading.performance import services
from trading.performance.forms import SiteMomentField
from trading.performance.queries import GroupSums
from trading.record.stored import symbols
from trading.record.writing.trades import record_trade
from trading.schema.trade import Pnl

URL = "/admin/trading/trade/performance/"
CSV = f"{URL}csv/"


@pytest.fixture
def recent(traders: None) -> None:
    """A trade an hour ago, one five days ago, one forty days ago."""
    now = now_ms()
    for trader_id, hours, net, symbol in (
        ("steady_long", 1, "5", "BTC"),
        ("quick_short", 5 * 24, "-2.5", "ETH"),
        ("steady_long", 40 * 24, "-1000", "BTC"),
    ):
        record_trade(
            make_trade(
                trader_id, symbol=symbol, net=net, open_ms=now - (hours + 1) * HOUR_MS, close_ms=now - hours * HOUR_MS
            )
        )
    symbols.add(["BTC", "ETH"])


def saved(client: Client, url: str) -> str:
    answer: Any = client.get(url)
    return b"".join(answer.streaming_content).decode("utf-8-sig")


def nets(client: Client, query: str = "") -> dict[str, str]:
    found = client.get(f"{URL}?{query}").context.get("lines", [])
    return {line.line.trader_id or str(line.line.value): str(line.line.net) for line in found}


@pytest.mark.usefixtures("recent")
def test_a_period_takes_the_trades_that_closed_in_it(viewer: Client) -> None:
    assert nets(viewer) == {"steady_long": "5", "quick_short": "-2.5"}
    assert nets(viewer, "period=7d") == {"steady_long": "5", "quick_short": "-2.5"}
    assert nets(viewer, "period=all") == {"steady_long": "-995", "quick_short": "-2.5"}
    since = (timezone.now() - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")
    assert nets(viewer, f"since={since}") == {"steady_long": "5"}


@pytest.mark.usefixtures("recent")
def test_filters_take_a_part_of_a_name_a_symbol_and_a_side(viewer: Client) -> None:
    assert nets(viewer, "trader=quick") == {"quick_short": "-2.5"}
    assert nets(viewer, "symbol=BTC") == {"steady_long": "5"}
    assert nets(viewer, "side=short") == {}
    assert nets(viewer, "by=side") == {"long": "2.5"}


@pytest.mark.usefixtures("recent")
def test_the_page_says_units_meanings_and_small_samples(viewer: Client) -> None:
    said = text_of(viewer.get(f"{URL}?period=all&by=symbol"))
    assert "net P&L, USD" in said
    assert "in market, %" in said
    assert "small sample" in said
    assert "Time in market: the share with at least one open position." in said
    assert "winners_losers_breakdown_table" in said


@pytest.mark.usefixtures("recent")
def test_a_head_sorts_and_turns(viewer: Client) -> None:
    page = viewer.get(f"{URL}?period=all&order=-net")
    assert [line.line.trader_id for line in page.context["lines"]] == ["quick_short", "steady_long"]
    assert 'aria-sort="descending"' in page.content.decode()
    assert "order=net" in page.content.decode()
    assert list(nets(viewer, "period=all&order=net")) == ["steady_long", "quick_short"]


@pytest.mark.usefixtures("recent")
def test_the_file_is_the_table_at_full_precision(viewer: Client) -> None:
    page = viewer.get(f"{URL}?period=all&by=symbol&order=-net")
    said = saved(viewer, f"{CSV}?period=all&by=symbol&order=-net")
    rows = list(csv.DictReader(StringIO(said)))
    assert [row["symbol"] for row in rows] == [line.line.value for line in page.context["lines"]]
    assert [Decimal(row["net"]) for row in rows] == [line.line.net for line in page.context["lines"]]
    assert [column.column.name for column in page.context["columns"]] == list(rows[0])[2:]


@pytest.mark.usefixtures("recent")
def test_a_spreadsheet_runs_no_formula_of_the_file(viewer: Client) -> None:
    now = now_ms()
    record_trade(make_trade("steady_long", symbol="=1+1", open_ms=now - HOUR_MS, close_ms=now - 1))
    said = saved(viewer, f"{CSV}?by=symbol")
    assert "'=1+1" in [row["symbol"] for row in csv.DictReader(StringIO(said))]


@pytest.mark.usefixtures("traders")
def test_an_empty_period_says_what_to_do(viewer: Client) -> None:
    said = text_of(viewer.get(URL))
    assert "No trade was closed in this period" in said
    assert "Show all" in said
    assert viewer.get(CSV).status_code == 200


@pytest.mark.usefixtures("recent")
@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("since=yesterday", "is no moment"),
        ("since=0001-01-01", "years 2010 to 2099"),
        ("until=9999-12-31T23:59", "years 2010 to 2099"),
        ("since=2026-02-02&until=2026-02-01", "Must be after the beginning of the period."),
        ("by=colour", "Select a valid choice"),
        ("period=1y", "Select a valid choice"),
        ("order=id", "Select a valid choice"),
        ("symbol=DOGE2", "Select a valid choice"),
        ("page=0", "greater than or equal to 1"),
    ],
)
def test_an_odd_question_is_refused_with_its_place(viewer: Client, query: str, problem: str) -> None:
    page = viewer.get(f"{URL}?{query}")
    assert problem in text_of(page)
    assert "lines" not in page.context
    assert viewer.get(f"{CSV}?{query}").status_code == 302


def test_a_typed_time_is_of_the_sites_zone(settings: Any) -> None:
    settings.DESK_TIMEZONE = ZoneInfo("Asia/Kolkata")
    field = SiteMomentField()
    assert field.clean("2026-02-01") == datetime(2026, 1, 31, 18, 30, tzinfo=UTC)
    assert field.clean("2026-02-02T00:30Z") == datetime(2026, 2, 2, 0, 30, tzinfo=UTC)


@pytest.mark.usefixtures("recent")
def test_a_question_that_takes_too_long_is_a_sentence(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_arguments: object, **_options: object) -> list[GroupSums]:
        raise TookTooLong

    monkeypatch.setattr(services, "WHOLE_TRADES", 0)
    monkeypatch.setattr("trading.performance.queries.summed", slow)
    page = viewer.get(f"{URL}?by=symbol")
    assert page.status_code == 200
    assert "This filter took too long" in text_of(page)
    assert viewer.get(f"{CSV}?by=symbol").status_code == 302


@pytest.mark.usefixtures("recent")
def test_figures_that_are_left_out_are_named(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "WHOLE_TRADES", 0)
    said = text_of(viewer.get(f"{URL}?by=symbol"))
    left_out = "return, drawdown, Sharpe, Sortino, in market."
    assert f"There are too many trades to compute these figures here: {left_out}" in said


@pytest.mark.usefixtures("recent")
def test_a_name_with_markup_is_shown_as_text(viewer: Client) -> None:
    now = now_ms()
    record_trade(make_trade("steady_long", symbol="<b>x", open_ms=now - HOUR_MS, close_ms=now - 1))
    assert "<b>x" not in viewer.get(f"{URL}?by=symbol").content.decode()


@pytest.mark.usefixtures("recent")
def test_who_may_not_see_trades_sees_no_performance() -> None:
    outsider = Client()
    assert outsider.get(URL).status_code == 302
    assert browser_of(Role.VIEWER).get(URL).status_code == 200


@pytest.mark.usefixtures("recent")
def test_sums_say_how_many_trades_are_without_known_funding(
    viewer: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "without known funding" not in text_of(viewer.get(URL))
    unknown = Pnl(gross=Decimal(5), net=Decimal(5), is_funding_unknown=True)
    now = now_ms()
    record_trade(make_trade(open_ms=now - 3 * HOUR_MS, close_ms=now - 2 * HOUR_MS, pnl=unknown))
    assert "Trades without known funding 1" in text_of(viewer.get(URL))
    monkeypatch.setattr(services, "WHOLE_TRADES", 0)
    assert "Trades without known funding 1" in text_of(viewer.get(URL))
    assert "without known funding" not in text_of(viewer.get(f"{URL}?symbol=ETH"))

    call_command("performance")
    assert "? without funding that was due and is not known: 1 trade" in capsys.readouterr().out
