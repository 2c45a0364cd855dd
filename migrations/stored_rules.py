"""Parts of the migrations that add rules to tables with rows."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.migrations.operations.base import Operation

from traders.database.not_valid import validate_what_holds

logger = logging.getLogger(__name__)


# As they were when the rules were added: a later release may narrow them by migrations of its own.
EARLIEST, LATEST = datetime(2010, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
EARLIEST_MS, LATEST_MS = 1_262_304_000_000, 4_102_444_800_000
LARGEST = Decimal(10**15)
# The latest that the database takes, by its own clock.
LATEST_TAKEN = "now() + interval '1 day'"
LATEST_TAKEN_MS = "(extract(epoch FROM now()) * 1000)::bigint + 86400000"
SYMBOL_FORM = (
    r"^[^|\u0001-\u0020\u007f-\u00a0\u00ad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000"
    r"\ufeff\ufff9-\ufffb]{1,64}$"
)
VISIBLE_SYMBOL_FORM = (
    r"^[^|\u0001-\u0020\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f"
    r"\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc\U00013430-\U00013442"
    r"\U00016fe4\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff]{1,64}$"
)


def moment(model: str, table: str, column: str, *, unless: models.Q | None = None) -> AddConstraintNotValid:
    return _between(model, f"{table}_{column}_is_a_moment", column, EARLIEST, LATEST, unless)


def moment_ms(model: str, table: str, column: str, *, unless: models.Q | None = None) -> AddConstraintNotValid:
    return _between(model, f"{table}_{column}_in_milliseconds", column, EARLIEST_MS, LATEST_MS, unless)


def number(model: str, table: str, column: str, *, unless: models.Q | None = None) -> AddConstraintNotValid:
    return _between(model, f"{table}_{column}_is_a_number", column, -LARGEST, LARGEST, unless)


def not_ahead(table: str, *columns: str, refuse: str) -> migrations.RunSQL:
    """No moment that is newly written lies more than a day ahead. `refuse` is the function of the triggers.

    A CHECK would look at the whole row again whenever it changes, and keep one from before as it is."""
    ahead = {column: f"NEW.{column} > {LATEST_TAKEN}" for column in columns}
    changed = [f"NEW.{column} IS DISTINCT FROM OLD.{column} AND {late}" for column, late in ahead.items()]
    return not_ahead_triggers(table, ", ".join(columns), " OR ".join(ahead.values()), " OR ".join(changed), refuse)


def not_ahead_triggers(
    table: str, path: str, new: str, changed: str, refuse: str, *, name: str = ""
) -> migrations.RunSQL:
    """`new` and `changed` are SQL, true of a row that is refused when it is inserted, and updated. `name` tells the
    triggers apart from others of the table."""
    said = f"{refuse}('{path}: not more than a day ahead of the database''s clock')"
    inserted, updated = f"{table}_new_{name}not_ahead", f"{table}_{name}not_ahead"
    return migrations.RunSQL(
        f"""
CREATE TRIGGER {inserted} AFTER INSERT ON {table} FOR EACH ROW WHEN ({new}) EXECUTE FUNCTION {said};
CREATE TRIGGER {updated} AFTER UPDATE ON {table} FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION {said};
""",
        f"DROP TRIGGER {updated} ON {table}; DROP TRIGGER {inserted} ON {table};",
    )


def _between(model: str, name: str, column: str, low: Any, high: Any, unless: models.Q | None) -> AddConstraintNotValid:
    holds = models.Q(**{f"{column}__gte": low, f"{column}__lte": high})
    condition = holds if unless is None else unless | holds
    return AddConstraintNotValid(model, models.CheckConstraint(condition=condition, name=name))


class RemoveCheck(migrations.RemoveConstraint):
    """A step back adds the rule again without a look at rows: some of them may have broken it all the time."""

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        rule = to_state.models[app_label, self.model_name_lower].get_constraint_by_name(self.name)
        AddConstraintNotValid(self.model_name, rule).database_forwards(app_label, schema_editor, to_state, from_state)


def check_rows_from_before(tables: Collection[str]) -> migrations.RunPython:
    """Validates the rules that every row keeps, and names the rows that break another: they stay, and new ones cannot
    be written. `check_record` lists them again, and with --validate settles the rest."""

    return migrations.RunPython(_checking(tables), migrations.RunPython.noop)


def check_rows_after_a_step_back(tables: Collection[str]) -> migrations.RunPython:
    """As `check_rows_from_before`, of the rules that a step back adds again. It is the first operation, so that it is
    the last one of the step back."""
    return migrations.RunPython(migrations.RunPython.noop, _checking(tables))


def replaced_symbol_forms(rules: dict[str, tuple[str, models.Q]]) -> list[Operation]:
    """`rules`: {model: (table, what its symbols keep from now on)}."""
    tables = [table for table, _rule in rules.values()]
    operations: list[Operation] = [check_rows_after_a_step_back(tables)]
    for model, (table, rule) in rules.items():
        name = f"{table}_symbol_form"
        operations.append(RemoveCheck(model, name))
        operations.append(AddConstraintNotValid(model, models.CheckConstraint(condition=rule, name=name)))
    return [*operations, check_rows_from_before(tables)]


def _checking(tables: Collection[str]) -> Any:
    def check(apps: Any, schema_editor: Any) -> None:
        for broken in validate_what_holds(schema_editor.connection, tables):
            logger.warning("%s. The rows stay as they are; manage.py check_record lists them all.", broken)

    return check
