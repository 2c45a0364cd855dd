"""Setting rows aside in the browser."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.rows_from_before import take_rules_away
from tests.traders.admin.browsing import hidden_fields, text_of
from tests.traders.admin.people import browser_of
from tests.trading.exclusion_record import POSITION, aside, equity_key, record_alpha, trade_key, undone
from tests.trading.record.exclusions.test_service import opened
from tests.trading_factories import OPENED_MS, make_position
from traders.accounts.rules import Role
from trading.models import Position, RecordExclusion
from trading.schema.exclusion import RecordKey

pytestmark = pytest.mark.django_db

LOG = "/admin/trading/recordexclusion/"
SET = f"{LOG}set/"
TRADES = "/admin/trading/trade/"


@pytest.fixture(autouse=True)
def decision() -> RecordKey:
    return record_alpha()


@pytest.fixture
def operator() -> Client:
    return browser_of(Role.OPERATOR)


def ticket(key: RecordKey) -> str:
    model = {"trade": "trade", "position": "position", "decision": "decisionjournal"}[key.kind]
    return f"/admin/trading/{model}/{key.name}/"


def chosen(*keys: RecordKey, **more: str) -> dict[str, Any]:
    return {"kind": str(keys[0].kind), "id": [key.name for key in keys], **more}


def saved(client: Client, preview: Any, reason: str = "a test order") -> Any:
    return client.post(SET, hidden_fields(preview) | {"reason": reason, "step": "save"}, follow=True)


def test_the_preview_shows_the_figures_before_and_after_and_writes_nothing(operator: Client) -> None:
    said = text_of(operator.get(SET, chosen(trade_key(0), trade_key(1))))
    assert "Sets 2 rows aside" in said
    assert "net P&L, USD ▲ +12.25 gain ▲ +10.00 gain" in said
    assert not RecordExclusion.objects.exists()


def test_a_trade_is_set_aside_from_its_ticket_and_included_again(operator: Client) -> None:
    page = operator.get(ticket(trade_key(0)))
    assert f"{SET}?kind=trade" in page.content.decode()
    done = saved(operator, operator.get(SET, chosen(trade_key(0))))
    assert "Set 1 row aside." in text_of(done)
    assert "Set aside by operator" in text_of(done)
    assert "a test order" in text_of(done)
    entry = RecordExclusion.objects.get()
    assert (entry.actor, entry.account_id) == ("operator", User.objects.get().pk)

    back = saved(operator, operator.get(SET, chosen(trade_key(0), undo="1")), "it was right")
    assert "Included 1 row again." in text_of(back)
    assert "2 entries" in text_of(back)


def test_many_are_ticked_in_a_list_and_set_aside_together(operator: Client) -> None:
    preview = operator.post(SET, chosen(trade_key(0), trade_key(2)))
    assert "Sets 2 rows aside" in text_of(preview)
    assert "Set 2 rows aside." in text_of(saved(operator, preview))


def test_a_reason_is_asked_for(operator: Client) -> None:
    page = saved(operator, operator.get(SET, chosen(trade_key(0))), reason=" ")
    assert "Say why, in a few words." in text_of(page)
    assert not RecordExclusion.objects.exists()


def test_lists_leave_out_what_is_set_aside_say_how_many_and_show_it_on_demand() -> None:
    aside(trade_key(0))
    viewer = browser_of(Role.VIEWER)
    said = text_of(viewer.get(TRADES))
    assert "Trades 2 " in said
    assert "Set aside 1" in said
    only = viewer.get(TRADES, {"aside": "only"})
    assert trade_key(0).id in only.content.decode()
    assert "by mei on" in only.content.decode()
    assert trade_key(1).id not in only.content.decode()
    both = viewer.get(TRADES, {"aside": "all"}).content.decode()
    assert trade_key(0).id in both
    assert trade_key(1).id in both
    assert trade_key(0).id in viewer.get(TRADES, {"id": trade_key(0).id}).content.decode()


@pytest.mark.parametrize("where", [{}, {"trader": "alpha"}, {"symbol": "BTC"}, {"aside": "all"}, {"aside": "only"}])
def test_the_sums_of_a_list_are_those_of_the_rows_that_count(where: dict[str, str]) -> None:
    aside(trade_key(0))
    said = text_of(browser_of(Role.VIEWER).get(TRADES, where))
    assert "Net P&L, USD ▲ +7.75 gain" in said
    assert "Set aside 1" in said


def test_a_list_whose_rows_are_all_set_aside_says_so() -> None:
    aside(*(trade_key(n) for n in range(3)))
    said = text_of(browser_of(Role.VIEWER).get(TRADES, {"trader": "alpha"}))
    assert "Set aside 3" in said


def test_positions_and_decisions_have_their_marks_and_counts(decision: RecordKey) -> None:
    change = aside(POSITION, decision)
    viewer = browser_of(Role.VIEWER)
    for entry in change.entries:
        assert "Set aside by mei" in text_of(viewer.get(ticket(entry.key)))
    for name in ("position", "decisionjournal"):
        assert "Set aside 1" in text_of(viewer.get(f"/admin/trading/{name}/"))
    replay = viewer.get(f"/admin/trading/decisionjournal/alpha|{decision.id}/replay/")
    assert "Set aside by mei" in text_of(replay)


def test_the_log_lists_every_entry_with_its_way_back(operator: Client) -> None:
    aside(trade_key(0), reason="first")
    undone(trade_key(0), reason="later")
    aside(equity_key(3), reason="third", actor="ada")
    page = operator.get(LOG)
    assert [page.content.decode().count(reason) for reason in ("first", "later", "third")] == [1, 1, 1]
    assert page.content.decode().count("undo=1") == 1

    for where, shown in (
        ({"kind": "equity"}, {"third"}),
        ({"actor": "mei"}, {"first", "later"}),
        ({"state": "include"}, {"later"}),
        ({"state": "aside"}, {"third"}),
        ({"id": trade_key(0).id}, {"first", "later"}),
        ({"trader": "beta"}, set()),
    ):
        said = operator.get(LOG, where).content.decode()
        assert {reason for reason in ("first", "later", "third") if f">{reason}<" in said} == shown


def test_the_log_is_read_page_after_page(operator: Client) -> None:
    for _ in range(26):
        aside(trade_key(0))
        undone(trade_key(0))
    first = operator.get(LOG)
    assert first.content.decode().count('class="c-row"') == 50
    older = first.content.decode().split('href="?older=')[1].split('"')[0]
    assert operator.get(LOG, {"older": older}).content.decode().count('class="c-row"') == 2


def test_a_viewer_sees_no_button_and_may_not(decision: RecordKey) -> None:
    viewer = browser_of(Role.VIEWER)
    for page in (viewer.get(TRADES), viewer.get(ticket(trade_key(0))), viewer.get(LOG)):
        assert SET not in page.content.decode()
    assert viewer.post(SET, chosen(trade_key(0), step="save", reason="x")).status_code == 403
    assert not RecordExclusion.objects.exists()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "Choose at least one row."),
        ({"kind": "trade"}, "Choose at least one row."),
        ({"kind": "order", "id": "1"}, "not one of the available choices"),
        ({"kind": "trade", "id": "nothing"}, "there is no trade nothing"),
        ({"kind": "decision", "id": "9" * 40}, "there is no decision"),
        ({"kind": "trade", "id": "x" * 301}, "at most 300 characters"),
    ],
)
def test_what_cannot_be_meant_leads_back_with_a_word(operator: Client, asked: dict[str, str], said: str) -> None:
    for send in (operator.get, operator.post):
        page: Any = send(SET, asked, follow=True)
        assert page.status_code == 200
        assert said in text_of(page)


def test_a_row_set_aside_meanwhile_is_said_and_kept(operator: Client) -> None:
    preview = operator.get(SET, chosen(trade_key(0)))
    aside(trade_key(0), reason="sooner")
    assert "1 row needed no change." in text_of(saved(operator, preview))
    assert [entry.reason for entry in RecordExclusion.objects.all()] == ["sooner"]


def test_a_position_whose_symbol_was_opened_again_is_not_included_again(operator: Client) -> None:
    [entry] = aside(POSITION).entries
    opened(detail=make_position(opened_ms=OPENED_MS + 9))
    assert "holds an open position in BTC already" in text_of(operator.get(SET, chosen(entry.key, undo="1")))


def test_a_row_that_cannot_be_read_is_set_aside_from_its_page(operator: Client) -> None:
    take_rules_away()
    Position.objects.update(
        detail={"entry": {"price": 1, "quantity": 1, "time_ms": OPENED_MS, "leverage": -5}, "orders": "none"}
    )
    page = operator.get("/admin/trading/trade/unreadable/").content.decode()
    assert f"{SET}?kind=position&amp;id=alpha%7CBTC" in page
    assert f"{SET}?kind=position&amp;id=alpha%7CBTC" in operator.get(ticket(POSITION)).content.decode()
    done = saved(operator, operator.get(SET, chosen(POSITION)))
    assert "Set aside by operator" in text_of(done)
    assert "alpha|BTC" not in operator.get("/admin/trading/trade/unreadable/").content.decode()
