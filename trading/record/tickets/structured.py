"""Texts and values of any form, as people read them: paragraphs, and nested values as rows of a table."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trading.templatetags.record import NONE

MOST_ROWS = 300
MOST_CHARACTERS = 300
"""Of a value in a row; the whole text stands below."""
LONGEST_JSON = 200_000
_LONG_PARAGRAPH = 420
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+")


@dataclass(frozen=True, slots=True)
class ValueRow:
    path: str
    value: str


@dataclass(frozen=True, slots=True)
class ValueTable:
    """`is_cut`: there is more than MOST_ROWS."""

    rows: list[ValueRow]
    is_cut: bool


def paragraphs(text: str) -> list[str]:
    """A text by its lines; one that is a single long line is broken after sentences."""
    found: list[str] = []
    for line in text.splitlines():
        if line.strip():
            found += _broken(line.strip()) if len(line) > _LONG_PARAGRAPH else [line.strip()]
    return found


def _broken(line: str) -> Iterator[str]:
    part = ""
    for sentence in _SENTENCE_END.split(line):
        if part and len(part) + len(sentence) > _LONG_PARAGRAPH:
            yield part
            part = ""
        part = f"{part} {sentence}".strip()
    yield part


def value_table(value: Any) -> ValueTable | None:
    """Each leaf of a nested value by its path; None for one that is not nested."""
    if not isinstance(value, Mapping | list | tuple) or not value:
        return None
    rows: list[ValueRow] = []
    left = [("", value)]
    while left and len(rows) <= MOST_ROWS:
        path, one = left.pop()
        inner = _inner(path, one)
        if inner:
            left += reversed(inner)
        else:
            rows.append(ValueRow(path, _short(one)))
    return ValueTable(rows[:MOST_ROWS], bool(left) or len(rows) > MOST_ROWS)


def json_in(text: Any) -> Any:
    """The value of a text that is JSON; None for any other text, and for one that is too long or too deep to read."""
    if not isinstance(text, str) or len(text) > LONGEST_JSON or text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _inner(path: str, value: Any) -> list[tuple[str, Any]]:
    """At most as many as rows are shown."""
    if isinstance(value, Mapping):
        names = list(value)[: MOST_ROWS + 1]
        return [(f"{path}.{name}" if path else str(name), value[name]) for name in names]
    if isinstance(value, list | tuple):
        return [(f"{path}[{place}]", one) for place, one in enumerate(value[: MOST_ROWS + 1])]
    return []


def _short(value: Any) -> str:
    if value is None or value == {} or value == []:
        return NONE
    text = value if isinstance(value, str) else json.dumps(value) if isinstance(value, bool) else str(value)
    return f"{text[:MOST_CHARACTERS]}…" if len(text) > MOST_CHARACTERS else text
