"""What a record keeps of its row beside its own leaves: where it comes from, and columns that it has no place for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import ValidationError

from trading.imports.adopt.readers.values import Row, as_json, moment, text_or_none
from trading.imports.arena.remains import remains
from trading.imports.arena.unreadable_file import refusal_of
from trading.schema.common import EARLIER_DATABASE, UNKNOWN_PROVIDER, Origin

# How a row says that there is nothing.
_NOTHING: tuple[Any, ...] = (None, "", {}, [])


def origin(source_id: str, fields: Mapping[str, str] | None, *, key: str | None = None) -> Origin:
    """Raises InvalidRecord when there is something that cannot be kept."""
    try:
        return Origin(system=EARLIER_DATABASE, id=source_id, key=key, fields=dict(fields) if fields else None)
    except ValidationError as error:
        refusal = refusal_of(error, {"id": "id"})
        raise type(refusal)(refusal.field.removeprefix("fields."), refusal.reason) from None


def kept(row: Row, taken: Collection[str], given_back: Mapping[str, Any]) -> dict[str, str] | None:
    """{column: its value as text} of the columns that are not among `taken` and that `given_back` does not say. A
    `created_at` that is no moment of ours has no other place."""
    left = taken if moment(row, "created_at") else set(taken) - {"created_at"}
    rest = {
        column: as_json(value)
        for column, value in row.items()
        if value is not None and column not in left and value not in _NOTHING
    }
    return remains(rest, given_back) if rest else None


def exchange_of(row: Row) -> str:
    return text_or_none(row, "exchange_provider") or UNKNOWN_PROVIDER
