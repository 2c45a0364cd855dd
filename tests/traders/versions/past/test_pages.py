"""The fleet at a moment."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import new_trader, save_edit
from tests.traders.admin.browsing import FLEET, STEADY, TRADERS, text_of
from tests.traders.conftest import Login
from traders.manager_yaml.reader import read_manager_yaml
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import flat_of
from traders.templatetags.desk import moment_text
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
    assert "This is the past : the fleet as it stood at" in said
    assert "Steady Long steady_long v1 now v2" in said
    assert "Bold Long" not in said
    assert "40.00 % allocated 50.00 % free 10.00 % reserve" in said
    assert f"python manage.py config_at {then}" in said


def test_the_past_offers_nothing_to_edit(editor: Client, then: str) -> None:
    for url in (f"{TRADERS}?at={then}", f"{STEADY}past/?at={then}", f"{FLEET}past/?at={then}"):
        page = editor.get(url).content.decode()
        assert 'method="post"' not in page.partition('class="desk"')[2]
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
    assert "the trader as it stood at" in said
    assert "Version 1 now version 2" in said
    assert "Max positions 3" in said
    assert "This trader did not exist yet" in text_of(editor.get(f"{TRADERS}later/past/?at={then}"))
    assert "the fleet's settings as they stood at" in text_of(editor.get(f"{FLEET}past/?at={then}"))


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
