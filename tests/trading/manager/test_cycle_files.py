"""The cycle files that a trader asks for."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings as SettingsWrapper

from tests.factories import make_trader, sync_traders
from tests.manager_factories import ManagerAtWork, opens
from traders.schema import jsonio
from trading.imports.journal_files.record import read_cycle
from trading.models import DecisionJournal

pytestmark = pytest.mark.django_db


def test_the_file_of_a_cycle_reads_as_the_decision_that_was_recorded(tmp_path: Path, settings: SettingsWrapper) -> None:
    settings.JOURNAL_ROOT = tmp_path
    sync_traders(make_trader(detail__auto_start=True, detail__journal__enabled=True))
    ManagerAtWork(says=opens()).take("steady_long")
    [path] = (tmp_path / "journal" / "steady_long").iterdir()
    found = read_cycle(jsonio.loads(path.read_bytes()), path.name)
    recorded = DecisionJournal.objects.get()
    assert (found.trader_id, found.version, found.success) == ("steady_long", 1, True)
    assert found.decided_at == recorded.decided_at
    stored = jsonio.loads(jsonio.dumps(found.detail.stored()))
    for part in ("account", "actions", "candidates", "decisions", "market"):
        assert stored[part] == recorded.detail[part]


def test_without_the_setting_there_is_no_file(tmp_path: Path, settings: SettingsWrapper) -> None:
    settings.JOURNAL_ROOT = tmp_path
    sync_traders(make_trader(detail__auto_start=True))
    ManagerAtWork().take("steady_long")
    assert list(tmp_path.iterdir()) == []


def test_two_traders_of_one_directory_keep_a_file_each(tmp_path: Path, settings: SettingsWrapper) -> None:
    settings.JOURNAL_ROOT = tmp_path
    both = ("ann", "bob")
    wish = {"detail__auto_start": True, "detail__journal__enabled": True, "detail__journal__dir": "both"}
    sync_traders(*(make_trader(name, allocation_pct=10, **wish) for name in both))
    work = ManagerAtWork(says=opens())
    for name in both:
        work.take(name)
    found = sorted((tmp_path / "both").iterdir())
    assert [jsonio.loads(path.read_bytes())["trader_id"] for path in found] == ["ann", "bob"]
    assert found[1].name == f"{found[0].stem}_bob.json"
    assert all(path.match("cycle_*.json") for path in found)
