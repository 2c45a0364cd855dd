"""Presets, parts of names, persons, what decisions did, and filters that people save."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlencode
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from tests.traders.admin.browsing import text_of
from tests.traders.admin.people import browser_of
from tests.trading.bad_rows import add_decision
from tests.trading_factories import make_entry, make_position, make_trade
from traders.accounts.rules import Role
from traders.versions.changelog import queries as changelog
from trading.models import SavedFilter
from trading.record.browse.presets import PeriodPreset, begin_of
from trading.record.stored.symbols import add
from trading.record.writing.decisions import record_decision
from trading.record.writing.positions import open_position
from trading.record.writing.trades import record_trade
from trading.schema.common import Side
from trading.schema.decision import Action, ActionTaken, Decision

TRADES, POSITIONS = "/admin/trading/trade/", "/admin/trading/position/"
DECISIONS = "/admin/trading/decisionjournal/"
LISTS = (TRADES, POSITIONS, DECISIONS)
HOUR = timedelta(hours=1)


def listed(client: Client, url: str, query: str = "") -> list[Any]:
    return [row.pk for row in client.get(f"{url}?{query}").context["cl"].result_list]


def ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/New_York"])
def test_today_begins_at_midnight_of_the_site(settings: Any, zone: str) -> None:
    settings.DESK_TIMEZONE = ZoneInfo(zone)
    now = datetime(2026, 3, 8, 16, 30, tzinfo=UTC)
    begin = begin_of(PeriodPreset.TODAY, now).astimezone(ZoneInfo(zone))
    assert (begin.hour, begin.minute) == (0, 0)
    assert timedelta(0) <= now - begin < timedelta(hours=25)


def test_presets_narrow_each_list_to_its_period(viewer: Client) -> None:
    add(["BTC", "ETH", "SOL", "XRP"])
    today = begin_of(PeriodPreset.TODAY, timezone.now())
    ages = {"BTC": today, "ETH": today - HOUR, "SOL": today - timedelta(days=8), "XRP": today - timedelta(days=40)}
    for symbol, at in ages.items():
        open_position(trader_id="steady_long", symbol=symbol, side=Side.LONG, detail=make_position(opened_ms=ms(at)))
        record_decision(make_entry(decided_at=at, config_version=None))
        record_trade(make_trade(symbol=symbol, open_ms=ms(at - HOUR), close_ms=ms(at)))
    for url in LISTS:
        counts = [len(listed(viewer, url, f"period={name}")) for name in ("today", "7d", "30d", "")]
        assert counts == [1, 2, 3, 4], url
        page = viewer.get(f"{url}?period=7d&o=0")
        chosen = {one.words: one for one in page.context["cl"].presets if one.is_chosen}
        assert "7 d" in chosen
        assert parse_qs(chosen["7 d"].url.removeprefix("?")) == {"o": ["0"]}
    old = f"period=30d&until={(today - timedelta(days=2)):%Y-%m-%d}"
    assert len(listed(viewer, TRADES, old)) == 1
    assert "Select a valid choice" in text_of(viewer.get(f"{TRADES}?period=yesterday"))


def test_this_version_and_the_person_who_made_it(viewer: Client) -> None:
    """steady_long has version 2 by mei and 3 by lee; quick_short has version 1 by the sync."""
    for number, (who, version) in enumerate(
        [("steady_long", 1), ("steady_long", 2), ("steady_long", 3), ("quick_short", 1)]
    ):
        at = datetime(2026, 1, 8, 10, number, tzinfo=UTC)
        record_trade(make_trade(who, open_ms=ms(at), entry_version=version))
        record_decision(make_entry(who, decided_at=at, config_version=version))
    for url in (TRADES, DECISIONS):
        rows = viewer.get(f"{url}?period=version").context["cl"].result_list
        assert [row.trader_id for row in rows] == ["quick_short", "steady_long"]
        assert len(listed(viewer, url, "person=mei")) == len(listed(viewer, url, "person=lee")) == 1
        assert len(listed(viewer, url, "person=mei&trader=quick_short")) == 0
    totals = viewer.get(f"{TRADES}?period=version").context["cl"].totals
    assert (totals.count, totals.net_pnl) == (2, Decimal("9.0"))
    assert {"mei", "lee"} < set(changelog.actors())


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("steady_long", {"steady_long"}),
        ("STEADY", {"steady_long"}),
        ("ick Sho", {"quick_short"}),
        ("o", {"steady_long", "quick_short"}),
        ("%", set()),
        ("nobody", set()),
    ],
)
def test_a_trader_is_found_by_parts_of_its_id_and_its_name(viewer: Client, typed: str, found: set[str]) -> None:
    for who in ("steady_long", "quick_short"):
        record_trade(make_trade(who))
    rows = viewer.get(TRADES, {"trader": typed}).context["cl"].result_list
    assert {row.trader_id for row in rows} == found


def test_a_whole_id_is_that_trader_alone_and_names_are_suggested(viewer: Client) -> None:
    page = viewer.get(TRADES, {"trader": "quick_short"})
    assert page.context["cl"].filter_form.cleaned_data["trader"] == ("quick_short",)
    assert '<option value="quick_short">Quick Short</option>' in page.content.decode()


def took(action: Action, symbol: str = "BTC", **taken: Any) -> dict[str, Any]:
    decided = Decision(symbol=symbol, action=action)
    done = ActionTaken(symbol=symbol, action=action, **{"ok": True, **taken})
    return {"decisions": (decided,), "actions": (done,)}


@pytest.fixture
def decisions(traders: None) -> dict[str, int]:
    made = {
        "order": record_decision(make_entry(**took(Action.OPEN_LONG))).id,
        "refused": record_decision(
            make_entry(success=False, **took(Action.OPEN_SHORT, "ETH", ok=False, refused_by=("max_positions",)))
        ).id,
        "failed": record_decision(make_entry(success=False, decisions=(), actions=())).id,
        "held": record_decision(make_entry(**took(Action.HOLD))).id,
        "unrecorded": record_decision(make_entry(decisions=took(Action.CLOSE_LONG, "SOL")["decisions"], actions=())).id,
    }
    add(["BTC", "ETH", "SOL"])
    return made


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"order", "refused", "failed", "unrecorded"}),
        ("outcome=all", {"order", "refused", "failed", "held", "unrecorded"}),
        ("outcome=order", {"order", "unrecorded"}),
        ("outcome=refused", {"refused"}),
        ("outcome=failed", {"failed"}),
        ("outcome=held", {"held"}),
        ("symbol=BTC", {"order"}),
        ("symbol=BTC&outcome=all", {"order", "held"}),
        ("action=open_short", {"refused"}),
        ("action=open_short&symbol=BTC", set()),
        ("action=close_long&symbol=SOL", {"unrecorded"}),
    ],
)
def test_decisions_are_filtered_by_what_they_did(
    viewer: Client, decisions: dict[str, int], query: str, names: set[str]
) -> None:
    assert set(listed(viewer, DECISIONS, query)) == {decisions[name] for name in names}


def test_a_decision_that_is_named_is_shown_whatever_it_did(viewer: Client, decisions: dict[str, int]) -> None:
    assert listed(viewer, DECISIONS, f"id={decisions['held']}") == [decisions["held"]]


def test_an_action_and_a_symbol_are_of_one_order(viewer: Client, traders: None) -> None:
    add(["BTC", "ETH"])
    both = (Decision(symbol="BTC", action=Action.HOLD), Decision(symbol="ETH", action=Action.OPEN_LONG))
    made = record_decision(make_entry(decisions=both, actions=()))
    assert listed(viewer, DECISIONS, "action=open_long&symbol=BTC") == []
    assert listed(viewer, DECISIONS, "action=open_long&symbol=ETH") == [made.id]


@pytest.mark.parametrize("detail", ["5", "[]", '{"actions": 5, "decisions": "x"}', '{"usage": {"cost_usd": "much"}}'])
def test_a_detail_of_any_form_can_be_stored_and_listed(viewer: Client, traders: None, detail: str) -> None:
    number = add_decision("steady_long", detail)
    assert str(listed(viewer, DECISIONS, "outcome=all")[0]) == number


def saved_by(client: Client, url: str, name: str, query: str) -> Any:
    return client.post(f"{url}filters/save/", {"name": name, "query": query}, follow=True)


def test_a_filter_is_saved_shown_sent_and_removed(viewer: Client) -> None:
    query = urlencode({"trader": "steady", "period": "today", "outcome": "loss", "o": "-9"})
    page = saved_by(viewer, TRADES, "losers", query + "&older=5~x&nonsense=1")
    assert page.redirect_chain[0][0] == f"{TRADES}?{query}"
    assert "The filter “losers” is saved." in text_of(page)
    [shown] = page.context["saved_filters"]
    assert (shown.name, shown.url, shown.is_chosen) == ("losers", f"?{query}", True)
    assert not viewer.get(POSITIONS).context["saved_filters"]

    colleague = browser_of(Role.OPERATOR)
    assert not colleague.get(TRADES).context["saved_filters"]
    assert colleague.get(TRADES + shown.url).context["cl"].asked["outcome"] == "loss"
    assert "There is no such filter." in text_of(colleague.post(f"{TRADES}filters/{shown.id}/remove/", follow=True))
    assert SavedFilter.objects.count() == 1

    assert "is removed" in text_of(viewer.post(f"{TRADES}filters/{shown.id}/remove/", follow=True))
    assert not SavedFilter.objects.exists()


def test_the_same_name_saves_over_the_filter_before(viewer: Client) -> None:
    saved_by(viewer, TRADES, "mine", "outcome=gain")
    saved_by(viewer, TRADES, "mine", "outcome=loss")
    assert [one.query for one in SavedFilter.objects.all()] == ["outcome=loss"]


@pytest.mark.parametrize(
    ("name", "query", "why"),
    [
        ("", "outcome=loss", "This field is required."),
        ("x" * 61, "outcome=loss", "at most 60 characters"),
        ("n", "", "nothing is filtered or sorted"),
        ("n", "older=5~x", "nothing is filtered or sorted"),
        ("n", "outcome=nonsense", "the list cannot be filtered by it"),
        ("n", "id=" + "x" * 5000, "at most 4000 characters"),
    ],
)
def test_what_is_no_filter_is_not_saved(viewer: Client, name: str, query: str, why: str) -> None:
    assert why in text_of(saved_by(viewer, TRADES, name, query))
    assert not SavedFilter.objects.exists()


def test_a_person_keeps_so_many_filters_of_a_list(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trading.record.browse.saved.MOST", 1)
    saved_by(viewer, TRADES, "one", "outcome=gain")
    assert "you have 1 of this list" in text_of(saved_by(viewer, TRADES, "two", "outcome=gain"))
    saved_by(viewer, POSITIONS, "two", "outcome=gain")
    assert SavedFilter.objects.count() == 2


def test_an_account_without_the_list_saves_nothing(client: Client, db: None) -> None:
    assert client.post(f"{TRADES}filters/save/", {"name": "n", "query": "outcome=gain"}).status_code == 302
    assert not SavedFilter.objects.exists()
