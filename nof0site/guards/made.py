"""Which tables, views, sequences and columns a migration makes, read from its operations and its SQL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import models
from django.db.migrations import AddField, CreateModel, Migration, RunSQL, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation

_NAME = r'"?(?:public\.)?(\w+)"?'
_CREATED = re.compile(
    rf"\bCREATE\s+(?:OR\s+REPLACE\s+)?(?:UNLOGGED\s+|MATERIALIZED\s+)?(?:TABLE|VIEW|SEQUENCE)\s+(?:IF\s+NOT\s+EXISTS\s+)?{_NAME}",
    re.IGNORECASE,
)
_DROPPED_TABLE = re.compile(rf"\bDROP\s+TABLE\s+(?:IF\s+EXISTS\s+)?{_NAME}", re.IGNORECASE)
_ALTERED = re.compile(rf"\bALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?{_NAME}([^;]*)", re.IGNORECASE)
_DROPPED_COLUMN = re.compile(r'\bDROP\s+COLUMN\s+(?:IF\s+EXISTS\s+)?"?(\w+)"?', re.IGNORECASE)

_CREATED_INDEX = re.compile(
    rf"\bCREATE\s+(?:UNIQUE\s+)?INDEX\s+(?:CONCURRENTLY\s+)?(?:IF\s+NOT\s+EXISTS\s+)?(\w+)\s+ON\s+{_NAME}",
    re.IGNORECASE,
)
_DROPPED_INDEX = re.compile(r"\bDROP\s+INDEX\s+(?:IF\s+EXISTS\s+)?(\w+)", re.IGNORECASE)

Column = tuple[str, str]
"""(table, column)."""


def relations_made(migration: Migration) -> set[str]:
    """Names of the tables, views and sequences that the migration's forward step makes."""
    made: set[str] = set()
    for operation in _operations(migration):
        if isinstance(operation, CreateModel):
            made |= _tables_of(operation, migration.app_label)
        elif isinstance(operation, RunSQL):
            made.update(_CREATED.findall(_text(operation.sql)))
    return made


def indexes_made_in_sql(migrations: Iterable[Migration]) -> dict[str, str]:
    """{index: its table} of the indexes that SQL of these migrations makes, in their order, and none of them drops
    again."""
    made: dict[str, str] = {}
    for migration in migrations:
        for operation in _operations(migration):
            if isinstance(operation, RunSQL):
                text = _text(operation.sql)
                made |= dict(_CREATED_INDEX.findall(text))
                for name in _DROPPED_INDEX.findall(text):
                    made.pop(name, None)
    return made


def tables_dropped_by_going_back(migration: Migration) -> set[str]:
    dropped: set[str] = set()
    for operation in _operations(migration):
        if isinstance(operation, CreateModel):
            dropped |= _tables_of(operation, migration.app_label)
        elif isinstance(operation, RunSQL):
            dropped.update(_DROPPED_TABLE.findall(_text(operation.reverse_sql)))
    return dropped


def columns_dropped_by_going_back(migration: Migration, apps: Any) -> set[Column]:
    """`apps` are the models of the applied migrations. Generated columns hold nothing of their own."""
    dropped: set[Column] = set()
    for operation in _operations(migration):
        if isinstance(operation, AddField):
            dropped |= _column_of(operation, migration.app_label, apps)
        elif isinstance(operation, RunSQL):
            for table, actions in _ALTERED.findall(_text(operation.reverse_sql)):
                dropped.update((table, column) for column in _DROPPED_COLUMN.findall(actions))
    return dropped


def _operations(migration: Migration) -> Iterator[Operation]:
    waiting: list[Operation] = list(migration.operations)
    while waiting:
        operation = waiting.pop(0)
        if isinstance(operation, SeparateDatabaseAndState):
            waiting[:0] = operation.database_operations
        else:
            yield operation


def _tables_of(operation: CreateModel, app_label: str) -> set[str]:
    options = operation.options
    if options.get("proxy") or not options.get("managed", True):
        return set()
    table = options.get("db_table") or f"{app_label}_{operation.name_lower}"
    fields = operation.fields
    return {table, *(_link_table(table, name, field) for name, field in fields if _has_own_link_table(field))}


def _has_own_link_table(field: Any) -> bool:
    return isinstance(field, models.ManyToManyField) and not field.remote_field.through


def _link_table(table: str, name: str, field: Any) -> str:
    return str(field.db_table or f"{table}_{name}")


def _column_of(operation: AddField, app_label: str, apps: Any) -> set[Column]:
    try:
        model = apps.get_model(app_label, operation.model_name)
        field = model._meta.get_field(operation.name)
    except LookupError:
        return set()
    if isinstance(field, models.GeneratedField) or not field.concrete or field.many_to_many:
        return set()
    return {(model._meta.db_table, field.column)}


def _text(sql: Any) -> str:
    """RunSQL takes a text, a list of texts, or a list of (text, parameters)."""
    if isinstance(sql, str):
        return sql
    if isinstance(sql, list | tuple):
        return ";\n".join(part if isinstance(part, str) else part[0] for part in sql)
    return ""
