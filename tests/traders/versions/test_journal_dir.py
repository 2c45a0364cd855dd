"""Where cycle files may go: below the journal root, whichever way a value comes; a stored one can be edited away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.factories import make_file, make_trader, save_edit, sync_traders
from tests.traders.manager_yaml.sample import MANAGER, line_of, write_sample
from traders.manager_yaml.file import InvalidFile
from traders.manager_yaml.reader import read_manager_yaml
from traders.models import TraderConfigVersion
from traders.schema.problems import InvalidConfig
from traders.schema.settings.journal import DIR_PATH
from traders.sync.services import sync
from traders.versions import services as configs
from traders.versions.bulk.rules import BulkVerb, Operation
from traders.versions.bulk.services import propose_bulk, save_bulk
from traders.versions.lifecycle import services as lifecycle
from traders.versions.restore import services as restore
from traders.versions.undo import services as undo
from traders.versions.undo.services import UndoScope

pytestmark = pytest.mark.django_db(transaction=True)

BAD = "/etc/cron.d"
WHO: dict[str, Any] = {"reason": "why not", "actor": "mei"}


@pytest.fixture(autouse=True)
def once_bad(db: None) -> None:
    """Version 1 was stored before there was a rule; version 2 is right."""
    sync_traders(make_trader(detail__journal__dir="journal/a"), make_trader("swift_short"))
    _store_bad()
    save_edit("steady_long", detail__journal__dir="journal/b")


def _store_bad() -> None:
    """Writes the directory into the newest version, as a release without the rule would have."""
    with connection.cursor() as cursor:
        for table in ("trader_config", "trader_config_versions"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            cursor.execute(
                f"UPDATE {table} SET detail = jsonb_set(detail, '{{journal,dir}}', %s) WHERE id = 'steady_long'",
                [f'"{BAD}"'],
            )
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def _edit() -> Any:
    return save_edit("steady_long", detail__journal__dir=BAD)


def _restore() -> Any:
    return restore.restore(config_id="steady_long", version=1, expected_version=2, **WHO)


def _undo() -> Any:
    stored = configs.existing("steady_long")
    return undo.undo(change_set=stored.change_set, scope=UndoScope(), seen={"steady_long": 2}, **WHO)


def _restore_to() -> Any:
    moment = configs.version("steady_long", 1).changed_at
    return undo.restore_to(moment=moment, scope=UndoScope(), seen={"steady_long": 2}, **WHO)


def _bulk() -> Any:
    operations = [Operation(DIR_PATH, BulkVerb.SET, "../../etc")]
    ids = ["steady_long", "swift_short"]
    assert propose_bulk(trader_ids=ids, operations=operations).problems
    return save_bulk(trader_ids=ids, operations=operations, seen={"steady_long": 2, "swift_short": 1}, **WHO)


def _clone() -> Any:
    return lifecycle.clone(trader_id="steady_long", version=1, new_id="copy", **WHO)


@pytest.mark.parametrize("door", [_edit, _restore, _undo, _restore_to, _bulk, _clone])
def test_no_door_takes_a_directory_outside_of_the_root(door: Callable[[], Any]) -> None:
    before = TraderConfigVersion.objects.count()
    with pytest.raises(InvalidConfig) as refused:
        door()
    assert {problem.path for problem in refused.value.problems} == {DIR_PATH}
    assert TraderConfigVersion.objects.count() == before


def test_what_is_stored_is_read_hinders_no_other_change_and_is_edited_away() -> None:
    save_edit("steady_long", detail__risk__max_positions=4)
    _store_bad()
    assert configs.existing("steady_long").flat[DIR_PATH] == BAD

    save_edit("steady_long", detail__risk__max_positions=5)
    seen = lifecycle.propose_retirement(trader_ids=["steady_long"], retired=True).seen
    lifecycle.set_retired(trader_ids=["steady_long"], retired=True, seen=seen, **WHO)
    sync(file=make_file(make_trader(allocation_pct=5), make_trader("swift_short")), actor="cli")
    assert configs.existing("steady_long").flat[DIR_PATH] == BAD

    save_edit("steady_long", detail__journal__dir="")
    assert configs.existing("steady_long").flat[DIR_PATH] == ""


def test_a_file_is_refused_with_its_name_the_trader_and_the_line(tmp_path: Path) -> None:
    manager = MANAGER.replace("    model:", f"    journal_dir: {BAD}\n    model:", 1)
    line = line_of(manager, BAD)

    with pytest.raises(InvalidFile) as refused:
        read_manager_yaml(write_sample(tmp_path, manager))

    said = str(refused.value)
    for part in ("manager.yaml", "trader_x", "journal_dir", str(line), "must be a path below the journal root"):
        assert part in said


def test_a_link_does_not_lead_out_of_the_root(tmp_path: Path, settings: Any) -> None:
    settings.JOURNAL_ROOT = tmp_path / "root"
    settings.JOURNAL_ROOT.mkdir()
    (settings.JOURNAL_ROOT / "out").symlink_to(tmp_path)
    (settings.JOURNAL_ROOT / "loop").symlink_to("loop")
    (settings.JOURNAL_ROOT / "in").symlink_to("real")

    with pytest.raises(InvalidConfig, match="by a link"):
        save_edit("steady_long", detail__journal__dir="out/cron.d")
    save_edit("steady_long", detail__journal__dir="in/a")
    save_edit("steady_long", detail__journal__dir="journal/${HOST}")
    save_edit("steady_long", detail__journal__dir="loop/x")


def test_a_trader_without_a_directory_asks_the_file_system_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(*_: object) -> str:
        raise AssertionError("the file system was asked")

    monkeypatch.setattr("traders.versions.edit.services.realpath", ask)

    sync_traders(make_trader("calm_long", detail__journal__dir=""))
