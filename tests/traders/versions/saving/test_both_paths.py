"""Both ways of writing versions give the same rows, and the database refuses writes that bypass `save()`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from simple_history.utils import bulk_create_with_history, bulk_update_with_history, update_change_reason

from tests.at_once import at_once
from tests.factories import make_fleet, make_trader, sync_traders
from tests.traders.database import direct
from traders.models import ManagerConfig, ManagerConfigVersion, TraderConfig, TraderConfigVersion
from traders.schema.settings.stored import NewVersion, trader_spec
from traders.versioned import change
from traders.versions.bulk.rules import BulkVerb, Operation
from traders.versions.bulk.services import propose_bulk, save_bulk
from traders.versions.rules.errors import AlreadyExists, ConcurrentChange
from traders.versions.writer import write_one

pytestmark = pytest.mark.django_db(transaction=True)

NO_MATCH = "the last row of trader_config_versions does not match it"
APPEND_ONLY = "refused: what was written stays as it is"
# Of the rows of both tables; ids, moments and change sets are each row's own.
COMPARED = (
    "version, exchange_provider, market_provider, allocation_pct, detail::text, created_by,"
    " created_at = (SELECT min(created_at) FROM trader_config_versions WHERE id = t.id)"
)


@pytest.fixture
def _traders() -> None:
    sync_traders(make_trader("a"), make_trader("b"), make_trader("c"))


def trader(trader_id: str = "a") -> TraderConfig:
    return TraderConfig.objects.get(pk=trader_id)


def bulk(trader_ids: set[str], positions: int) -> None:
    operations = [Operation("detail.risk.max_positions", BulkVerb.SET, positions)]
    seen = propose_bulk(trader_ids=trader_ids, operations=operations).seen
    save_bulk(trader_ids=trader_ids, operations=operations, seen=seen, reason="alike", actor="mei")


@pytest.mark.usefixtures("_traders")
def test_one_trader_and_many_are_written_as_the_same_rows() -> None:
    bulk({"a", "b"}, 5)
    row = trader("c")
    row.detail = {**row.detail, "risk": {**row.detail["risk"], "max_positions": 5}}
    row._change_reason, row._history_user = "alike", "mei"
    row.save()

    configs = [
        direct.rows(f"SELECT {COMPARED}, updated_at > created_at FROM trader_config t WHERE id = %s", name)
        for name in ("a", "c")
    ]
    versions = [
        direct.rows(
            f"SELECT {COMPARED}, changed_fields, history_change_reason, history_type, history_user_id, account_id,"
            " history_date = updated_at FROM trader_config_versions t WHERE id = %s ORDER BY version",
            name,
        )
        for name in ("a", "c")
    ]
    assert configs[0] == configs[1]
    assert versions[0] == versions[1]
    assert len(versions[0]) == 2


@pytest.mark.usefixtures("_traders")
def test_saves_and_the_bulk_writer_lose_no_version_between_them() -> None:
    done: list[str] = []

    def save(name: str, person: str, tries: int) -> None:
        for number in range(tries):
            row = trader(name)
            row.detail = {**row.detail, "description": f"{person} {number}"}
            row._change_reason = "race"
            try:
                row.save()
            except ConcurrentChange:
                continue
            done.append(name)

    def write(trader_ids: set[str], tries: int) -> None:
        for number in range(tries):
            bulk(trader_ids, 3 + number % 2)

    results = at_once(
        *(lambda name=name, person=person: save(name, person, 8) for name, person in ("ax", "ay", "bx", "cx")),
        lambda: write({"a", "b"}, 6),
        lambda: write({"b", "c"}, 6),
    )

    assert [result for result in results if result is not None] == []
    for name in ("a", "b", "c"):
        versions = list(TraderConfigVersion.objects.filter(id=name).order_by("version"))
        assert [version.version for version in versions] == list(range(1, trader(name).version + 1))
        saved = [version for version in versions if version.source == "python"]
        assert len(saved) == done.count(name)
        dates = [version.history_date for version in versions]
        assert dates == sorted(set(dates))
    assert done


@pytest.mark.usefixtures("_traders")
def test_a_save_announces_its_change_set_at_the_commit() -> None:
    with connection.cursor() as cursor:
        cursor.execute("LISTEN trader_config_changed")

    def save() -> None:
        with change(reason="review"):
            for name in ("a", "b"):
                row = trader(name)
                row.detail = {**row.detail, "description": "reviewed"}
                row.save()

    assert at_once(save) == [None]
    raw: Any = connection.connection
    change_set = TraderConfigVersion.objects.latest("history_id").change_set
    # It, and any that is too many.
    told = [*raw.notifies(timeout=60, stop_after=1), *raw.notifies(timeout=0.5)]
    assert [notice.payload for notice in told] == [f'{{"change_set":{change_set}}}']


def _update() -> None:
    TraderConfig.objects.filter(pk="a").update(allocation_pct=F("allocation_pct") - 1)


def _bulk_update() -> None:
    row = trader()
    row.exchange_provider = "other"
    TraderConfig.objects.bulk_update([row], ["exchange_provider"])


def _bulk_create() -> None:
    TraderConfig.objects.bulk_create([_fresh()])


def _raw_save() -> None:
    row = trader()
    row.exchange_provider = "other"
    row.save_base(raw=True)


def _update_or_insert_by_history() -> None:
    row = trader()
    row.exchange_provider = "other"
    bulk_update_with_history([row], TraderConfig, ["exchange_provider"], default_change_reason="x", default_user="y")


def _create_by_history() -> None:
    bulk_create_with_history([_fresh()], TraderConfig, default_change_reason="x", default_user="y")


def _fresh() -> TraderConfig:
    row = trader()
    row.pk, row.allocation_pct, row._state.adding = "fresh", Decimal(0), True
    return row


@pytest.mark.usefixtures("_traders")
@pytest.mark.parametrize("write", [_update, _bulk_update, _bulk_create, _raw_save])
def test_what_passes_save_by_is_refused_at_the_commit(write: Callable[[], None]) -> None:
    before = direct.rows("SELECT * FROM trader_config ORDER BY id")

    @transaction.atomic
    def attempt() -> None:
        write()
        assert direct.rows("SELECT * FROM trader_config ORDER BY id") != before

    with pytest.raises(IntegrityError, match=NO_MATCH):
        attempt()
    assert direct.rows("SELECT * FROM trader_config ORDER BY id") == before


@pytest.mark.usefixtures("_traders")
@pytest.mark.parametrize("write", [_update_or_insert_by_history, _create_by_history])
def test_the_bulk_helpers_of_simple_history_are_refused(write: Callable[[], None]) -> None:
    before = direct.rows("SELECT * FROM trader_config ORDER BY id")

    with pytest.raises(IntegrityError):
        write()

    assert direct.rows("SELECT * FROM trader_config ORDER BY id") == before
    assert TraderConfigVersion.objects.count() == 3


@pytest.mark.usefixtures("_traders")
def test_loaddata_is_refused_at_the_commit(tmp_path: Path) -> None:
    fixture = tmp_path / "traders.json"
    call_command("dumpdata", "traders.traderconfig", output=str(fixture))
    entries = json.loads(fixture.read_text())
    entries[0]["fields"]["exchange_provider"] = "other"
    fixture.write_text(json.dumps(entries))

    with pytest.raises(IntegrityError, match=NO_MATCH):
        call_command("loaddata", str(fixture))

    assert trader().exchange_provider != "other"


@pytest.mark.usefixtures("_traders")
def test_a_version_is_neither_saved_again_nor_deleted() -> None:
    version = TraderConfigVersion.objects.get(id="a")
    version.history_change_reason = "another"
    with pytest.raises(IntegrityError, match=APPEND_ONLY):
        version.save()
    with pytest.raises(IntegrityError, match=APPEND_ONLY):
        version.delete()
    with pytest.raises(IntegrityError, match=APPEND_ONLY):
        TraderConfigVersion.objects.update(source="x")
    with pytest.raises(IntegrityError, match=APPEND_ONLY):
        update_change_reason(trader(), "another")
    with pytest.raises(IntegrityError, match="does not match it|must follow|unique"):
        TraderConfigVersion.objects.bulk_create([_copy_of(version)])


def _copy_of(version: TraderConfigVersion) -> TraderConfigVersion:
    version.refresh_from_db()
    version.pk, version._state.adding = None, True
    return version


@pytest.mark.usefixtures("_traders")
def test_a_trader_is_not_deleted() -> None:
    with pytest.raises((IntegrityError, Exception), match="retired, never deleted|protected"):
        trader().delete()
    with pytest.raises((IntegrityError, Exception), match="retired, never deleted|protected"):
        TraderConfig.objects.all().delete()
    assert TraderConfig.objects.count() == 3


def test_a_program_that_moves_a_row_without_the_lock_is_noticed() -> None:
    with transaction.atomic():
        direct.insert_trader()
    row, stands = trader("direct"), trader("direct")
    with transaction.atomic():
        direct.next_version("direct", version=2, allocation_pct="11")
    row.market_provider, row._change_reason = "other", "mine"

    with pytest.raises(ConcurrentChange, match="stored in version 2"):
        row.save()
    new = NewVersion(trader_spec(row), 1, (), "mine")
    with pytest.raises(ConcurrentChange, match="changed meanwhile"), transaction.atomic():
        write_one(row, new, stands=stands, change_set=1, source="x", actor="mei")
    with pytest.raises(ConcurrentChange, match="changed meanwhile"), transaction.atomic():
        write_one(
            TraderConfig(id="direct"), replace(new, follows=0), stands=None, change_set=1, source="x", actor="mei"
        )
    assert trader("direct").version == 2


def test_the_first_settings_of_a_fleet_can_be_saved() -> None:
    row = ManagerConfig(detail=make_fleet().model_dump()["detail"])
    row.save()

    made = ManagerConfigVersion.objects.get()
    assert (row.pk, row.version, made.version, made.history_change_reason) == (1, 1, 1, "initial")
    with pytest.raises(AlreadyExists):
        ManagerConfig(detail=row.detail).save()
