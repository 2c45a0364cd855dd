"""A database of another program is refused before anything in it changes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.checks import Tags, run_checks
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.db import connections
from pytest_django import DjangoDbBlocker

from nof0site.guards.foreign import foreign_database
from nof0site.serving import prepare
from tests.platform import foreign_schemas
from tests.traders.database.scratch import ScratchDatabase, scratch_database

GENERATIONS = {
    "LEGACY": ("first schema (rows by model_id", {"positions": 1, "trades": 3, "trader_state": 0, "models": 0}),
    "DETAIL": ("with trader_config and detail", {"trader_config": 1, "trades": 0, "trader_config_history": 0}),
    "SQUASHED": ("last schema", {"trades": 2, "klines": 0, "trader_config": 0}),
    "STRANGER": ("another program", {"positions": 0, "employees": 1}),
}


@pytest.fixture
def scratch(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[ScratchDatabase]:
    with django_db_blocker.unblock(), scratch_database() as database:
        yield database


def run(scratch: ScratchDatabase, sql: str) -> None:
    with connections[scratch.alias].cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_each_generation_is_named_with_its_tables_and_rows_and_nothing_changes(
    scratch: ScratchDatabase, generation: str
) -> None:
    name, rows = GENERATIONS[generation]
    run(scratch, getattr(foreign_schemas, generation))
    before = scratch.schema()

    with pytest.raises(SystemCheckError) as refused:
        call_command("migrate", database=scratch.alias, skip_checks=False, verbosity=0)

    said = str(refused.value)
    assert name in said
    for table, count in rows.items():
        assert f"  {table}: {count} row{'' if count == 1 else 's'}\n" in said
    assert "createdb nof0_control" in said
    connections[scratch.alias].close()
    assert scratch.schema() == before


def test_a_step_to_one_app_alone_is_refused_as_well(scratch: ScratchDatabase) -> None:
    run(scratch, foreign_schemas.LEGACY)
    with pytest.raises(SystemCheckError, match="django_migrations|did not make"):
        call_command("migrate", "contenttypes", database=scratch.alias, skip_checks=False, verbosity=0)


def test_the_site_is_not_prepared_in_a_foreign_database(
    scratch: ScratchDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(scratch, foreign_schemas.LEGACY)
    monkeypatch.setattr(prepare, "connection", connections[scratch.alias])
    said: list[str] = []

    class Output:
        def write(self, message: str, /) -> None:
            said.append(message)

    with pytest.raises(CommandError, match="did not make"):
        prepare.migrate(Output())
    assert said == []


@pytest.mark.faults
def test_tables_that_are_no_tables_of_ours_are_no_hindrance(scratch: ScratchDatabase) -> None:
    run(scratch, "CREATE TABLE employees (id int); CREATE TABLE models (id int)")
    call_command("migrate", database=scratch.alias, skip_checks=False, verbosity=0)
    assert foreign_database(connections[scratch.alias]) is None


@pytest.mark.faults
def test_a_database_of_ours_is_ours_at_every_migration(scratch: ScratchDatabase) -> None:
    for target in (["traders", "0002"], ["trading", "0001"], ["traders"], []):
        call_command("migrate", *target, database=scratch.alias, skip_checks=False, verbosity=0)
        assert run_checks(tags=[Tags.database], databases=[scratch.alias]) == []


def test_a_dump_without_its_list_of_migrations_is_told_apart(scratch: ScratchDatabase) -> None:
    scratch.migrate()
    run(scratch, "DROP TABLE django_migrations")
    found = foreign_database(connections[scratch.alias])
    assert found is not None
    assert "NOF0 Control itself" in found.generation.name
    assert "Restore the whole dump" in found.generation.way_out


@pytest.mark.faults
def test_a_database_half_migrated_over_foreign_tables_is_refused_too(scratch: ScratchDatabase) -> None:
    """What a migrate without the check leaves behind: some migrations applied, the foreign tables untouched."""
    run(scratch, foreign_schemas.LEGACY)
    scratch.migrate("traders")
    found = foreign_database(connections[scratch.alias])
    assert found is not None
    assert found.in_the_way == ["conversation_messages", "positions", "symbols", "trades"]
    assert "trader_config" not in found.rows


def test_a_table_that_this_user_may_not_read_is_named_all_the_same(scratch: ScratchDatabase) -> None:
    run(scratch, foreign_schemas.STRANGER + "CREATE ROLE guard_reader_of_scratch; SET ROLE guard_reader_of_scratch")
    try:
        found = foreign_database(connections[scratch.alias])
        assert found is not None
        assert "  employees: rows that this user may not read" in found.message
    finally:
        run(scratch, "RESET ROLE; DROP ROLE guard_reader_of_scratch")
