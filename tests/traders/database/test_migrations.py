"""Every migration leads back to where it came from."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.migrations.loader import MigrationLoader

from tests.traders.database.scratch import ScratchDatabase

pytestmark = pytest.mark.slow

OURS = ("traders", "trading")


def test_each_step_back_ends_where_the_step_forward_began(scratch: ScratchDatabase) -> None:
    steps = our_migrations()
    assert {app for app, _ in steps} == set(OURS)
    scratch.migrate("contenttypes")
    scratch.migrate("auth")
    before = []
    for app, name in steps:
        before.append(scratch.schema())
        scratch.migrate(app, name)
    assert len({*before, scratch.schema()}) == len(steps) + 1

    for (app, name), schema in reversed(list(zip(steps, before, strict=True))):
        scratch.migrate(app, the_one_before(app, name))
        assert scratch.schema() == schema, f"after reversing {app} {name}"


def test_going_to_zero_and_forward_again_makes_the_same_database(scratch: ScratchDatabase) -> None:
    scratch.migrate()
    fresh = scratch.schema()
    assert "CREATE TABLE public.trader_config_versions" in fresh

    for app in reversed(OURS):
        scratch.migrate(app, "zero")
    assert our_tables(scratch) == set()
    scratch.migrate()

    assert scratch.schema() == fresh


def test_no_step_back_of_the_traders_reaches_the_record_but_that_of_what_it_needs() -> None:
    loader = MigrationLoader(None)
    needed = {
        name: {parent for app, parent in migration.dependencies if app == "traders"}
        for (app, name), migration in loader.disk_migrations.items()
        if app == "trading"
    }
    assert {parent for parents in needed.values() for parent in parents} == {"0003_append_only"}


@pytest.mark.django_db
def test_no_model_is_ahead_of_its_migrations() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def our_migrations() -> list[tuple[str, str]]:
    """Those of the lower app first: nothing in it waits for the upper one."""
    return [(app, name) for app in OURS for name in names_of(app)]


def names_of(app: str) -> list[str]:
    graph = MigrationLoader(None).graph
    [last] = graph.leaf_nodes(app)
    return [name for in_app, name in graph.forwards_plan(last) if in_app == app]


def the_one_before(app: str, name: str) -> str:
    names = ["zero", *names_of(app)]
    return names[names.index(name) - 1]


def our_tables(scratch: ScratchDatabase) -> set[str]:
    connection = connections[scratch.alias]
    tables = set(connection.introspection.table_names())
    connection.close()
    return {name for name in tables if not name.startswith(("auth_", "axes_", "django_"))}
