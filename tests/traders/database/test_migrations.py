"""Every migration leads back to where it came from."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.migrations.loader import MigrationLoader

from tests.traders.database.scratch import ScratchDatabase

OURS = ("traders", "trading")


def test_each_step_back_ends_where_the_step_forward_began(scratch: ScratchDatabase) -> None:
    steps = our_migrations()
    assert len(steps) >= 5
    scratch.migrate("contenttypes")
    on_the_way_up = [("zero", scratch.schema())]
    for app, name in steps:
        scratch.migrate(app, name)
        on_the_way_up.append((name, scratch.schema()))
    assert len({schema for _, schema in on_the_way_up}) == len(on_the_way_up)

    for name, schema in reversed(on_the_way_up[:-1]):
        scratch.migrate("traders", name)
        assert scratch.schema() == schema, f"after going back to {name}"


def test_going_to_zero_and_forward_again_makes_the_same_database(scratch: ScratchDatabase) -> None:
    scratch.migrate()
    fresh = scratch.schema()
    assert "CREATE TABLE public.trader_config_versions" in fresh

    for app in reversed(OURS):
        scratch.migrate(app, "zero")
    assert our_tables(scratch) == set()
    scratch.migrate()

    assert scratch.schema() == fresh


@pytest.mark.django_db
def test_no_model_is_ahead_of_its_migrations() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def our_migrations() -> list[tuple[str, str]]:
    loader = MigrationLoader(None)
    [last] = loader.graph.leaf_nodes("traders")
    return [node for node in loader.graph.forwards_plan(last) if node[0] == "traders"]


def our_tables(scratch: ScratchDatabase) -> set[str]:
    connection = connections[scratch.alias]
    tables = set(connection.introspection.table_names())
    connection.close()
    return {name for name in tables if not name.startswith(("auth_", "axes_", "django_"))}
