from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client

from tests.factories import save_edit
from tests.traders.admin.browsing import FLEET, STEADY, hidden_fields, text_of
from traders.schema.settings.fleet import FLEET_ID
from traders.versions import services as configs

pytestmark = pytest.mark.usefixtures("fleet")

URL = f"{STEADY}versions/1/restore/"


@pytest.fixture(autouse=True)
def changed(fleet: None) -> None:
    save_edit("steady_long", "mei", "cut leverage", detail__risk__major_coin_leverage=10)


def test_an_older_version_is_previewed_and_restored(editor: Client) -> None:
    preview = editor.get(URL)
    said = text_of(preview)
    assert "Restore version 1 over version 2" in said
    assert "10x 20x shield raises risk" in said
    assert configs.existing("steady_long").version == 2

    done = editor.post(URL, hidden_fields(preview) | {"reason": "was better"}, follow=True)
    stored = configs.existing("steady_long")
    assert (stored.version, stored.flat["detail.risk.major_coin_leverage"]) == (3, 20)
    assert (stored.reason, stored.changed_by, stored.source) == ("was better", "editor", "restore")
    assert "Restored version 1 as version 3." in text_of(done)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1001])
def test_a_reason_is_required(editor: Client, reason: str) -> None:
    page = editor.post(URL, {"expected_version": "2", "reason": reason})
    assert page.context["form"].errors["reason"]
    assert configs.existing("steady_long").version == 2


def test_a_save_in_between_is_shown_first(editor: Client) -> None:
    preview = editor.get(URL)
    save_edit("steady_long", "lee", "meanwhile", detail__risk__max_positions=7)

    page = editor.post(URL, hidden_fields(preview) | {"reason": "was better"})
    said = text_of(page)
    assert "lee saved version 3" in said
    assert "7 3" in said
    assert configs.existing("steady_long").version == 3

    editor.post(URL, hidden_fields(page) | {"reason": "was better"})
    assert configs.existing("steady_long").flat["detail.risk.max_positions"] == 3


def test_what_the_fleet_has_no_room_for_is_refused(editor: Client) -> None:
    save_edit("steady_long", allocation_pct=Decimal("1"))
    save_edit("quick_short", allocation_pct=Decimal("85"))

    said = text_of(editor.get(URL))
    assert "cannot be restored unchanged" in said
    assert "Restore as version" not in said
    page = editor.post(URL, {"expected_version": "3", "reason": "x"})
    assert page.context["form"].non_field_errors()
    assert configs.existing("steady_long").version == 3


def test_a_version_that_equals_the_latest_has_nothing_to_restore(editor: Client) -> None:
    assert "Nothing differs" in text_of(editor.get(f"{STEADY}versions/2/restore/"))
    answer = editor.get(f"{STEADY}versions/9/restore/", follow=True)
    assert answer.redirect_chain == [(f"{STEADY}history/", 302)]


def test_a_restore_does_not_unretire_a_trader(editor: Client) -> None:
    save_edit("steady_long", detail__retired=True)
    assert "stays retired" in text_of(editor.get(URL))


def test_a_forged_post_is_refused(editor: Client) -> None:
    assert editor.post(URL, {"reason": "x", "expected_version": "two"}).status_code == 400


def test_the_fleets_settings_are_restored_the_same_way(editor: Client) -> None:
    save_edit(FLEET_ID, detail__manager__total_equity_usd=25000)
    url = f"{FLEET}versions/1/restore/"

    preview = editor.get(url)
    assert "25,000 USD 10,000 USD" in text_of(preview)
    editor.post(url, hidden_fields(preview) | {"reason": "a slip"})
    assert configs.existing(FLEET_ID).flat["detail.manager.total_equity_usd"] == 10000


def test_what_was_changed_in_between_may_be_kept(editor: Client) -> None:
    preview = editor.get(URL)
    save_edit("steady_long", "lee", "meanwhile", detail__risk__max_positions=7, detail__risk__altcoin_leverage=4)

    page = editor.post(URL, hidden_fields(preview) | {"reason": "was better"})
    assert "It undoes 2 settings that were changed meanwhile" in text_of(page)
    keep = {"keep": ["detail.risk.max_positions"]}
    again = editor.post(URL, hidden_fields(page) | keep | {"reason": ""})
    assert again.context["kept"] == keep["keep"]
    assert "lee saved version 3" in text_of(again)

    editor.post(URL, hidden_fields(again) | keep | {"reason": "was better"})
    flat = configs.existing("steady_long").flat
    assert (flat["detail.risk.max_positions"], flat["detail.risk.altcoin_leverage"]) == (7, 10)
    assert flat["detail.risk.major_coin_leverage"] == 20
