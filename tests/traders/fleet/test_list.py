from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import make_trader, save_edit, sync_traders
from tests.rows_from_before import take_rules_away
from tests.traders.admin.browsing import CLOCK, TRADERS, text_of
from tests.traders.conftest import Login
from traders.models import TraderRuntimeState


def report(trader_id: str, **said: Any) -> None:
    """An engine's report, as it would write it."""
    said = {"active_config_version": 1, "is_running": True, "updated_at": timezone.now()} | said
    TraderRuntimeState.objects.filter(pk=trader_id).update(**said)


def rows(client: Client, query: str = "") -> list[dict[str, str]]:
    return rows_of(client.get(f"{TRADERS}?{query}"))


def rows_of(page: Any) -> list[dict[str, str]]:
    """The list as {column: what is read in it}, in the order of the page."""
    return [
        {header["name"]: CLOCK.sub("", " ".join(_words(str(cell)))) for header, cell in cells}
        for _row, _css_class, cells in page.context.get("rows") or ()
    ]


def ids(client: Client, query: str = "") -> list[str]:
    return ids_of(client.get(f"{TRADERS}?{query}"))


def ids_of(page: Any) -> list[str]:
    return [row["trader"].split()[-1] for row in rows_of(page)]


def _words(markup: str) -> list[str]:
    return re.sub(r"<[^>]+>", " ", markup).split()


@pytest.mark.usefixtures("fleet")
def test_each_trader_is_one_line(editor: Client) -> None:
    save_edit("steady_long", "mei", "cut leverage", detail__llm__decision_interval_seconds=5400)

    row = rows(editor)[1]
    assert row["trader"] == "Steady Long steady_long"
    assert row["state"].endswith("not reported")
    assert row["version_cell"] == "v2"
    assert row["providers"] == "paper_trading hyperliquid_testnet"
    assert row["llm_model"] == "deepseek-chat"
    assert row["every"] == "1 h 30 min"
    assert row["alloc"] == "20.00"
    assert row["last_change"] == "mei · just now cut leverage"


@pytest.mark.usefixtures("fleet")
def test_the_exact_time_is_on_hover(editor: Client) -> None:
    page = editor.get(TRADERS)
    moment = page.context["cl"].result_list[0].updated_at
    assert f'title="{moment:%Y-%m-%d %H:%M:%S} UTC"' in page.content.decode()


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ({}, "running"),
        ({"is_running": False}, "stopped"),
        ({"updated_at": datetime(2026, 1, 1, tzinfo=timezone.get_default_timezone())}, "stale"),
        ({"detail": {"pause": {"until": "2099-01-01T00:00:00Z", "reason": "sharpe"}}}, "paused"),
        ({"detail": {"pause": {"until": "soon"}}}, "running"),
    ],
)
def test_the_state_is_what_an_engine_reported(editor: Client, said: dict[str, Any], shown: str) -> None:
    take_rules_away()
    report("steady_long", **said)
    assert shown in rows(editor)[1]["state"]


@pytest.mark.usefixtures("fleet")
def test_an_old_report_says_how_old(editor: Client) -> None:
    report("steady_long", updated_at=timezone.now() - timedelta(hours=9))
    assert rows(editor)[1]["state"].endswith("stale 9 h ago")


@pytest.mark.usefixtures("fleet")
def test_a_version_that_waits_stands_beside_the_active_one(editor: Client) -> None:
    report("steady_long")
    save_edit("steady_long", detail__risk__max_positions=4)

    row = rows(editor)[1]
    assert row["version_cell"] == "v1 → v2"
    assert row["state"].endswith("pending")


@pytest.fixture
def mixed(db: None) -> None:
    sync_traders(
        make_trader("a_short", detail__display_name="Zebra", exchange_provider="okx", allocation_pct=Decimal("5")),
        make_trader("b_long", detail__display_name="Yak", market_provider="okx", allocation_pct=Decimal("9.5")),
        make_trader("c_old", detail__display_name="Ant", detail__retired=True, detail__llm__model="gpt-9"),
        make_trader("d_default", detail__llm__model="", detail__llm__decision_interval_seconds=60),
    )
    report("a_short")


@pytest.mark.usefixtures("mixed")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["a_short", "b_long", "c_old", "d_default"]),
        ("q=zebr", ["a_short"]),
        ("q=B_LO", ["b_long"]),
        ("state=running", ["a_short"]),
        ("state=not_reported", ["b_long", "d_default"]),
        ("state=retired", ["c_old"]),
        ("state=stale", []),
        ("state=nonsense", ["a_short", "b_long", "c_old", "d_default"]),
        ("exchange=okx", ["a_short"]),
        ("market=okx", ["b_long"]),
        ("llm=gpt-9", ["c_old"]),
        ("llm=-", ["d_default"]),
        ("llm=deepseek-chat&retired=no", ["a_short", "b_long"]),
        ("retired=yes", ["c_old"]),
        ("retired=no&exchange=okx", ["a_short"]),
        ("exchange=&state=&q=", ["a_short", "b_long", "c_old", "d_default"]),
        ("o=0", ["a_short", "b_long", "c_old", "d_default"]),
        ("o=-0", ["d_default", "c_old", "b_long", "a_short"]),
        ("o=5", ["d_default", "c_old", "b_long", "a_short"]),
        ("o=6", ["a_short", "b_long", "d_default", "c_old"]),
        ("o=-6", ["d_default", "c_old", "b_long", "a_short"]),
        ("o=-6.0", ["d_default", "c_old", "b_long", "a_short"]),  # one column, then the id
        ("o=4", ["d_default", "b_long", "a_short", "c_old"]),
        ("q=%25", []),
    ],
)
def test_it_is_filtered_searched_and_ordered(editor: Client, query: str, found: list[str]) -> None:
    assert ids(editor, query) == found


@pytest.mark.usefixtures("mixed")
def test_the_fleets_allocation_counts_who_is_not_retired(editor: Client) -> None:
    said = text_of(editor.get(TRADERS))
    assert "34.50 % allocated 55.50 % free 10.00 % reserve" in said
    assert "4 of 4" in said


@pytest.mark.usefixtures("mixed")
def test_no_match_offers_all_traders(editor: Client) -> None:
    assert "No trader matches" in text_of(editor.get(f"{TRADERS}?q=nothing"))


def test_an_empty_fleet_says_what_to_do(login: Login) -> None:
    said = text_of(login("superuser").get(TRADERS))
    assert "python manage.py sync_traders etc/manager.yaml" in said
    assert "add a trader by hand" in said


@pytest.mark.plain
def test_the_number_of_queries_does_not_grow_with_the_fleet(editor: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert editor.get(TRADERS).status_code == 200
        return len(captured)

    many = [make_trader(f"t{n}", allocation_pct=Decimal("0.1")) for n in range(200)]
    sync_traders(*many[:60])  # more than a page: a list of one page asks for less
    few = queries()
    sync_traders(*many)
    assert queries() == few <= 23
    assert len(rows(editor)) == 50


def test_pages_follow_each_other_in_every_order(editor: Client) -> None:
    models = ("", "gpt-9", "deepseek-chat")
    sync_traders(
        *(make_trader(f"t{n:03}", allocation_pct=Decimal("0.1"), detail__llm__model=models[n % 3]) for n in range(120))
    )
    for order in (0, 2, 3, 4, 5, 6, 7):
        for query in (f"o={order}", f"o=-{order}&retired=no"):
            page = editor.get(f"{TRADERS}?{query}")
            seen, pages = ids_of(page), 1
            while older := page.context["cl"].older_url:
                page = editor.get(f"{TRADERS}{older}")
                seen, pages = seen + ids_of(page), pages + 1
            assert (sorted(seen), pages) == ([f"t{n:03}" for n in range(120)], 3), query
            assert "120 of 120" in text_of(page)


def test_a_later_page_skips_no_rows_in_the_database(editor: Client) -> None:
    sync_traders(*(make_trader(f"t{n:03}", allocation_pct=Decimal("0.1")) for n in range(120)))
    with CaptureQueriesContext(connection) as captured:
        assert ids(editor, "older=t099")[0] == "t100"
    assert not any("OFFSET" in query["sql"] for query in captured.captured_queries)


def test_the_list_of_a_page_does_not_read_whole_configurations(editor: Client) -> None:
    sync_traders(make_trader())
    with CaptureQueriesContext(connection) as captured:
        editor.get(TRADERS)
    # To ask whether it holds something is no reading of it.
    read = [query["sql"].replace('"trader_config"."detail" @>', "") for query in captured.captured_queries]
    assert not any('"trader_config"."detail"' in sql for sql in read)
