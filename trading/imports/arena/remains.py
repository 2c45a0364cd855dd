"""What a stored row does not give back of its source, kept as texts so that nothing of a record is lost."""

from __future__ import annotations

from pydantic import ValidationError

from traders.schema import jsonio
from traders.schema.jsonio import Json
from traders.schema.messages import _
from trading.imports.arena.fields import Record
from trading.imports.arena.unreadable_file import refusal_of
from trading.record.rules.errors import InvalidRecord
from trading.schema.common import Origin

SYSTEM = "arena"
DEEPEST = 20


def origin_of(record: Record, given_back: Record, *, source_id: str | None = None) -> Origin:
    """Raises InvalidRecord when there is something that cannot be kept."""
    try:
        return Origin(system=SYSTEM, id=source_id, fields=remains(record, given_back))
    except ValidationError as error:
        refusal = refusal_of(error, {})
        raise InvalidRecord(refusal.field.removeprefix("fields."), refusal.message) from None


def remains(record: Record, given_back: Record) -> dict[str, str] | None:
    """{field: its value} of the record's fields that the row would give back otherwise, or not at all."""
    missing = object()
    kept = {
        field: _text(field, value)
        for field, value in record.items()
        if not _same(given_back.get(field, missing), value) and not _is_text_of_id(record, field)
    }
    return kept or None


def _is_text_of_id(record: Record, field: str) -> bool:
    """Our own export writes an id that is too large for JavaScript as a text too, and will again."""
    number = record.get(field.removesuffix("_str")) if field.endswith("_str") else None
    return isinstance(number, int) and record[field] == str(number)


def restored(given_back: dict[str, Json], kept: dict[str, str] | None) -> dict[str, Json]:
    return given_back | {field: _value(text) for field, text in (kept or {}).items()}


def _same(back: object, value: Json) -> bool:
    """True is 1 in Python; in a record it is another thing."""
    return back == value and isinstance(back, bool) == isinstance(value, bool)


def _text(field: str, value: Json) -> str:
    """JSON, but a text stands as it is unless it could be read as JSON."""
    if _depth(value) > DEEPEST:
        raise InvalidRecord(field, _("is nested deeper than %(most)s levels", most=DEEPEST))
    if isinstance(value, str) and _value(value) is value:
        return value
    try:
        return jsonio.dumps(value)
    except (ValueError, OverflowError):
        raise InvalidRecord(field, _("holds a number that is far too large")) from None


def _value(text: str) -> Json:
    try:
        return jsonio.loads(text)
    except (ValueError, ArithmeticError, RecursionError):
        return text


def _depth(value: Json) -> int:
    """Level by level, not by recursion, and no deeper than it matters."""
    level, depth = [value], 0
    while level and depth <= DEEPEST:
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
        depth += 1
    return depth
