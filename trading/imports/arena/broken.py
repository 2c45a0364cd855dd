"""What cannot be read: a whole file, and how a schema's problem with one record is reported."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from traders.schema import problems
from traders.schema.jsonio import Json
from traders.schema.messages import TranslatableText, _
from trading.record.rules.errors import InvalidRecord, RecordError


class BrokenFile(RecordError):
    """Nothing of the file can be trusted. The message names the place and says what would be right."""

    def __init__(
        self, path: Path, message: TranslatableText, *, line: int | None = None, column: int | None = None
    ) -> None:
        place = ":".join(str(part) for part in (path, line, column) if part is not None)
        super().__init__(_("%(place)s: %(message)s", place=place, message=message))


def shown(value: Json) -> str:
    """As a message shows it. What is nested is named only: it may be deeper than can be written."""
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list | tuple) else problems.shown(value)


def refusal_of(error: ValidationError, names: dict[str, str]) -> InvalidRecord:
    """The first thing that a schema finds wrong, under the name that the field has at the source."""
    first = error.errors(include_url=False)[0]
    path = ".".join(str(part) for part in first["loc"])
    message = problems.message_in(first)
    if not isinstance(first["input"], dict):
        message = _("%(message)s, was %(value)s", message=message, value=shown(first["input"]))
    return InvalidRecord(names.get(path, path), message)
