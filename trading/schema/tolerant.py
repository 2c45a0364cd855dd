"""Stored details are read as far as this release knows them: writing is strict, reading is tolerant.

What a newer release, or a program that writes SQL, has stored beyond the declaration is set aside with its path:
unknown keys at any depth, and unknown words of a list's items. A leaf that is null counts as not stored. Anything else
that does not fit the declaration makes the detail unreadable. An unknown action stays readable as its word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Generic, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from traders.schema.jsonio import TooDeep
from traders.schema.messages import TranslatableText, _, joined, verbatim
from traders.schema.problems import message_in
from trading.schema.decision import Action
from trading.schema.leaf import part_in
from trading.schema.unreadable import cut, cut_message

P = TypeVar("P", bound=BaseModel)
_ABSENT: Any = object()


class UnreadableLeaf(Exception):
    """`path` is dotted from `detail` on; `reason` completes '<path> ...'."""

    def __init__(self, path: str, reason: TranslatableText) -> None:
        self.path, self.reason = cut(path), cut_message(reason)
        super().__init__(f"{self.path} {self.reason}")


@dataclass(frozen=True, slots=True)
class UnknownLeaf:
    """A leaf that the declaration does not have, with what is stored there."""

    path: str
    value: Any


@dataclass(frozen=True)
class DetailReading(Generic[P]):
    """`known` is what is stored but for the unknown leaves, as JSON holds it. `is_whole` False: leaves that do not fit
    were left out as well."""

    detail: P
    known: Mapping[str, Any]
    unknown: tuple[UnknownLeaf, ...] = ()
    is_whole: bool = True


def read(kind: type[P], stored: Any) -> DetailReading[P]:
    """Raises UnreadableLeaf."""
    try:
        # Nearly every row is as declared, and pydantic is many times faster than the walk below.
        return DetailReading(kind.model_validate(stored), stored)
    except (ValidationError, RecursionError):
        pass
    if isinstance(stored, TooDeep):
        raise UnreadableLeaf("detail", _("is nested too deep"))
    if not isinstance(stored, Mapping):
        raise UnreadableLeaf("detail", _("must be an object, is %(kind)s", kind=kind_of(stored)))
    unknown: list[UnknownLeaf] = []
    known = _known(kind, stored, "detail", unknown)
    try:
        detail = kind.model_validate(known)
    except ValidationError as error:
        raise _not_readable(error) from None
    return DetailReading(detail, _plain(known), tuple(unknown))


def read_most(kind: type[P], stored: Any) -> DetailReading[P]:
    """As `read`, also without the leaves that do not fit, as long as none of them is required. For a row that is to be
    written again; a reader that leaves out a leaf would show something that was never recorded."""
    try:
        return read(kind, stored)
    except UnreadableLeaf as error:
        if not isinstance(stored, Mapping):
            raise
        refused = error
    unknown: list[UnknownLeaf] = []
    known = _known(kind, stored, "detail", unknown)
    while True:
        try:
            return DetailReading(kind.model_validate(known), _plain(known), tuple(unknown), is_whole=False)
        except ValidationError as error:
            if not any(_remove(known, problem) for problem in error.errors(include_url=False)):
                raise refused from None


def _remove(known: Any, problem: Any) -> bool:
    """Takes away the leaf at fault, or the part that lacks one. False where that is the whole."""
    way = problem["loc"][:-1] if problem["type"] == "missing" else problem["loc"]
    place, removed = known, None
    for step in way:
        if not (isinstance(place, dict) and step in place):
            break
        removed, place = (place, step), place[step]
    if removed is None:
        return False
    parent, name = removed
    del parent[name]
    return True


def with_unknown(detail: dict[str, Any], unknown: tuple[UnknownLeaf, ...]) -> dict[str, Any]:
    """`detail` with the unknown leaves back at their places, so that rewriting a row loses nothing that another
    release stored. Leaves inside lists are left out: their place is not known any more."""
    for leaf in unknown:
        *parts, name = leaf.path.split(".")[1:]
        place: Any = detail
        for part in parts:
            place = place.setdefault(part, {}) if isinstance(place, dict) and "[" not in part else None
        if isinstance(place, dict) and "[" not in name:
            place.setdefault(name, leaf.value)
    return detail


def kind_of(value: Any) -> TranslatableText:
    """The JSON type of a value, with its article."""
    if value is None:
        return _("null")
    if isinstance(value, bool):
        return _("a truth value")
    if isinstance(value, Mapping):
        return _("an object")
    if isinstance(value, list | tuple):
        return _("a list")
    return _("a text") if isinstance(value, str) else _("a number")


def _known(kind: type[BaseModel], stored: Mapping[str, Any], path: str, unknown: list[UnknownLeaf]) -> dict[str, Any]:
    known = {}
    for name, value in stored.items():
        place = f"{path}.{name}"
        if name not in kind.model_fields:
            unknown.append(UnknownLeaf(place, value))
        elif value is not None:
            known[name] = _value(kind, name, value, place, unknown)
    return known


def _value(kind: type[BaseModel], name: str, value: Any, path: str, unknown: list[UnknownLeaf]) -> Any:
    part, is_list = part_in(kind.model_fields[name].annotation)
    if part is not None:
        if is_list and isinstance(value, list):
            items = (_item(part, item, f"{path}[{place}]", unknown) for place, item in enumerate(value))
            return [item for item in items if item is not _ABSENT]
        return _known(part, value, path, unknown) if isinstance(value, Mapping) and not is_list else value
    if _words(kind, name) is Action and isinstance(value, str) and value not in Action._value2member_map_:
        unknown.append(UnknownLeaf(path, value))
        return Action.unknown(value)
    return value


def _item(part: type[BaseModel], stored: Any, path: str, unknown: list[UnknownLeaf]) -> Any:
    """An item with a word that is not known is set aside whole: without the word it would say something else. An
    unknown action alone says clearly enough what it is."""
    if not isinstance(stored, Mapping):
        return stored
    for name, value in stored.items():
        words = _words(part, name)
        if words and words is not Action and isinstance(value, str) and value not in words._value2member_map_:
            unknown.append(UnknownLeaf(path, stored))
            return _ABSENT
    return _known(part, stored, path, unknown)


@cache
def _words(kind: type[BaseModel], name: str) -> type[StrEnum] | None:
    """The enumeration that the leaf is one word of."""
    field = kind.model_fields.get(name)
    found = (field.annotation, *get_args(field.annotation)) if field else ()
    return next((one for one in found if isinstance(one, type) and issubclass(one, StrEnum)), None)


def _plain(known: Any) -> Any:
    """Without the enumerations' own objects."""
    if isinstance(known, dict):
        return {name: _plain(value) for name, value in known.items()}
    if isinstance(known, list):
        return [_plain(value) for value in known]
    return str(known) if isinstance(known, StrEnum) else known


def _not_readable(error: ValidationError) -> UnreadableLeaf:
    problems = error.errors(include_url=False)
    first, more = problems[0], len(problems) - 1
    path = "detail" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
    parts = [message_in(first)]
    if first["type"] != "missing":
        parts.append(_("is %(value)s", value=_shown(first["input"])))
    if more:
        parts.append(_("and %(count)s more", count=more))
    return UnreadableLeaf(path, joined(", ", parts))


def _shown(value: Any) -> TranslatableText:
    if isinstance(value, Mapping | list | tuple):
        return kind_of(value)
    text = repr(value) if isinstance(value, str) else str(value) if not isinstance(value, int) else _digits(value)
    return verbatim(text if len(text) <= 60 else text[:59] + "…")


def _digits(number: int) -> str:
    """Python refuses to write a number of more than 4,300 digits as text."""
    return str(number) if abs(number) < 10**60 else _("a number of more than 60 digits")
