"""Snapshots as older programs stored them stay readable, comparable and restorable.

Never edit a golden file: history holds rows of exactly this shape. A new schema version gets a golden file of
its own beside the others.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from tests.factories import save_edit
from traders.schema import jsonio
from traders.schema.paths import EXTRA, Flat, diff, flatten, same
from traders.schema.settings.catalogue import FLEET_SETTINGS, TRADER_SETTINGS
from traders.schema.settings.fleet import FLEET_ID, FLEET_SCHEMA_VERSION
from traders.schema.settings.stored import SavedVersion
from traders.schema.settings.trader import SCHEMA_VERSION
from traders.schema.settings.upgrade import lift_fleet_detail, lift_trader_detail
from traders.versions import services as configs
from traders.versions.restore import services as restore

TRADER_FILES = sorted(Path(__file__).parent.glob("trader_schema_*.json"))
FLEET_FILES = sorted(Path(__file__).parent.glob("fleet_schema_*.json"))
every_trader = pytest.mark.parametrize("file", TRADER_FILES, ids=lambda file: file.stem)
every_fleet = pytest.mark.parametrize("file", FLEET_FILES, ids=lambda file: file.stem)


def test_every_schema_version_has_its_golden_file() -> None:
    assert [file.name for file in TRADER_FILES] == [f"trader_schema_{n}.json" for n in range(SCHEMA_VERSION + 1)]
    assert [file.name for file in FLEET_FILES] == [f"fleet_schema_{n}.json" for n in range(FLEET_SCHEMA_VERSION + 1)]


def test_the_newest_golden_file_holds_every_setting() -> None:
    """A new setting is a new shape: raise the schema version, add a step to `upgrade` and a golden file."""
    assert settings_in(TRADER_FILES[-1]) == set(TRADER_SETTINGS) - {EXTRA}
    assert settings_in(FLEET_FILES[-1]) == set(FLEET_SETTINGS) - {EXTRA}


@pytest.mark.django_db(transaction=True)
@every_trader
def test_a_trader_reads_as_it_was_stored(file: Path) -> None:
    snapshot = read(file)
    store_trader(snapshot)

    stored = configs.version(snapshot["id"], 1)

    for path, value in flatten(snapshot).items():
        assert same(stored.flat[path], value), path
    assert set(TRADER_SETTINGS) - {EXTRA} <= stored.flat.keys()


@pytest.mark.django_db(transaction=True)
def test_what_the_first_shape_did_not_know_reads_as_todays_default() -> None:
    snapshot = read(TRADER_FILES[0])
    store_trader(snapshot)

    flat = configs.version(snapshot["id"], 1).flat

    assert flat["detail.exec_guards.enable_value_band_guard"] is True
    assert flat["detail.exec_guards.candidate_limit"] == 10
    assert flat["detail.journal.enabled"] is False
    assert flat["detail.prompts.system_sha256"] is None
    assert flat["detail.retired"] is False
    assert flat["detail.paper_capital_usd"] == 0
    assert flat["detail.order.paper_commission_bps"] == Decimal("4.5")


@pytest.mark.django_db(transaction=True)
def test_digits_survive_being_stored() -> None:
    snapshot = read(TRADER_FILES[1])
    store_trader(snapshot)

    flat = configs.version(snapshot["id"], 1).flat

    assert str(flat["detail.extra.weights"]["BTC"]) == "0.123456789012345678901"
    assert str(flat["detail.risk.max_position_size_usd"]) == "500.12345678"
    assert flat["allocation_pct"] == Decimal("40.25")


@pytest.mark.django_db(transaction=True)
@every_trader
def test_a_trader_is_compared_and_restored(file: Path) -> None:
    snapshot = read(file)
    trader_id = snapshot["id"]
    store_trader(snapshot)
    edited = save_edit(trader_id, allocation_pct=Decimal("12.50"), detail__risk__min_confidence=60)
    assert edited is not None
    assert edited.version == 2

    old, new = configs.version(trader_id, 1), configs.version(trader_id, 2)
    assert {change.path: change.new for change in diff(old.flat, new.flat)} == {
        "allocation_pct": Decimal("12.50"),
        "detail.risk.min_confidence": 60,
    }
    assert new.changed_fields == ("allocation_pct", "detail.risk.min_confidence")

    restored = restore_first(trader_id, follows=2)
    assert restored is not None
    assert diff(configs.version(trader_id, 3).flat, old.flat) == []
    assert stored_detail("trader_config", trader_id)["schema_version"] == SCHEMA_VERSION


@pytest.mark.django_db(transaction=True)
@every_trader
def test_restoring_what_stands_makes_no_version(file: Path) -> None:
    snapshot = read(file)
    store_trader(snapshot)

    assert restore_first(snapshot["id"], follows=1) is None


@pytest.mark.django_db(transaction=True)
@every_fleet
def test_the_fleets_settings_are_read_compared_and_restored(file: Path) -> None:
    snapshot = read(file)
    store_fleet(snapshot)
    for path, value in flatten(snapshot).items():
        assert same(configs.version(FLEET_ID, 1).flat[path], value), path

    save_edit(FLEET_ID, detail__manager__reserve_equity_pct=Decimal("25"))
    changes = diff(configs.version(FLEET_ID, 1).flat, configs.version(FLEET_ID, 2).flat)
    assert [(change.path, change.old, change.new) for change in changes] == [
        ("detail.manager.reserve_equity_pct", 10, 25)
    ]

    assert restore_first(FLEET_ID, follows=2) is not None
    assert diff(configs.version(FLEET_ID, 3).flat, configs.version(FLEET_ID, 1).flat) == []


@pytest.mark.parametrize(
    ("lift", "newest"), [(lift_trader_detail, SCHEMA_VERSION), (lift_fleet_detail, FLEET_SCHEMA_VERSION)]
)
def test_a_shape_of_a_newer_program_is_refused(lift: Any, newest: int) -> None:
    expected = f"schema version 99 is newer than this program's {newest}; upgrade the program"
    with pytest.raises(ValueError, match=expected):
        lift({"schema_version": 99})


@every_trader
def test_lifting_leaves_the_snapshot_itself_alone(file: Path) -> None:
    detail = read(file)["detail"]

    lifted = lift_trader_detail(detail)

    assert detail == read(file)["detail"]
    assert lifted["schema_version"] == SCHEMA_VERSION


def read(file: Path) -> dict[str, Any]:
    snapshot: dict[str, Any] = jsonio.loads(file.read_text(encoding="utf-8"))
    return snapshot


def settings_in(file: Path) -> set[str]:
    flat: Flat = flatten(read(file))
    return {path for path in flat if not path.startswith(f"{EXTRA}.")}


def store_trader(snapshot: dict[str, Any]) -> None:
    """As an older program wrote it: the current version and its history row."""
    columns = "id, version, exchange_provider, market_provider, allocation_pct, detail"
    values = [snapshot[name.strip()] for name in columns.split(",")[:-1]] + [jsonio.dumps(snapshot["detail"])]
    _store("trader_config", columns, values)


def store_fleet(snapshot: dict[str, Any]) -> None:
    _store("manager_config", "version, detail", [snapshot["version"], jsonio.dumps(snapshot["detail"])])


def _store(table: str, columns: str, values: list[Any]) -> None:
    marks = ", ".join(["%s"] * len(values))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", values)
        cursor.execute(
            f"INSERT INTO {table}_versions ({columns}, change_set, source, history_date, history_type,"
            f" history_change_reason, history_user_id)"
            f" VALUES ({marks}, nextval('config_change_set_seq'), 'sync', clock_timestamp(), '+', 'initial', 'cli')",
            values,
        )


def restore_first(config_id: str, *, follows: int) -> SavedVersion | None:
    return restore.restore(
        config_id=config_id,
        version=1,
        expected_version=follows,
        reason="unchanged",
        actor="mei",
        may_change_fleet=True,
    )


def stored_detail(table: str, trader_id: str) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT detail::text FROM {table} WHERE id = %s", [trader_id])
        detail: dict[str, Any] = jsonio.loads(cursor.fetchone()[0])
    return detail
