"""What Django's own admin log holds of the saves of pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.test import Client

from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.admin.browsing import FLEET, STEADY, TRADERS, hidden_fields, save
from traders.schema.settings.fleet import FLEET_ID
from traders.versions import services as configs

pytestmark = pytest.mark.usefixtures("fleet")


def entries() -> list[tuple[Any, ...]]:
    """(model, id, text, flag, message) of each entry, oldest first."""
    return [
        (
            entry.content_type.model if entry.content_type else "",
            entry.object_id,
            entry.object_repr,
            entry.action_flag,
            entry.change_message,
        )
        for entry in LogEntry.objects.order_by("pk")
    ]


def test_a_saved_edit_is_one_entry_with_version_and_reason(editor: Client) -> None:
    save(editor, detail__risk__max_positions="4", reason="room for more")
    assert entries() == [("traderconfig", "steady_long", "steady_long", CHANGE, "v2: room for more")]


def test_fleet_settings_are_one_entry(login: Any) -> None:
    save(login("superuser"), FLEET_ID, detail__manager__total_equity_usd="25000", reason="deposit")
    assert [(model, pk, flag) for model, pk, _text, flag, _why in entries()] == [("managerconfig", "1", CHANGE)]


def test_a_preview_and_a_save_without_a_difference_are_no_entry(editor: Client) -> None:
    save(editor, reason="nothing")
    assert entries() == []


def test_a_restore_and_a_clone_are_one_entry_each(editor: Client) -> None:
    save_edit("steady_long", detail__risk__max_positions=4)
    page = editor.get(f"{STEADY}versions/1/restore/")
    editor.post(f"{STEADY}versions/1/restore/", hidden_fields(page) | {"reason": "back"})
    editor.post(f"{STEADY}clone/", {"new_id": "copy", "display_name": "Copy", "reason": "a try"})
    assert entries() == [
        ("traderconfig", "steady_long", "steady_long", CHANGE, "v3: back"),
        ("traderconfig", "copy", "copy", ADDITION, "v1: a try"),
    ]


def test_a_change_set_of_many_is_one_entry(editor: Client) -> None:
    url = f"{TRADERS}retire/?trader=steady_long&trader=grid_short"
    sync_traders(make_trader(), make_trader("grid_short"))
    page = editor.get(url)
    editor.post(url, hidden_fields(page) | {"step": "save", "reason": "done with it"})
    change_set = configs.existing("steady_long").change_set
    assert entries() == [
        ("traderconfig", None, f"Change set {change_set}", CHANGE, "done with it (grid_short, steady_long)")
    ]


def test_a_sync_is_no_entry(editor: Client) -> None:
    sync_traders(make_trader(detail__risk__max_positions=5))
    assert entries() == []
    assert editor.get(f"{FLEET}history/").status_code == 200
