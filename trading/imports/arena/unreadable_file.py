"""What cannot be read: a whole file, and how a schema's problem with one record is reported."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from traders.schema import problems
from traders.schema.jsonio import Json
from traders.schema.messages import TranslatableText, _
from trading.record.rules.errors import InvalidRecord, RecordError
from trading.schema.tolerant import UnreadableLeaf, read_most

P = TypeVar("P", bound=BaseModel)


class UnreadableArenaFile(RecordError):
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


def as_far_as_it_fits(kind: type[P], parts: Mapping[str, Any], names: dict[str, str]) -> P:
    """The detail without those leaves that do not fit and need not be there: they are kept as the source wrote them
    (`remains`). Raises InvalidRecord for others, and for a fill."""
    try:
        return kind.model_validate(parts)
    except ValidationError as error:
        refused = error
    try:
        if any(one["loc"][0] == "fills" for one in refused.errors(include_url=False)):
            raise refusal_of(refused, names)
        return read_most(kind, parts).detail
    except UnreadableLeaf:
        raise refusal_of(refused, names) from None


def refusal_of(error: ValidationError, names: dict[str, str]) -> InvalidRecord:
    """The first thing that a schema finds wrong, under the name that the field has at the source."""
    first = error.errors(include_url=False)[0]
    path = ".".join(str(part) for part in first["loc"])
    message = problems.message_in(first)
    if not isinstance(first["input"], dict):
        message = _("%(message)s, was %(value)s", message=message, value=shown(first["input"]))
    return InvalidRecord(names.get(path, path), message)
