from __future__ import annotations

import pytest
from django.test import Client

from tests.factories import save_edit
from tests.traders.admin.browsing import FLEET, form_data, text_of
from tests.traders.conftest import Login
from traders.schema.settings.fleet import FLEET_ID
from traders.versions import services as configs


@pytest.mark.usefixtures("fleet")
def test_the_first_page_shows_the_fleet_and_what_changed_last(editor: Client) -> None:
    save_edit("steady_long", "mei", "cut leverage", detail__risk__major_coin_leverage=10)

    said = text_of(editor.get("/admin/"))
    assert "40.00 % allocated 50.00 % free 10.00 % reserve" in said
    assert "2 traders 0 retired 0 open conflicts" in said
    assert (
        "mei page just now cut leverage steady_long Risk - major coin leverage: 20x → 10x shield lowers risk View"
        in said
    )
    assert "cli:test sync just now initial 3 configurations: " in said


def test_an_empty_site_says_what_to_do_first(login: Login) -> None:
    assert "python manage.py sync_traders etc/manager.yaml" in text_of(login("superuser").get("/admin/"))


@pytest.mark.usefixtures("fleet")
def test_whoever_may_not_look_sees_nothing_of_the_fleet(login: Login) -> None:
    said = text_of(login("outsider").get("/admin/"))
    assert "allocated" not in said
    assert "ask an administrator" in said


def test_without_fleet_settings_the_form_makes_the_first(login: Login) -> None:
    assert "The fleet has no settings yet" in text_of(login("viewer").get(f"{FLEET}change/"))
    assert "The fleet has no settings yet" in text_of(login("editor").get(f"{FLEET}history/"))

    editor = login("editor")
    assert "fill them in here" in text_of(editor.get(f"{FLEET}change/"))
    data = {
        "expected_version": "0",
        "reason": "begin",
        "detail.manager.total_equity_usd": "10000",
        "detail.manager.reserve_equity_pct": "10",
        "detail.manager.rebalance_interval_seconds": "1h",
        "detail.manager.state_storage_backend": "file",
        "detail.manager.state_storage_path": "state.json",
        "detail.manager.fleet_max_daily_loss_pct": "0",
        "detail.manager.fleet_max_gross_exposure_x": "0",
        "detail.manager.fleet_max_net_exposure_pct_per_underlying": "0",
        "detail.monitoring.update_interval_seconds": "30s",
        "detail.monitoring.metrics_exporter": "prometheus",
    }
    assert "Save version 1" in text_of(editor.post(f"{FLEET}change/", data | {"step": "preview"}))
    editor.post(f"{FLEET}change/", data | {"step": "save"})
    assert configs.existing(FLEET_ID).version == 1
    assert form_data(FLEET_ID)["detail.manager.rebalance_interval_seconds"] == "1h"


def test_users_and_groups_are_kept_here(login: Login) -> None:
    superuser = login("superuser")
    for page in ("user/", "user/add/", "group/", "group/add/"):
        assert superuser.get(f"/admin/auth/{page}").status_code == 200


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize(
    ("page", "entry"),
    [
        ("/admin/", "Overview"),
        ("/admin/traders/traderconfig/", "Traders"),
        ("/admin/traders/traderconfig/steady_long/history/", "Traders"),
        ("/admin/traders/traderconfig/conflicts/", "Sync conflicts"),
        ("/admin/traders/traderconfig/changes/", "Change log"),
        ("/admin/traders/traderconfig/changes/?path=leverage", "Change log"),
        ("/admin/traders/managerconfig/1/change/", "Fleet settings"),
    ],
)
def test_the_menu_marks_the_one_entry_that_a_page_belongs_to(editor: Client, page: str, entry: str) -> None:
    groups = editor.get(page).context["sidebar_navigation"]
    assert [str(item["title"]) for group in groups for item in group["items"] if item["active"]] == [entry]
