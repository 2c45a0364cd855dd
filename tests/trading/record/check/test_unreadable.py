"""Pages of the record beside rows that cannot be read: the rows stand there as unreadable, the pages answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.urls import reverse
from hypothesis import given
from pytest_django.fixtures import Settings as SettingsWrapper

from tests.examples import few_examples
from tests.traders.admin.browsing import text_of
from tests.traders.admin.people import browser_of
from tests.trading.bad_rows import (
    add_decision,
    add_equity,
    add_position,
    add_trade,
    added,
    decision_detail,
    mutated,
    position_detail,
    trade_detail,
)
from tests.trading_factories import make_entry, make_position, make_trade
from traders.accounts.rules import Role
from trading.record.writing.decisions import record_decision
from trading.record.writing.positions import open_position
from trading.record.writing.trades import record_trade
from trading.schema.common import Side

TRADER = "steady_long"
PAGE = "/admin/trading/trade/unreadable/"


@pytest.fixture
def record(traders: None) -> dict[str, str]:
    """One readable row of each table, by the name of its model."""
    trade = make_trade()
    record_trade(trade)
    position = open_position(trader_id=TRADER, symbol="BTC", side=Side.LONG, detail=make_position())
    decision = record_decision(make_entry())
    return {"trade": trade.id, "position": position.id, "decisionjournal": str(decision.id)}


def ticket(model: str, row_id: str) -> str:
    name = f"{TRADER}|{row_id}" if model == "decisionjournal" else row_id
    return reverse(f"admin:trading_{model}_change", args=[name])


BAD: dict[str, Callable[[], str]] = {
    "trade": lambda: add_trade(TRADER, trade_detail(fills={"no": "list"})),
    "position": lambda: add_position(TRADER, position_detail(orders=[1])),
    "decisionjournal": lambda: add_decision(TRADER, decision_detail(usage="none")),
}


@pytest.mark.parametrize("model", BAD)
def test_a_list_names_a_row_that_cannot_be_read_among_the_others(
    viewer: Client, record: dict[str, str], model: str
) -> None:
    bad = BAD[model]()
    page = viewer.get(f"/admin/trading/{model}/")

    assert {str(row.id) for row in page.context["cl"].result_list} == {bad, record[model]}
    assert "unreadable" in text_of(page)
    assert "1 row of this page cannot be read." in text_of(page)
    assert f'href="{ticket(model, bad)}"' in page.text
    assert f'href="{PAGE}"' in page.text


@pytest.mark.parametrize("model", BAD)
def test_in_the_place_of_a_ticket_stands_why_there_is_none_and_the_row(
    viewer: Client, record: dict[str, str], model: str
) -> None:
    bad = BAD[model]()
    page = viewer.get(ticket(model, bad))

    assert page.status_code == 200
    assert "cannot be read by this release" in text_of(page)
    assert '"detail": {' in text_of(page)


@pytest.mark.parametrize(
    ("model", "add", "leaf", "value"),
    [
        ("trade", lambda: add_trade(TRADER, trade_detail(margin_mode="cross")), "detail.margin_mode", '"cross"'),
        ("position", lambda: add_position(TRADER, position_detail(margin_mode="cross")), "detail.margin_mode", "cross"),
        ("decisionjournal", lambda: add_decision(TRADER, decision_detail(build="9f")), "detail.build", '"9f"'),
    ],
)
def test_a_ticket_shows_what_this_release_does_not_know(
    viewer: Client, record: dict[str, str], model: str, add: Any, leaf: str, value: str
) -> None:
    page = viewer.get(ticket(model, add()))

    assert "Not known to this release" in text_of(page)
    assert leaf in text_of(page)
    assert value in text_of(page)


def test_a_decision_with_an_unknown_action_shows_its_word(viewer: Client, record: dict[str, str]) -> None:
    number = add_decision(TRADER, decision_detail(decisions=[{"symbol": "BTC", "action": "partial_close"}]))

    assert "partial_close" in text_of(viewer.get(ticket("decisionjournal", number)))
    assert "partial_close" in text_of(viewer.get("/admin/trading/decisionjournal/"))
    replay = viewer.get(f"/admin/trading/decisionjournal/{TRADER}|{number}/replay/")
    assert "detail.decisions[0].action is not known to this release." in text_of(replay)


def test_the_page_lists_each_unreadable_row_with_its_text(viewer: Client, record: dict[str, str]) -> None:
    ids = [add() for add in BAD.values()]
    equity = add_equity(TRADER, "NaN")
    page = viewer.get(PAGE)

    assert {shown.row.id for shown in page.context["rows"]} == {*ids, equity}
    for text in ("detail.fills", "detail.orders", "detail.usage", "equity_usd", '"equity_usd": "NaN"'):
        assert text in text_of(page)


def test_the_page_names_what_the_exporter_left_out(
    viewer: Client, record: dict[str, str], settings: SettingsWrapper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EXPORT_DIR = tmp_path
    bad = BAD["trade"]()
    call_command("export_json", once=True, dir=tmp_path)
    monkeypatch.setattr("trading.record.check.admin.check_record.newest_unreadable", lambda limit: [])
    page = viewer.get(PAGE)

    assert [shown.row.id for shown in page.context["rows"]] == [bad]
    assert "1 row of the record cannot be read" in text_of(viewer.get("/admin/trading/position/live/"))


def test_the_page_says_that_every_row_can_be_read(viewer: Client, record: dict[str, str]) -> None:
    assert "Every row that was read fits this release" in text_of(viewer.get(PAGE))


def test_only_those_who_may_see_the_record_see_the_page(record: dict[str, str]) -> None:
    assert Client().get(PAGE).status_code == 302
    assert browser_of(Role.VIEWER).get(PAGE).status_code == 200


@pytest.mark.parametrize("moment", ["infinity", "20000-01-01"])
def test_a_decision_of_a_time_that_python_cannot_hold_stops_no_page(
    viewer: Client, record: dict[str, str], moment: str
) -> None:
    number = add_decision(TRADER, decision_detail(), decided_at=moment)

    listed = viewer.get("/admin/trading/decisionjournal/").context["cl"].result_list
    assert {str(row.id) for row in listed} == {number, record["decisionjournal"]}
    assert "decided_at" in text_of(viewer.get(ticket("decisionjournal", number)))
    assert number in text_of(viewer.get(PAGE))


@pytest.mark.parametrize("close_ts_ms", [5_000, -5_000, 8 * 10**15, 9 * 10**18])
def test_a_trade_of_a_time_that_is_none_ends_no_list(
    viewer: Client, record: dict[str, str], close_ts_ms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = {"open_ts_ms": close_ts_ms, "close_ts_ms": close_ts_ms, "duration_seconds": 0}
    bad = add_trade(TRADER, trade_detail(time=time), close_ts_ms=close_ts_ms)
    monkeypatch.setattr("trading.admin.RecordAdmin.list_per_page", 1)

    first = viewer.get("/admin/trading/trade/")
    second = viewer.get(f"/admin/trading/trade/{first.context['cl'].older_url}")
    assert {row.id for page in (first, second) for row in page.context["cl"].result_list} == {bad, record["trade"]}


@given(trade=mutated(trade_detail()), position=mutated(position_detail()), decision=mutated(decision_detail()))
@few_examples()
def test_whatever_is_stored_stops_no_page(
    viewer: Client, record: dict[str, str], trade: Any, position: Any, decision: Any
) -> None:
    with transaction.atomic():
        rows = {
            "trade": added(lambda: add_trade(TRADER, trade)),
            "position": added(lambda: add_position(TRADER, position)),
            "decisionjournal": added(lambda: add_decision(TRADER, decision)),
        }
        for model, row_id in rows.items():
            # Without it the list of decisions shows those that did something.
            every = "?outcome=all" if model == "decisionjournal" else ""
            listed = viewer.get(f"/admin/trading/{model}/{every}").context["cl"].result_list
            assert {str(row.id) for row in listed} == {record[model], *filter(None, [row_id])}
            if row_id:
                assert viewer.get(ticket(model, row_id)).status_code == 200
            for file_format in ("csv", "json"):
                export = viewer.get(f"/admin/trading/{model}/export/{file_format}/{every}")
                assert record[model] in b"".join(export.streaming_content).decode()  # type: ignore[attr-defined]
        if number := rows["decisionjournal"]:
            assert viewer.get(f"/admin/trading/decisionjournal/{TRADER}|{number}/replay/").status_code == 200
        assert viewer.get(PAGE).status_code == 200
        assert viewer.get(f"/admin/traders/traderconfig/{TRADER}/history/").status_code == 200
        transaction.set_rollback(True)
