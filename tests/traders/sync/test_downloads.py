"""Bundles to take along, and that they come back without a change."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from django.test import Client

from tests.factories import save_edit
from tests.traders.admin.browsing import STEADY, TRADERS, text_of
from tests.traders.conftest import Login
from traders.manager_yaml.file import ManagerFile
from traders.manager_yaml.reader import read_manager_yaml

URL = f"{TRADERS}download/"

pytestmark = pytest.mark.usefixtures("fleet")


def read(answer: object, directory: Path) -> ManagerFile:
    with ZipFile(BytesIO(answer.content)) as archive:  # type: ignore[attr-defined]
        archive.extractall(directory)
    (found,) = directory.glob("*/manager.yaml")
    return read_manager_yaml(found)


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", {"steady_long", "quick_short"}),
        ("?trader=quick_short", {"quick_short"}),
        ("?all=1&q=steady_long", {"steady_long"}),
    ],
)
def test_the_whole_fleet_those_chosen_or_all_that_match(
    editor: Client, tmp_path: Path, query: str, ids: set[str]
) -> None:
    answer = editor.get(URL + query)
    assert answer["Content-Type"] == "application/zip"
    assert answer["Content-Disposition"].startswith('attachment; filename="fleet-')
    assert set(read(answer, tmp_path).traders) == ids


def test_one_trader_as_it_stands_or_in_a_version(editor: Client, tmp_path: Path) -> None:
    save_edit("steady_long", detail__risk__max_positions=9)
    now = editor.get(f"{STEADY}download/")
    then = editor.get(f"{STEADY}versions/1/download/")
    assert 'filename="steady_long.zip"' in now["Content-Disposition"]
    assert 'filename="steady_long-v1.zip"' in then["Content-Disposition"]
    positions = [
        read(answer, tmp_path / str(n)).traders["steady_long"].detail.risk.max_positions
        for n, answer in enumerate((now, then))
    ]
    assert positions == [9, 3]


@pytest.mark.parametrize("query", ["all=1&q=nothing", "all=1&colour=red"])
def test_a_filter_that_matches_nobody_is_not_the_whole_fleet(editor: Client, query: str) -> None:
    assert "Choose at least one trader" in text_of(editor.get(f"{URL}?{query}", follow=True))


def test_what_is_not_there_is_said(editor: Client) -> None:
    assert "steady_long has no version 9" in text_of(editor.get(f"{STEADY}versions/9/download/", follow=True))
    assert "there is no trader 'ghost'" in text_of(editor.get(f"{URL}?trader=ghost", follow=True))


def test_whoever_may_look_may_take_along(login: Login) -> None:
    for url in (URL, f"{STEADY}download/", f"{STEADY}versions/1/download/"):
        assert login("viewer").get(url).status_code == 200
        assert login("outsider").get(url).status_code == 403
        assert login("anonymous").get(url).status_code == 302
