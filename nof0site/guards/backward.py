"""Refuses a migration plan whose backward steps would drop rows, before any of it runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.db import connections
from django.db.migrations import Migration

from nof0site.guards import contents
from nof0site.guards.made import columns_dropped_by_going_back, tables_dropped_by_going_back

# Made again by the step forward: a copy of what the code declares, and what the versions say.
_MADE_AGAIN = frozenset(
    {("setting_risks", ""), ("config_change_set_paths", "configs"), ("config_change_set_paths", "raising")}
)


def refuse_to_drop_rows(
    *, using: str, apps: Any, plan: Sequence[tuple[Migration, bool]] | None = None, **kwargs: Any
) -> None:
    """Receives `pre_migrate`: `plan` is [(migration, is_backward)], `apps` the models of the applied migrations.

    Raises CommandError, which names tables, columns and counts, unless NOF0_DROP_DATA is on.
    """
    backward = [migration for migration, is_backward in plan or [] if is_backward]
    if not backward or settings.DROP_DATA:
        return
    losses = _losses(connections[using], backward, apps)
    if losses:
        steps = ", ".join(f"{migration.app_label}.{migration.name}" for migration in backward)
        raise CommandError(
            "\n".join(
                [
                    f"Reversing {steps} would drop data:",
                    *(f"  {loss}" for loss in losses),
                    "Nothing was changed. To drop it all the same make a backup, then set NOF0_DROP_DATA=1 for this "
                    "one command.",
                ]
            )
        )


def _losses(connection: Any, backward: Sequence[Migration], apps: Any) -> list[str]:
    present = contents.relations(connection)
    dropped = [tables_dropped_by_going_back(migration) & present.keys() for migration in backward]
    tables: set[str] = set().union(*dropped) - {table for table, column in _MADE_AGAIN if not column}
    losses = [
        f"{table}: {contents.written(count)}"
        for table, count in contents.row_counts(connection, tables).items()
        if count != 0
    ]
    columns = sorted(
        set().union(*(columns_dropped_by_going_back(migration, apps) for migration in backward)) - _MADE_AGAIN
    )
    existing = contents.columns(connection, {table for table, _column in columns})
    for table, column in columns:
        # A column goes with its table, which is named already.
        is_lost_alone = table not in tables and (table, column) in existing
        if is_lost_alone and (count := contents.values_in(connection, table, column)):
            losses.append(f"{table}.{column}: {contents.written(count, 'values')}")
    return losses
