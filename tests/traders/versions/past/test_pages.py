"""The fleet at a moment."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import new_trader, save_edit
from tests.traders.admin.browsing import FLEET, STEADY, TRADERS, hidden_fields, text_of
from tests.traders.conftest import Login
from tests.traders.controls.asking import ask
from traders.manager_yaml.reader import read_manager_yaml
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import flat_of
from traders.templatetags.display import moment_text
from traders.versions import services as configs
from traders.versions.past import services as as_of

pytestmark = pytest.mark.usefixtures("fleet")


@pytest.fixture
def then(fleet: None) -> str:
    """The moment before everything changed, as an address has it."""
    moment = moment_text(configs.existing("steady_long").changed_at)
    save_edit("steady_long", detail__risk__max_positions=9, detail__display_name="Bold Long")
    save_edit(FLEET_ID, detail__manager__allocation_strategy="equal")
    new_trader("later")
    return moment


def shown(client: Client, query: str) -> list[tuple[str, int, int]]:
    lines = client.get(f"{TRADERS}?{query}").context["fleet"].page.lines
    return [(line.config.config_id, line.config.version, line.version_now) for line in lines]


def test_the_list_is_the_fleet_at_that_moment(editor: Client, then: str) -> None:
    assert shown(editor, f"at={then}") == [("quick_short", 1, 1), ("steady_long", 1, 2)]

    said = text_of(editor.get(f"{TRADERS}?at={then}"))
    assert "This is the past : the fleet as of" in said
    assert "Steady Long steady_long v1 now v2" in said
    assert "Bold Long" not in said
    assert "40.00 % allocated 50.00 % free 10.00 % reserve" in said
    assert f"python manage.py config_at {then}" in said


def test_the_past_offers_nothing_to_edit(editor: Client, then: str) -> None:
    for url in (f"{TRADERS}?at={then}", f"{STEADY}past/?at={then}", f"{FLEET}past/?at={then}"):
        page = editor.get(url).content.decode()
        assert 'method="post"' not in page.partition('class="page"')[2]
        assert "Add trader" not in page
        assert "Save" not in page


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("q=STEADY", ["steady_long"]),
        ("q=bold", []),
        ("q=%25", []),
        ("retired=yes", []),
        ("retired=no&exchange=paper_trading", ["quick_short", "steady_long"]),
        ("market=elsewhere", []),
        ("llm=deepseek-chat&q=quick", ["quick_short"]),
        ("retired=perhaps&p=x", ["quick_short", "steady_long"]),
    ],
)
def test_traders_of_the_past_are_found(editor: Client, then: str, search: str, expected: list[str]) -> None:
    assert [name for name, *_versions in shown(editor, f"at={then}&{search}")] == expected


def test_pages_of_the_past_keep_the_moment(editor: Client, then: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(as_of, "PAGE", 1)

    page = editor.get(f"{TRADERS}?at={then}")
    second = dict(page.context["pages"])[2]
    assert shown(editor, second) == [("steady_long", 1, 2)]
    assert shown(editor, f"at={then}&p=99") == []


def test_before_the_first_trader_there_is_nothing(editor: Client) -> None:
    assert "There were no traders yet" in text_of(editor.get(f"{TRADERS}?at=2020-01-01T00:00"))


@pytest.mark.parametrize("at", ["", "soon", "2026-13-01", "2099-01-01T00:00", "0001-01-01T00:00%2B14:00"])
def test_what_is_no_moment_of_the_past_leads_back_and_says_why(editor: Client, at: str) -> None:
    for url in (TRADERS, f"{STEADY}past/", f"{TRADERS}past/bundle/"):
        answer = editor.get(f"{url}?at={at}", follow=True)
        assert answer.status_code == 200
        assert "no moment" in text_of(answer) or "yet to come" in text_of(answer)


def test_one_trader_is_shown_as_it_stood(editor: Client, then: str) -> None:
    said = text_of(editor.get(f"{STEADY}past/?at={then}"))
    assert "the trader as of" in said
    assert "Version 1 now version 2" in said
    assert "Max positions 3" in said
    assert "This trader did not exist yet" in text_of(editor.get(f"{TRADERS}later/past/?at={then}"))
    assert "the fleet's settings as of" in text_of(editor.get(f"{FLEET}past/?at={then}"))


@pytest.mark.parametrize(
    ("query", "traders"), [("", {"quick_short", "steady_long"}), ("&trader=steady_long", {"steady_long"})]
)
def test_the_past_is_exported_as_a_bundle_that_reads_back(
    editor: Client, then: str, tmp_path: Path, query: str, traders: set[str]
) -> None:
    before = configs.version("steady_long", 1)

    answer = editor.get(f"{TRADERS}past/bundle/?at={then}{query}")

    assert answer["Content-Type"] == "application/zip"
    ZipFile(BytesIO(answer.content)).extractall(tmp_path)
    (manager_yaml,) = tmp_path.glob("*/manager.yaml")
    found = read_manager_yaml(manager_yaml)
    assert set(found.traders) == traders
    assert flat_of(found.traders["steady_long"]) == before.flat


def test_an_export_of_nothing_says_why(editor: Client, then: str) -> None:
    answer = editor.get(f"{TRADERS}past/bundle/?at={then}&trader=later", follow=True)
    assert "Nothing to export: there is no trader 'later'." in text_of(answer)


def test_the_past_is_reached_from_a_history_and_a_change_set(editor: Client) -> None:
    stored = configs.existing("steady_long")
    at, before = moment_text(stored.changed_at), moment_text(stored.changed_at - timedelta(microseconds=1))

    history = editor.get(f"{STEADY}history/").content.decode()
    opened = editor.get(f"{TRADERS}changes/{stored.change_set}/").content.decode()

    quoted = at.replace(":", "%3A")
    assert f"{TRADERS}?at={quoted}" in history
    assert f"{TRADERS}?at={quoted}" in opened
    assert f"{TRADERS}?at={before.replace(':', '%3A')}" in opened


def test_the_past_costs_the_same_however_many_traders(editor: Client, then: str) -> None:
    now = moment_text(configs.existing("later").changed_at)
    with CaptureQueriesContext(connection) as few:
        editor.get(f"{TRADERS}?at={then}")
    with CaptureQueriesContext(connection) as many:
        editor.get(f"{TRADERS}?at={now}")
    assert len(many) == len(few)


def test_whoever_may_look_sees_the_past(login: Login, then: str) -> None:
    for url in (f"{TRADERS}?at={then}", f"{STEADY}past/?at={then}", f"{TRADERS}past/bundle/?at={then}"):
        assert login("viewer").get(url).status_code == 200
        assert login("outsider").get(url).status_code == 403
        assert login("anonymous").get(url).status_code == 302
    assert "Restore to this moment" not in text_of(login("viewer").get(f"{TRADERS}?at={then}"))


def test_the_version_that_was_pinned_then_is_shown_beside_the_newest(editor: Client, then: str) -> None:
    assert "pinned to" not in text_of(editor.get(f"{STEADY}past/?at={then}"))
    (pin,) = ask("pin", version=1)
    at = moment_text(pin.control.at)
    assert "pinned to version 1 then" in text_of(editor.get(f"{STEADY}past/?at={at}"))
    assert "pinned to v1 then" in text_of(editor.get(f"{TRADERS}?at={at}"))


def restored_from(client: Client, then: str, query: str) -> Any:
    return client.get(f"{TRADERS}restore-to/?at={then}&{query}", follow=True)


def ticks(page: Any) -> dict[str, bool]:
    return {name: ticked for name, _title, ticked in page.context["boxes"]}


def test_the_traders_ticked_in_the_past_are_restored_and_no_others(editor: Client, then: str) -> None:
    save_edit("quick_short", detail__risk__max_positions=8)
    assert editor.get(f"{TRADERS}?at={then}").content.decode().count('form="selection"') == 2
    page = restored_from(editor, then, "of=chosen&trader=quick_short")
    assert ticks(page) == {FLEET_ID: False, "quick_short": True, "steady_long": False}
    posted = {name: hidden_fields(page)[name] for name in ("seen", "previewed", "shown", "others")}
    typed = {"config": ["quick_short"], "path": sorted(page.context["form"].paths), "reason": "as it was"}
    url = f"{TRADERS}restore-to/?at={then}&of=chosen&trader=quick_short"
    editor.post(url, {**posted, **typed, "step": "save"})
    found = [configs.existing(name).flat["detail.risk.max_positions"] for name in ("quick_short", "steady_long")]
    assert found == [3, 9]


def test_all_that_match_in_the_past_are_ticked_and_the_filter_is_kept(editor: Client, then: str) -> None:
    save_edit("quick_short", detail__risk__max_positions=8)
    page = restored_from(editor, then, "of=chosen&all=1&q=QUICK&retired=no")
    assert ticks(page)["quick_short"]
    assert not ticks(page)["steady_long"]
    back = page.context["list_then"]
    assert back.endswith("&q=QUICK&retired=no")
    assert back.replace("&", "&amp;") in page.content.decode()
    assert shown(editor, back.partition("?")[2]) == [("quick_short", 1, 2)]


def test_chosen_traders_that_stand_as_they_did_are_left_out_and_named(editor: Client, then: str) -> None:
    page = restored_from(editor, then, "of=chosen&trader=quick_short&trader=ghost&trader=steady_long")
    assert ticks(page) == {FLEET_ID: False, "steady_long": True}
    assert "2 of the chosen traders stand as they did then, and are left out: ghost, quick_short" in text_of(page)
    page = restored_from(editor, then, "of=chosen&trader=quick_short")
    assert "Nothing is chosen" in text_of(page)


def test_a_restore_of_the_chosen_needs_a_tick(editor: Client, then: str) -> None:
    page = restored_from(editor, then, "of=chosen&q=quick")
    assert page.redirect_chain[0][0].startswith(f"{TRADERS}?at=")
    assert page.redirect_chain[0][0].endswith("q=quick")
    assert "Choose at least one trader: tick it in the list." in text_of(page)


def test_a_trader_retired_meanwhile_stays_retired_when_it_is_ticked(editor: Client, then: str) -> None:
    save_edit("steady_long", detail__retired=True)
    page = restored_from(editor, then, "of=chosen&trader=steady_long")
    [block] = page.context["blocks"]
    assert "detail.risk.max_positions" in [row.path for row in block.rows]
    assert "detail.retired" not in [row.path for row in block.rows]


def test_those_who_may_only_look_have_no_boxes(login: Login, then: str) -> None:
    assert 'form="selection"' not in login("viewer").get(f"{TRADERS}?at={then}").content.decode()
