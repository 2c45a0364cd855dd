"""What the pages of an edit and the history say of controls."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.admin.browsing import STEADY, TRADERS, change_url, form_data, hidden_fields, save, text_of
from tests.traders.admin.people import browser_of
from tests.traders.controls.asking import TRADER, ask, ask_fleet
from traders.accounts.rules import Role
from traders.controls.wanted import wanted_of_one
from traders.models import TraderControl
from traders.versions import services as configs

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> Client:
    sync_traders(make_trader(), make_trader("quick_short"))
    return browser_of(Role.OPERATOR)


def test_an_edit_of_a_pinned_trader_says_that_it_will_not_run(operator: Client) -> None:
    save_edit(TRADER, detail__risk__max_positions=5)
    ask("pin", version=1)
    preview = operator.post(change_url(TRADER), form_data(detail__risk__max_positions="6"))
    assert "Pinned to v1: will not run" in text_of(preview)
    assert "Pinned to v1: will not run (steady_long)." in text_of(save(operator, detail__risk__max_positions="6"))
    ask("unpin")
    assert "Pinned to" not in text_of(save(operator, detail__risk__max_positions="7"))


def test_controls_stand_in_the_history_of_a_trader(operator: Client) -> None:
    ask("pin", version=1, reason="it was good")
    ask("stop", "quick_short", reason="another one")
    ask_fleet("stop")
    words = text_of(operator.get(f"{STEADY}history/"))
    assert "pin v1 mei" in words
    assert "the fleet: stop" in words
    assert "another one" not in words


UNRUN = "Pinned to v1: will not run"


def by_restore(client: Client) -> tuple[Any, str, dict[str, Any]]:
    url = f"{STEADY}versions/1/restore/"
    return client.get(url), url, {}


def by_undo(client: Client) -> tuple[Any, str, dict[str, Any]]:
    url = f"{TRADERS}changes/{configs.existing(TRADER).change_set}/undo/"
    return client.get(url), url, {"step": "save", "config": [TRADER], "path": ["detail.risk.max_positions"]}


def by_bulk(client: Client) -> tuple[Any, str, dict[str, Any]]:
    url = f"{TRADERS}bulk/"
    typed = {
        "chosen": f"{TRADER} quick_short",
        "op-0-path": "detail.risk.max_positions",
        "op-0-do": "SET",
        "op-0-value": "2",
    }
    return client.post(url, typed | {"step": "preview", "reason": "calmer"}), url, {"step": "save"}


@pytest.mark.parametrize("change", [by_restore, by_undo, by_bulk])
def test_previews_and_saved_pages_of_other_ways_say_so_too(operator: Client, change: Callable[[Client], Any]) -> None:
    save_edit(TRADER, detail__risk__max_positions=5)
    ask("pin", version=1)
    preview, url, typed = change(operator)
    assert UNRUN in text_of(preview)
    done = operator.post(url, hidden_fields(preview) | {"reason": "as it was"} | typed, follow=True)
    assert configs.existing(TRADER).version == 3
    assert f"{UNRUN} (steady_long)." in text_of(done)
    assert wanted_of_one(TRADER).pinned_version == 1


def test_a_retirement_holds_whatever_is_pinned_so_its_page_does_not_say_so(operator: Client) -> None:
    ask("pin", version=1)
    assert "will not run" not in text_of(operator.get(f"{TRADERS}retire/?trader={TRADER}"))


def test_an_edit_that_lowers_risk_can_be_saved_and_unpinned(operator: Client) -> None:
    save_edit(TRADER, detail__risk__max_positions=9)
    ask("pin", version=1)
    preview = operator.post(change_url(TRADER), form_data(detail__risk__max_positions="4"))
    words = text_of(preview)
    assert "Unpinned, version 3 would run: 1 setting differs from v1" in words
    assert "Raises risk in 1 place" in words, "4 is less than the newest 9, and more than the pinned 3"
    done = operator.post(change_url(TRADER), hidden_fields(preview) | {"step": "save_and_unpin"}, follow=True)
    assert "Unpinned: version 3 runs." in text_of(done)
    assert (configs.existing(TRADER).version, wanted_of_one(TRADER).pin) == (3, None)
    row = TraderControl.objects.latest("id")
    assert (row.kind, row.reason, row.actor) == ("unpin", "because", "operator")


def test_one_that_raises_risk_or_leaves_it_cannot(operator: Client) -> None:
    ask("pin", version=1)
    for typed in ({"detail__risk__max_positions": "9"}, {"detail__description": "another"}):
        assert "Save and unpin" not in text_of(operator.post(change_url(TRADER), form_data(**typed)))
    ask("unpin")
    lower = operator.post(change_url(TRADER), form_data(detail__risk__max_positions="2"))
    assert "Save and unpin" not in text_of(lower)


def test_a_pin_that_moved_since_the_preview_is_not_ended(operator: Client) -> None:
    save_edit(TRADER, detail__risk__max_positions=9)
    ask("pin", version=1)
    preview = operator.post(change_url(TRADER), form_data(detail__risk__max_positions="4"))
    ask("pin", version=2)
    done = operator.post(change_url(TRADER), hidden_fields(preview) | {"step": "save_and_unpin"}, follow=True)
    assert "the pin was moved since the preview" in text_of(done).casefold()
    assert (configs.existing(TRADER).version, wanted_of_one(TRADER).pinned_version) == (2, 2)


def test_a_sync_says_what_will_not_run(tmp_path: Path) -> None:
    sync_traders(make_trader())
    ask("pin", version=1)
    out = StringIO()
    call_command("export_traders", "--dir", tmp_path, stdout=out)
    path = tmp_path / "manager.yaml"
    path.write_text(path.read_text().replace("max_positions: 3", "max_positions: 2"))
    with pytest.raises(SystemExit):
        call_command("sync_traders", path, "--check", stdout=out)
    assert "pinned     steady_long to version 1: will not run" in out.getvalue()
