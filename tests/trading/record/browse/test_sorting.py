"""The lists of the record in every order that they offer: each row once, there and back, and what is said of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.admin import site
from django.contrib.auth import get_user_model
from django.contrib.messages.storage.fallback import FallbackStorage
from django.test import Client, RequestFactory

from tests.traders.admin.browsing import text_of
from tests.trading.bad_rows import add_decision, decision_detail
from tests.trading_factories import HOUR_MS, OPENED_MS, make_entry, make_position, make_trade
from trading.models import DecisionJournal, Position, Trade
from trading.record.browse import columns, totals
from trading.record.stored.symbols import add
from trading.record.writing.decisions import record_decision
from trading.record.writing.positions import close_position, open_position
from trading.record.writing.trades import record_trade
from trading.schema.common import ExitPlan, Side
from trading.schema.decision import Usage
from trading.schema.trade import Pnl, TradeRisk

TRADES, POSITIONS = "/admin/trading/trade/", "/admin/trading/position/"
DECISIONS = "/admin/trading/decisionjournal/"
MODELS: dict[str, Any] = {TRADES: Trade, POSITIONS: Position, DECISIONS: DecisionJournal}
SYMBOLS = ("BTC", "ETH", "SOL", "XRP")
NETS = ("-3", "0", "0", "7.5", "-3", "0", "7.50", "12345.678", "-0.01", "0")


@pytest.fixture
def record(traders: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of two traders with many equal values, and some without: leverage, P&L of what is open, stops, tokens."""
    monkeypatch.setattr("trading.admin.RecordAdmin.list_per_page", 4)
    add(SYMBOLS)
    for number, net in enumerate(NETS):
        who = ("steady_long", "quick_short")[number % 2]
        risk = TradeRisk(leverage=Decimal(number % 3)) if number % 3 else None
        entry_version = 1 + number % 2 if who == "steady_long" else None
        at = OPENED_MS + number // 2 * HOUR_MS
        symbol, side = SYMBOLS[number % 4], (Side.LONG, Side.SHORT)[number % 3 == 0]
        pnl = Pnl(gross=Decimal(net), commission=Decimal(0), net=Decimal(net))
        plan = ExitPlan(sl_price=Decimal(40_000 + number % 2)) if number % 4 else None
        detail = make_position(opened_ms=at, exit_plan=plan)
        open_position(trader_id=who, symbol=symbol, side=side, detail=detail)
        if number < 6:
            closed_at = (at + HOUR_MS) * 1_000_000
            close_position(trader_id=who, symbol=symbol, price=Decimal(44_000), closed_at_ns=closed_at, pnl=pnl)
        else:
            record_trade(
                make_trade(who, symbol=symbol, side=side, open_ms=at, risk=risk, entry_version=entry_version, pnl=pnl)
            )
        usage = Usage(prompt_tokens=number % 3) if number % 4 else None
        version = 1 if who == "quick_short" else 1 + number % 3 or None
        record_decision(make_entry(who, config_version=version, usage=usage))


def listed(url: str, query: str) -> Any:
    """The change list without its page, which would take most of the time."""
    request = RequestFactory().get(url + query)
    request.session = {}  # type: ignore[assignment]
    request._messages = FallbackStorage(request)  # type: ignore[attr-defined]
    request.user = get_user_model()(username="mei", is_staff=True, is_superuser=True)
    return site.get_model_admin(MODELS[url]).get_changelist_instance(request)


def pages(url: str, query: str, link: str = "older_url") -> list[list[Any]]:
    found = []
    while query:
        changes = listed(url, query)
        found.append(list(changes.result_list))
        query = getattr(changes, link)
    return found


SHOWN: dict[str, Any] = {TRADES: columns.TRADE, POSITIONS: columns.POSITION, DECISIONS: columns.DECISION}
ORDERS = [
    (url, f"?o={sign}{place}", column.admin_order_field)
    for url, shown in SHOWN.items()
    for place, column in enumerate(shown)
    if column.admin_order_field
    for sign in ("", "-")
]


@pytest.mark.usefixtures("record")
@pytest.mark.parametrize("url", MODELS)
def test_every_order_shows_each_row_once_there_and_back(url: str) -> None:
    everything = sorted(MODELS[url].objects.values_list("pk", flat=True))
    for query, name in [(query, name) for one, query, name in ORDERS if one == url]:
        there = pages(url, query)
        assert sorted(row.pk for page in there for row in page) == everything, query
        values = [getattr(row, name) for page in there for row in page]
        known = [value for value in values if value is not None]
        assert values == sorted(known, reverse="-" in query) + [None] * (len(values) - len(known)), query

        last = query
        while following := listed(url, last).older_url:
            last = following
        back = pages(url, last, "newer_url")
        assert [[row.pk for row in page] for page in reversed(back)] == [[row.pk for row in page] for page in there]


@pytest.mark.usefixtures("record")
def test_the_record_of_the_test_has_rows_without_a_value() -> None:
    assert Position.objects.filter(closed_pnl=None).count() == 4
    assert Trade.objects.filter(leverage=None).exists()
    assert DecisionJournal.objects.filter(prompt_tokens=None).exists()


def order(client: Client, url: str, label: str) -> Any:
    """The head of this column."""
    return next(head for head in client.get(url).context["cl"].heads if head.label == label)


@pytest.mark.usefixtures("record")
@pytest.mark.parametrize("url", [TRADES, POSITIONS])
def test_profit_and_time_are_orders_of_all_rows(viewer: Client, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trading.record.browse.admin.SORTED", 2)
    by_profit = order(viewer, url, "net P&L, USD")
    changes = viewer.get(url + by_profit.url).context["cl"]
    assert changes.sorted_words == ""
    assert sum(map(len, pages(url, by_profit.url))) == 10
    assert next(head for head in changes.heads if head.sort).sort == "descending"


@pytest.mark.usefixtures("record")
def test_the_page_says_which_rows_another_column_sorts(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    by_symbol = order(viewer, TRADES, "symbol").url
    assert "Sorted by" not in text_of(viewer.get(TRADES + by_symbol))

    monkeypatch.setattr("trading.record.browse.admin.SORTED", 4)
    address = f"{TRADES}{by_symbol}"
    assert "Sorted by symbol among the newest 4 of 10." in text_of(viewer.get(address))
    newest = Trade.objects.order_by("-close_ts_ms", "id")[:4]
    assert sorted(row.pk for page in pages(TRADES, by_symbol) for row in page) == sorted(row.pk for row in newest)

    monkeypatch.setattr("trading.record.browse.totals.NEWEST", ((2, totals.LIMIT_MS),))
    said = text_of(viewer.get(f"{address}&side=long"))
    assert "Sorted by symbol among the newest 4 of all that match." in said
    assert {row.side for page in pages(TRADES, f"{by_symbol}&side=long") for row in page} == {"long"}


@pytest.mark.usefixtures("record")
def test_an_address_of_no_place_shows_the_first_page_or_says_that_there_is_nothing(viewer: Client) -> None:
    places = ("!~!", "nonsense~x", "1e999999999~x", "sNaN~x", "NaN~x", "!", "5~x~y", "!~steady_long|BTC", "%00~x")
    by_profit = order(viewer, TRADES, "net P&L, USD").url
    for place in places:
        assert listed(TRADES, f"{by_profit}&older={quote(place)}").result_count >= 0
        assert listed(TRADES, f"?older={quote(place)}").result_count >= 0


@pytest.mark.parametrize("moment", ["-infinity", "infinity", "20000-01-01", "0044-03-15 BC"])
def test_decisions_of_a_time_that_python_cannot_hold_are_each_listed_once(
    traders: None, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trading.admin.RecordAdmin.list_per_page", 2)
    numbers = [add_decision("steady_long", decision_detail(), decided_at=moment) for _ in range(7)]
    numbers.append(str(record_decision(make_entry()).id))

    for query in ("?", "?o=0"):
        seen = []
        for _page in range(10):
            changes = listed(DECISIONS, query)
            seen += [str(row.pk) for row in changes.result_list]
            if not (query := changes.older_url):
                break
        assert sorted(seen) == sorted(numbers)
