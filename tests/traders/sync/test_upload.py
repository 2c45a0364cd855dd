"""A manager.yaml or a bundle uploaded: planned, agreed to, synced, reported."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django.fixtures import Settings

from tests.factories import make_trader, new_trader, save_edit, sync_traders
from tests.traders.admin.browsing import TRADERS, hidden_fields, text_of
from tests.traders.conftest import Login
from tests.traders.controls.asking import ask
from traders.fleet import services as fleet_services
from traders.schema.settings.fleet import FLEET_ID
from traders.versions import services as configs

URL = f"{TRADERS}upload/"
DOWNLOAD = f"{TRADERS}download/"
POSITIONS = "detail.risk.max_positions"


@pytest.fixture
def server_files(db: None, settings: Settings, tmp_path: Path) -> Path:
    """Two synced traders with 40 % and 30 %; no file beside the server's manager.yaml."""
    settings.MANAGER_YAML = tmp_path / "etc" / "manager.yaml"
    settings.MANAGER_YAML.parent.mkdir()
    sync_traders(make_trader("a", allocation_pct=Decimal(40)), make_trader("b", allocation_pct=Decimal(30)))
    return Path(settings.MANAGER_YAML.parent)


pytestmark = pytest.mark.usefixtures("server_files")


def bundle(client: Client, query: str = "", *, change: tuple[str, str] | None = None, lone: bool = False) -> Any:
    """A downloaded bundle as somebody edited it, or its manager.yaml alone."""
    with ZipFile(BytesIO(client.get(DOWNLOAD + query).content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    (manager,) = (name for name in files if name.endswith("/manager.yaml"))
    if change:
        assert change[0] in files[manager].decode()
        files[manager] = files[manager].decode().replace(*change).encode()
    if lone:
        return SimpleUploadedFile("manager.yaml", files[manager])
    content = BytesIO()
    with ZipFile(content, "w") as made:
        for name, body in files.items():
            made.writestr(name, body)
    return SimpleUploadedFile("fleet.zip", content.getvalue())


MORE = ("max_positions: 3", "max_positions: 5")


def plan(client: Client, file: Any, **typed: str) -> Any:
    return client.post(URL, {"file": file, "step": "plan", **typed})


def apply(client: Client, page: Any, **typed: str) -> Any:
    return client.post(URL, hidden_fields(page) | {"step": "apply", "reason": "from the uploaded file"} | typed)


def positions() -> list[tuple[int, int]]:
    return [(at.version, at.flat[POSITIONS]) for at in (configs.existing("a"), configs.existing("b"))]


@pytest.mark.parametrize("lone", [True, False])
def test_the_plan_comes_first_and_the_same_report_afterwards(editor: Client, lone: bool) -> None:
    page = plan(editor, bundle(editor, change=MORE, lone=lone))
    said = text_of(page)
    assert "would make 2 new versions" in said
    assert "Risk - max positions: 3 → 5" in said
    assert positions() == [(1, 3), (1, 3)]

    done = apply(editor, page)
    said = text_of(done)
    assert "is synced: 2 new versions." in said
    assert "Risk - max positions: 3 → 5" in said
    assert positions() == [(2, 5), (2, 5)]
    a = configs.existing("a")
    assert (a.source, a.changed_by, a.reason) == ("sync", "editor", "from the uploaded file")
    assert a.change_set == configs.existing("b").change_set


def test_a_downloaded_bundle_changes_nothing(editor: Client) -> None:
    page = plan(editor, bundle(editor))
    assert "fleet.zip changes nothing" in text_of(page)
    assert "no version was made" in text_of(apply(editor, page))
    assert positions() == [(1, 3), (1, 3)]


def test_what_was_changed_here_stays_and_what_both_changed_is_a_conflict(editor: Client) -> None:
    file = bundle(editor, change=MORE)
    save_edit("a", detail__risk__max_positions=7)
    page = plan(editor, file)
    (conflict,) = page.context["conflicts"]
    assert (conflict.title, conflict.path, conflict.base, conflict.file, conflict.stored) == (
        *("a", POSITIONS),
        *("3", "5", "7"),
    )

    again = editor.post(URL, hidden_fields(page) | {"step": "plan", "prefer": "yaml", "reason": "kept while planning"})
    assert again.context["conflicts"] == []
    assert again.context["form"]["reason"].value() == "kept while planning"
    assert again.context["form"]["prefer"].value() == "yaml"
    apply(editor, again, prefer="yaml")
    assert positions() == [(3, 5), (2, 5)]


def test_conflicts_may_stay_open(editor: Client) -> None:
    file = bundle(editor, change=MORE)
    save_edit("a", detail__risk__max_positions=7)
    done = apply(editor, plan(editor, file))
    assert "Settle the conflicts" in text_of(done)
    assert fleet_services.overview().open_conflicts == 1
    assert positions() == [(2, 7), (2, 5)]


def test_missing_traders_are_named_and_retired_only_on_demand(editor: Client) -> None:
    file = bundle(editor, "?trader=a")
    page = plan(editor, file)
    assert [line.trader_id for line in page.context["missing"]] == ["b"]
    assert "stays as it is, with 30.00 % allocation" in text_of(page)

    again = editor.post(URL, hidden_fields(page) | {"step": "plan", "retire_missing": "on"})
    assert "updated, 1 of them retired" in text_of(again)
    apply(editor, again, retire_missing="on")
    assert configs.existing("b").flat["detail.retired"] is True


def test_new_traders_are_inserted(editor: Client) -> None:
    file = bundle(editor, "?trader=a", change=("id: a", "id: fresh"), lone=True)
    page = plan(editor, file, retire_missing="on")
    assert page.context["inserted"] == ["fresh"]
    assert (page.context["retired_count"], page.context["version_count"]) == (2, 3)
    apply(editor, page, retire_missing="on")
    assert configs.existing("fresh").flat["allocation_pct"] == 40


def test_what_the_fleet_has_no_room_for_is_told_and_other_options_help(editor: Client) -> None:
    file = bundle(editor, "?trader=a", change=("allocation_pct: 40", "allocation_pct: 80"), lone=True)
    page = plan(editor, file)
    said = text_of(page)
    assert "manager.yaml is refused." in said
    assert "fleet's sum 110" in said
    again = editor.post(URL, hidden_fields(page) | {"step": "plan", "retire_missing": "on"})
    assert "would make 2 new versions" in text_of(again)


def test_a_change_between_plan_and_sync_is_shown_first(editor: Client) -> None:
    page = plan(editor, bundle(editor, change=MORE))
    save_edit("b", "mei", "wider", detail__risk__max_positions=9)

    again = apply(editor, page)
    said = text_of(again)
    assert "Nothing was written; this is the plan now." in said
    assert again.context["conflict_count"] == 1
    assert again.context["form"]["reason"].value() == "from the uploaded file"
    assert positions() == [(1, 3), (2, 9)]
    apply(editor, again)
    assert positions() == [(2, 5), (2, 9)]


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1001, "key sk-" + "a1B2" * 12])
def test_a_reason_is_required(editor: Client, reason: str) -> None:
    page = apply(editor, plan(editor, bundle(editor, change=MORE)), reason=reason)
    assert page.context["form"].errors["reason"]
    assert positions() == [(1, 3), (1, 3)]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("manager.yaml", b"", "manager.yaml: is empty"),
        ("manager.yaml", b"traders: [", "manager.yaml:"),
        ("manager.yaml", b"\xff\xfe", "is UTF-16"),
        ("manager.yaml", b"manager: {}\ntraders: 3\n", "manager.yaml:2: traders must be a list of traders, was 3"),
        ("fleet.zip", b"PK\x03\x04 nonsense", "fleet.zip: is no zip that can be read"),
        ("<b>.yaml", b"x", "<b>.yaml:"),
    ],
)
def test_a_bad_file_is_refused_with_every_problem_at_its_line(
    editor: Client, name: str, content: bytes, message: str
) -> None:
    page = plan(editor, SimpleUploadedFile(name, content))
    said = text_of(page)
    assert message in said
    assert "/tmp" not in said
    assert b"<b>.yaml" not in page.content


def test_without_a_file_nothing_is_read(editor: Client) -> None:
    assert "Choose a manager.yaml" in text_of(editor.post(URL, {"step": "plan"}))


def test_the_names_beside_the_servers_file_apply(editor: Client, server_files: Path) -> None:
    (server_files / "exchange.yaml").write_text("providers:\n  okx: {type: sim}\n")
    assert "must be a provider of exchange.yaml (okx)" in text_of(plan(editor, bundle(editor, lone=True)))


def test_a_file_alone_takes_prompts_beside_the_servers_file_first(editor: Client, server_files: Path) -> None:
    file = bundle(editor, lone=True)
    (server_files / "prompts" / "manager").mkdir(parents=True)
    (server_files / "prompts" / "manager" / "long.tmpl").write_text("{{/* Version: v2.0.0 */}}\nBuy less.\n")
    page = plan(editor, file)
    assert "System prompt" in text_of(page) or "v2.0.0" in text_of(page)
    apply(editor, page)
    assert configs.existing("a").flat["detail.prompts.system_version"] == "v2.0.0"


@pytest.mark.parametrize("path", ["exchange.yaml", "secrets.tmpl", "../outside.tmpl"])
def test_no_other_file_of_the_server_can_be_named(editor: Client, server_files: Path, path: str) -> None:
    (server_files / "exchange.yaml").write_text("providers:\n  paper_trading: {api_key: not-for-you}\n")
    (server_files.parent / "outside.tmpl").write_text("not for you")
    (server_files / "secrets.tmpl").symlink_to(server_files.parent / "outside.tmpl")
    page = plan(editor, bundle(editor, change=("prompts/manager/long.tmpl", path), lone=True))
    assert "is refused" in text_of(page)
    assert b"not-for-you" not in page.content
    assert b"not for you" not in page.content


def test_a_prompt_that_the_bundle_lacks_is_told(editor: Client) -> None:
    page = plan(editor, bundle(editor, change=("prompts/manager/long.tmpl", "prompts/manager/other.tmpl")))
    assert "names 'prompts/manager/other.tmpl', but the bundle holds no such file" in text_of(page)


def test_another_persons_file_and_one_no_longer_kept_are_asked_for_again(editor: Client, login: Login) -> None:
    page = plan(editor, bundle(editor, change=MORE))
    said = text_of(apply(login("superuser"), page))
    assert "not kept any more: choose it again" in said
    cache.clear()
    assert "not kept any more: choose it again" in text_of(apply(editor, page))
    assert positions() == [(1, 3), (1, 3)]


def test_a_plan_is_needed_before_a_sync(editor: Client) -> None:
    page = plan(editor, bundle(editor, change=MORE))
    assert apply(editor, page, plan="").status_code == 400
    assert "Nothing was written" in text_of(apply(editor, page, plan="0" * 64))
    assert positions() == [(1, 3), (1, 3)]


def test_the_fleets_settings_are_planned_with_the_rest(editor: Client) -> None:
    page = plan(editor, bundle(editor, change=("reserve_equity_pct: 10", "reserve_equity_pct: 20")))
    assert [line.config_id for line in page.context["updated"]] == [FLEET_ID]
    assert "Fleet settings" in text_of(page)


def test_the_fleets_settings_need_their_own_right(editor: Client) -> None:
    file = bundle(editor, change=("reserve_equity_pct: 10", "reserve_equity_pct: 20"))
    others = bundle(editor, change=MORE)
    User.objects.get(username="editor").user_permissions.remove(Permission.objects.get(codename="change_managerconfig"))
    assert "changes the fleet's settings, which your account may not change" in text_of(plan(editor, file))
    apply(editor, plan(editor, others))
    assert positions() == [(2, 5), (2, 5)]


def test_only_whoever_may_do_all_of_it_uploads(login: Login) -> None:
    new_trader("mine", allocation_pct=Decimal(1))
    for role, status in (("viewer", 403), ("outsider", 403), ("anonymous", 302)):
        assert login(role).get(URL).status_code == status
        assert login(role).post(URL, {"step": "plan"}).status_code == status
    assert b"Upload manager.yaml" not in login("viewer").get(TRADERS).content
    assert b"Upload manager.yaml" in login("editor").get(TRADERS).content


def test_the_plan_and_the_report_say_which_new_versions_will_not_run(editor: Client) -> None:
    ask("pin", "a", version=1)
    page = plan(editor, bundle(editor, change=MORE))
    for shown in (page, apply(editor, page)):
        assert "Pinned to v1: will not run (a)." in text_of(shown)
