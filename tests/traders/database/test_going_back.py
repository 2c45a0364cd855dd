"""Steps back and forth on a database with rows: nothing is dropped unasked, and what triggers keep is filled again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.management import CommandError
from django.db import connections, transaction
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings as SettingsWrapper

from tests.traders.database import direct, filled
from tests.traders.database.scratch import ScratchDatabase, scratch_database
from tests.traders.database.test_migrations import OURS, names_of, our_migrations, the_one_before
from tests.trading_factories import make_trade
from trading.record.writing import trades

pytestmark = pytest.mark.slow

# Made from the versions by the step forward, as they were.
FILLED_AGAIN = {"config_change_set_paths", "config_writes", "config_write_versions", "setting_risks"}


@pytest.fixture(scope="module")
def filled_once(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[ScratchDatabase]:
    with django_db_blocker.unblock(), scratch_database("filled") as database:
        database.migrate()
        filled.fill(database)
        yield database


@pytest.fixture
def full(filled_once: ScratchDatabase, django_db_blocker: DjangoDbBlocker) -> Iterator[ScratchDatabase]:
    """At every migration, with rows in every table; a copy for each test."""
    with django_db_blocker.unblock(), scratch_database(template=filled_once) as database:
        yield database


def test_every_table_has_rows_and_none_is_forgotten(full: ScratchDatabase) -> None:
    tables = {name for (name,) in filled.query(full, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    foreign = ("auth_", "axes_", "django_")
    assert {table for table in tables if not table.startswith(foreign)} - {"sync_conflicts"} == set(filled.TABLES)
    assert [table for table in filled.TABLES if filled.fingerprint(full, table)[0] == 0] == []


def test_reversing_an_index_of_the_traders_keeps_the_record(full: ScratchDatabase, settings: SettingsWrapper) -> None:
    settings.DROP_DATA = True
    before = {table: filled.fingerprint(full, table) for table in ("trades", "positions", "decision_journal")}

    full.migrate("traders", "0006")

    assert {table: filled.fingerprint(full, table) for table in before} == before


def test_a_step_back_that_would_drop_rows_names_them_and_does_nothing(full: ScratchDatabase) -> None:
    schema = full.schema()

    with pytest.raises(CommandError) as refused:
        full.migrate("trading", "zero")

    said = str(refused.value)
    for line in ("trades: 4 rows", "positions: 1 row", "decision_journal: 1 row", "version_results: 2 rows"):
        assert f"  {line}\n" in said
    assert "trader_config" not in said
    assert "NOF0_DROP_DATA=1" in said
    connections[full.alias].close()
    assert full.schema() == schema
    assert filled.fingerprint(full, "trades")[0] == 4


def test_a_table_that_a_migration_makes_in_sql_is_counted_too(full: ScratchDatabase) -> None:
    with pytest.raises(CommandError, match=r"config_change_set_paths: \d+ row"):
        full.migrate("traders", "0007")


def test_what_the_step_forward_makes_again_goes_back_unasked(full: ScratchDatabase, settings: SettingsWrapper) -> None:
    settings.DROP_DATA = True
    full.migrate("traders", "0025")
    settings.DROP_DATA = False

    full.migrate("traders", "0024")
    full.migrate()
    assert filled.fingerprint(full, "setting_risks")[0] > 20


@pytest.mark.parametrize("target", [["auth", "zero"], ["traders", "zero"], ["traders", "0001"]])
def test_every_app_and_every_depth_is_guarded(full: ScratchDatabase, target: list[str]) -> None:
    with pytest.raises(CommandError, match="would drop data"):
        full.migrate(*target)


@pytest.mark.faults
def test_an_empty_database_goes_back_unasked(scratch: ScratchDatabase) -> None:
    scratch.migrate()
    for app in reversed(OURS):
        scratch.migrate(app, "zero")
    assert filled.present(scratch) == []


def test_trades_recorded_in_between_are_in_the_sums(full: ScratchDatabase, settings: SettingsWrapper) -> None:
    settings.DROP_DATA = True
    full.migrate("trading", "0001")
    with filled.as_default(full):
        trades.record_trade(make_trade("b", net="7"))
    assert not filled.results_are_sums(full)

    full.migrate()

    assert filled.results_are_sums(full)


@pytest.mark.faults
def test_traders_made_in_between_get_their_runtime_row_and_their_paths(
    full: ScratchDatabase, settings: SettingsWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DROP_DATA = True
    monkeypatch.setattr(direct, "connection", connections[full.alias])
    full.migrate("traders", "0004")
    with transaction.atomic(using=full.alias):
        direct.insert_trader("c")
        direct.next_version("c", version=2)
    full.migrate()

    assert ("c",) in filled.query(full, "SELECT trader_id FROM trader_runtime_state")
    noted = "SELECT count(*) FROM config_change_set_paths"
    written = "SELECT count(DISTINCT (path, change_set)) FROM trader_config_versions, unnest(changed_fields) AS path"
    assert filled.query(full, noted) == filled.query(full, written)


@pytest.mark.faults
def test_change_sets_go_on_behind_those_that_are_stored(full: ScratchDatabase, settings: SettingsWrapper) -> None:
    settings.DROP_DATA = True
    newest = "SELECT max(change_set) FROM trader_config_versions"
    before = filled.query(full, newest)
    for app in reversed(OURS):
        full.migrate(app, "0001" if app == "traders" else "zero")
    full.migrate()

    [[number]] = filled.query(full, "SELECT nextval('config_change_set_seq')")
    assert (number - 1,) in before


@pytest.mark.faults
def test_each_step_back_and_forth_keeps_every_row_of_every_table_that_stays(
    full: ScratchDatabase, settings: SettingsWrapper
) -> None:
    settings.DROP_DATA = True
    for app, name in reversed(our_migrations()):
        before = {table: filled.fingerprint(full, table) for table in filled.present(full)}
        full.migrate(app, the_one_before(app, name))
        stayed = filled.present(full)
        assert {table: filled.fingerprint(full, table)[0] for table in stayed} == {
            table: before[table][0] for table in stayed
        }, f"after reversing {app} {name}"

        full.migrate(app, name)
        again = {table: filled.fingerprint(full, table) for table in filled.present(full)}
        lost = set(before) - set(stayed) - FILLED_AGAIN
        if "trader_controls" not in before:
            # A control has a row among the writes, which the versions do not restore.
            lost.add("config_writes")
        assert {table: found for table, found in again.items() if table not in lost} == {
            table: found for table, found in before.items() if table not in lost
        }, f"after {app} {name} again"
        if "version_results" in again and name != names_of("trading")[0]:
            assert filled.results_are_sums(full)
        full.migrate(app, the_one_before(app, name))
