"""What is stored does not depend on the language of the person: history, audit and alarms are read in both."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from tests.factories import make_trader, sync_traders
from tests.traders.admin.browsing import FLEET, STEADY, TRADERS, form_data, hidden_fields
from tests.trading.exclusion_record import record_alpha, trade_key
from traders.controls.services import Asked, control
from traders.models import ApiToken, AuditEntry, TraderConfigVersion, TraderControl
from traders.schema.controls.rows import ControlKind
from traders.schema.settings.fleet import FLEET_ID
from trading.alarms.watching.services import AlarmWatch
from trading.models import Alarm, AlarmChannel, RecordExclusion

LEVERAGE, POSITIONS = "detail.risk.major_coin_leverage", "detail.risk.max_positions"
EXCLUDE = "/admin/trading/recordexclusion/set/"
TOKENS = "/admin/traders/apitoken/add/"
CHINESE = "[\u4e00-\u9fff\uff01-\uff5e\u3001\u3002]"


@pytest.fixture
def reader(db: None, settings: Settings, tmp_path: Path) -> Client:
    """A superuser whose browser asks for Chinese."""
    settings.MANAGER_YAML = tmp_path / "etc" / "manager.yaml"
    settings.MANAGER_YAML.parent.mkdir()
    sync_traders(make_trader(detail__auto_start=True), make_trader("quick_short", detail__auto_start=True))
    client = Client(headers={"Accept-Language": "zh-CN"})
    client.force_login(User.objects.create_superuser("mei"))
    return client


def press(client: Client, url: str, **typed: Any) -> Any:
    """Opens the page, leaves the reason as it is filled in, and confirms."""
    page = client.get(url)
    assert page.headers["Content-Language"] == "zh-hans"
    filled = {"reason": page.context["form"]["reason"].value() or "because", "step": "save"}
    return client.post(url, hidden_fields(page) | filled | typed, follow=True)


def save(client: Client, config_id: str, url: str, **typed: Any) -> None:
    preview = client.post(url, form_data(config_id, **typed))
    client.post(url, hidden_fields(preview) | {"step": "save"}, follow=True)


def latest(trader_id: str = "steady_long") -> tuple[int, str]:
    found = TraderConfigVersion.objects.filter(id=trader_id).latest("version")
    return found.version, found.source


def stored_chinese() -> list[str]:
    """table.column of every text, list of texts and JSON that holds a Chinese character or sign."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables"
            " USING (table_schema, table_name) WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
            " AND data_type IN ('text', 'character varying', 'json', 'jsonb', 'ARRAY') ORDER BY 1, 2"
        )
        columns = cursor.fetchall()
        assert len(columns) > 60
        for table, column in columns:
            cursor.execute(f'SELECT count(*) FROM "{table}" WHERE "{column}"::text ~ %s', [CHINESE])
            if cursor.fetchone() != (0,):
                found.append(f"{table}.{column}")
    return found


def test_edits_and_what_undoes_them_are_stored_in_english(reader: Client) -> None:
    save(reader, "steady_long", f"{STEADY}change/", detail__risk__max_positions="4")
    assert latest() == (2, "admin")
    save(reader, FLEET_ID, f"{FLEET}change/", detail__manager__total_equity_usd="20000")

    bulk = {"chosen": "steady_long quick_short", "reason": "less", "step": "preview"}
    bulk |= {"op-0-path": LEVERAGE, "op-0-do": "PERCENT", "op-0-value": "-50"}
    preview = reader.post(f"{TRADERS}bulk/", bulk)
    reader.post(f"{TRADERS}bulk/", hidden_fields(preview) | {"step": "save"})
    assert latest("quick_short") == (2, "bulk")

    bulk_set = TraderConfigVersion.objects.filter(source="bulk").latest("change_set").change_set
    undo = f"{TRADERS}changes/{bulk_set}/undo/"
    page = reader.get(undo)
    choice = {"config": ["quick_short", "steady_long"], "path": [LEVERAGE], "reason": "wrong", "step": "save"}
    reader.post(undo, {name: hidden_fields(page)[name] for name in ("seen", "previewed")} | choice)
    assert latest("quick_short") == (3, "undo")

    press(reader, f"{STEADY}versions/1/restore/")
    assert latest() == (5, "restore")

    press(reader, f"{STEADY}clone/", new_id="copied", display_name="Copied", description="")
    assert latest("copied") == (1, "clone")
    press(reader, f"{TRADERS}retire/?trader=copied")
    assert latest("copied")[0] == 2
    assert stored_chinese() == []


def test_files_prompts_and_accounts_are_stored_in_english(reader: Client) -> None:
    with ZipFile(BytesIO(reader.get(f"{TRADERS}download/").content)) as archive:
        [manager] = (archive.read(name).decode() for name in archive.namelist() if name.endswith("/manager.yaml"))
    file = SimpleUploadedFile("manager.yaml", manager.replace("max_positions: 3", "max_positions: 5").encode())
    plan = reader.post(f"{TRADERS}upload/", {"file": file, "step": "plan"})
    reader.post(f"{TRADERS}upload/", hidden_fields(plan) | {"step": "apply", "reason": "from the file"}, follow=True)
    assert latest()[1] == "sync"

    form_id = hidden_fields(reader.get(TOKENS))["form_id"]
    typed = {"name": "engine-1", "scopes": ["read-config"], "lasts": "", "until": "", "form_id": form_id}
    reader.post(TOKENS, typed)
    token = ApiToken.objects.get()
    reader.post(f"/admin/traders/apitoken/{token.pk}/revoke/", {"step": "save"})

    reader.post("/admin/auth/group/add/", {"name": "Auditors"})
    passwords = {"usable_password": "true", "password1": "correct horse 9", "password2": "correct horse 9"}
    reader.post("/admin/auth/user/add/", {"username": "lee", "role": "Operator", **passwords})
    lee = User.objects.get(username="lee")
    reader.post(f"/admin/auth/user/{lee.pk}/change/", {"username": "lee", "role": "Viewer", "is_active": "on"})
    Client(headers={"Accept-Language": "zh-CN"}).post("/admin/login/", {"username": "lee", "password": "wrong"})
    assert Group.objects.filter(name="Auditors").exists()
    kinds = set(AuditEntry.objects.values_list("kind", flat=True))
    assert kinds >= {"account_made", "token_made", "login_failed", "group_changed"}
    assert stored_chinese() == []


def test_controls_alarms_and_rows_set_aside_are_stored_in_english(
    reader: Client, settings: Settings, tmp_path: Path
) -> None:
    for kind in ("pause", "stop", "drain"):
        press(reader, f"{TRADERS}control/{kind}/?trader=steady_long")
    press(reader, f"{TRADERS}control/start/?trader=steady_long")
    press(reader, f"{TRADERS}control/pin/?trader=steady_long", version="1")
    press(reader, f"{TRADERS}fleet-stop/")
    press(reader, f"{TRADERS}fleet-release/", word="release")
    assert set(TraderControl.objects.values_list("reason", flat=True)) == {"emergency", "because"}

    record_alpha()
    asked = {"kind": "trade", "id": trade_key(0).name}
    page = reader.get(EXCLUDE, asked)
    reader.post(EXCLUDE, hidden_fields(page) | {"reason": "wrong", "step": "save"})
    assert RecordExclusion.objects.exists()

    reader.post("/admin/trading/alarmchannel/add/", {"name": "ops", "kind": "email", "address": "ops@example.org"})
    AlarmChannel.objects.get_or_create(name="ops", kind="email", address="ops@example.org")
    reader.post("/admin/trading/alarmchannel/test/ops/")
    control(ControlKind.PAUSE, ["steady_long"], Asked(reason="to look", actor="mei"))
    settings.BACKUP_DIR = tmp_path
    AlarmWatch(tmp_path).look()
    assert Alarm.objects.exists()
    assert stored_chinese() == []
