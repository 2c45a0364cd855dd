"""Finds relations with our names that our migrations did not make: a migration would fail halfway or damage them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.migrations.loader import MigrationLoader

from nof0site.guards import contents
from nof0site.guards.made import relations_made
from trading.imports.adopt.generations import Generation, generation_of

_MOST_LISTED = 40


@dataclass(frozen=True, slots=True)
class ForeignDatabase:
    """`in_the_way`: names that a migration still to be applied would make. `rows`: of them and the tables beside."""

    database: str
    generation: Generation
    in_the_way: list[str]
    rows: dict[str, int | None]

    @property
    def message(self) -> str:
        listed = [f"  {table}: {contents.written(count)}" for table, count in self.rows.items()]
        if (more := len(listed) - _MOST_LISTED) > 0:
            listed = [*listed[:_MOST_LISTED], f"  and {more} more tables"]
        return "\n".join(
            [
                f'The database "{self.database}" holds tables that the migrations of NOF0 Control did not make. '
                "Nothing was changed.",
                f"It looks like {self.generation.name}.",
                f"In the way: {', '.join(self.in_the_way)}.",
                "Found:",
                *listed,
            ]
        )


def foreign_database(connection: Any) -> ForeignDatabase | None:
    """None where every relation of our names was made by a migration that django_migrations lists.

    A missing database or server raises OperationalError.
    """
    loader = MigrationLoader(connection)
    ours: set[str] = set()
    missing: set[str] = set()
    for key, migration in loader.disk_migrations.items():
        made = relations_made(migration)
        if key in loader.applied_migrations:
            ours |= made
        else:
            missing |= made
    present = contents.relations(connection)
    in_the_way = sorted((missing - ours) & present.keys())
    if not in_the_way:
        return None
    strangers = {name: kind for name, kind in present.items() if name not in ours and name != "django_migrations"}
    tables = [name for name, kind in strangers.items() if kind in contents.TABLE_KINDS]
    return ForeignDatabase(
        database=connection.settings_dict["NAME"],
        generation=generation_of(strangers, contents.columns(connection, tables)),
        in_the_way=in_the_way,
        rows=contents.row_counts(connection, tables),
    )
