"""Columns that PostgreSQL computes from a configuration's `detail` and stores, for the ORM to filter and sort by.

None is ever NULL, and none can fail: another program may have stored anything in `detail`.
"""

from __future__ import annotations

from typing import Any

from django.db.models import BooleanField, Field, Func, GeneratedField, IntegerField, Model, Q, TextField, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce

MOST = 1_000_000_000
"""Of a whole number: twice of it is an integer of PostgreSQL, too."""


def flag(path: str) -> GeneratedField:
    """Whether `detail` has true, and nothing else, under this key."""
    return _stored(Q(detail__contains={path: True}), BooleanField())


def text(path: str) -> GeneratedField:
    """The text at this path (`llm__model`); "" where there is none."""
    return _stored(Coalesce(KT(f"detail__{path}"), Value(""), output_field=TextField()), TextField())


def whole_number(path: str) -> GeneratedField:
    """The number at this path, rounded; 0 where there is none, or one outside of 0 to MOST."""
    steps = path.replace("__", ".")
    # A cast of the text would end the statement for "soon" or 1e400. `silent` (true) lets a strict path find nothing.
    number = Func(
        "detail",
        function="jsonb_path_query_first",
        template=f"%(function)s(%(expressions)s, 'strict $.{steps} ? (@ >= 0 && @ <= {MOST})', '{{}}', true)",
    )
    return _stored(Coalesce(Cast(number, IntegerField()), Value(0), output_field=IntegerField()), IntegerField())


def is_generated(field: Field[Any, Any]) -> bool:
    return isinstance(field, GeneratedField)


def forget_generated(row: Model) -> None:
    """Lets the next look at a generated column of `row` read it again: its value belongs to the row before a save."""
    for field in row._meta.concrete_fields:
        if is_generated(field):
            row.__dict__.pop(field.attname, None)


def _stored(expression: Any, output: Field[Any, Any]) -> GeneratedField:
    return GeneratedField(expression=expression, output_field=output, db_persist=True)
