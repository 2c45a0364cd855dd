"""Which rows are of one of many ids, as one array in place of a parameter for each."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import F, Lookup

# A control character, which no id has.
_BETWEEN = chr(31)


def array_of(ids: Collection[str]) -> tuple[str, Any]:
    """An expression with one placeholder that is the array of these ids, and its parameter: a text, where that is the
    same. psycopg quotes, and PostgreSQL reads, each element of an array by itself: 14 ms for ten thousand, not 4."""
    text = _BETWEEN.join(ids)
    if not ids or text.count(_BETWEEN) != len(ids) - 1:
        return "%s::text[]", list(ids)
    return "string_to_array(%s, chr(31))", text


class _Among(Lookup[Any]):
    lookup_name = "among"

    def get_prep_lookup(self) -> Any:
        return self.rhs

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        column, parameters = self.process_lhs(compiler, connection)
        array, parameter = array_of(self.rhs)
        return f"{column} = ANY ({array})", [*parameters, parameter]


def among(field: str, ids: Collection[str]) -> Lookup[Any]:
    """As `Q({field}__in=ids)`, for `filter` and within a Q; no row of an empty collection. Django prepares, and psycopg
    quotes, each parameter of an IN by itself, which takes longer than the statement where there are a thousand."""
    return _Among(F(field), tuple(ids))
