from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.factories import make_file, make_trader, save_edit, sync_traders
from tests.traders.admin.browsing import STEADY, TRADERS, hidden_fields, text_of
from tests.traders.conftest import Login
from traders.models import PromptText
from traders.schema.prompts import PromptFile, read_prompt
from traders.sync.conflicts.services import open_conflicts
from traders.sync.services import sync
from traders.versions import services as configs

URL = f"{TRADERS}conflicts/"
POSITIONS, LEVERAGE = "detail.risk.max_positions", "detail.risk.altcoin_leverage"


@pytest.fixture
def conflicts(db: None) -> None:
    sync_traders(make_trader())
    save_edit("steady_long", detail__risk__max_positions=4, detail__risk__altcoin_leverage=3)
    changed = make_trader(detail__risk__max_positions=5, detail__risk__altcoin_leverage=6)
    sync(file=make_file(changed), actor="cli:mei")


def choice(path: str) -> str:
    return f"choice:steady_long:{path}"


@pytest.mark.usefixtures("conflicts")
def test_every_conflict_shows_its_three_values(editor: Client) -> None:
    said = text_of(editor.get(URL))
    assert "Risk - max positions detail.risk.max_positions 3 5 4" in said
    assert "2 settings were changed both in manager.yaml and here" in text_of(editor.get(TRADERS))
    assert "2 settings were changed" in text_of(editor.get(f"{STEADY}change/"))


@pytest.mark.usefixtures("conflicts")
def test_each_is_settled_by_its_choice(editor: Client) -> None:
    page = editor.get(URL)
    data = {choice(POSITIONS): "yaml", choice(LEVERAGE): "db", "reason": "one each"}
    done = editor.post(URL, hidden_fields(page) | data, follow=True)

    assert "Settled 2 conflicts, 1 new version." in text_of(done)
    assert "No open conflicts" in text_of(done)
    stored = configs.existing("steady_long")
    assert (stored.version, stored.flat[POSITIONS], stored.flat[LEVERAGE]) == (3, 5, 3)
    assert (stored.changed_by, stored.reason) == ("editor", "one each")


@pytest.mark.usefixtures("conflicts")
def test_one_may_be_left_open(editor: Client) -> None:
    page = editor.get(URL)
    editor.post(URL, hidden_fields(page) | {choice(POSITIONS): "yaml", "reason": "later"})
    assert [conflict.path for conflict in open_conflicts()] == [LEVERAGE]


@pytest.mark.usefixtures("conflicts")
def test_a_choice_and_a_reason_are_required_and_kept(editor: Client) -> None:
    seen = hidden_fields(editor.get(URL))
    assert "Choose a side" in text_of(editor.post(URL, seen | {"reason": "x"}))
    page = editor.post(URL, seen | {choice(POSITIONS): "yaml"})

    assert page.context["form"].errors["reason"]
    assert [line.chosen for line in page.context["blocks"][0].lines] == ["", "yaml"]
    assert len(open_conflicts()) == 2


@pytest.mark.usefixtures("conflicts")
def test_a_trader_saved_in_between_is_looked_at_again(editor: Client) -> None:
    seen = hidden_fields(editor.get(URL))
    save_edit("steady_long", "lee", detail__risk__max_positions=8)

    page = editor.post(URL, seen | {choice(POSITIONS): "yaml", "reason": "x"})
    assert "lee saved version 3" in text_of(page)
    assert configs.existing("steady_long").flat[POSITIONS] == 8


@pytest.mark.usefixtures("conflicts")
def test_a_forged_post_is_refused(editor: Client) -> None:
    assert editor.post(URL, {choice(POSITIONS): "yaml", "reason": "x"}).status_code == 400


def test_a_prompts_paths_are_one_choice(editor: Client) -> None:
    theirs = read_prompt("prompts/a.tmpl", b"{{/* Version: v1.0.0 */}}\nA\n")
    ours = read_prompt("prompts/b.tmpl", b"{{/* Version: v1.0.0 */}}\nB\n")

    def prompt(text: PromptFile) -> dict[str, Any]:
        stem = "detail.prompts.system"
        return {f"{stem}_template": text.path, f"{stem}_sha256": text.sha256}

    sync_traders(make_trader())
    PromptText.objects.create(sha256=ours.sha256, path=ours.path, version=ours.version, body=ours.body)
    save_edit("steady_long", **prompt(ours))
    sync(file=make_file(make_trader(**prompt(theirs)), prompts=(theirs,)), actor="cli")

    lines = editor.get(URL).context["blocks"][0].lines
    assert len(lines) >= 2
    assert sum(bool(line.name) for line in lines) == 1


def test_without_conflicts_it_says_so(login: Login) -> None:
    assert "No open conflicts" in text_of(login("viewer").get(URL))


@pytest.mark.usefixtures("conflicts")
def test_the_menu_counts_them(editor: Client) -> None:
    assert "Sync conflicts 2" in text_of(editor.get("/admin/"))


def test_the_menu_shows_no_mark_where_none_is_open(login: Login) -> None:
    menu = login("viewer").get("/admin/").content.decode()
    assert "bg-orange-100" not in menu
