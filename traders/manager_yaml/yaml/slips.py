"""Slips of the keyboard that YAML answers in words of its own, often for another line: each is named in its place."""

from __future__ import annotations

import re
from collections.abc import Iterator

from traders.manager_yaml.yaml.nodes import MalformedYaml, Node, Scalar, compose
from traders.schema.messages import TranslatableText, _
from traders.schema.problems import Problem

MOST_SLIPS = 50
_TAB = re.compile(r" *\t[ \t]*(?=\S)")
_KEY = r"[\"']?([A-Za-z_][\w.-]*)[\"']?"
_FULL_WIDTH = re.compile(rf"(\s*(?:-\s+)*{_KEY}\s*)：")
_ENTRY = re.compile(rf"\s*(?:-\s+)*{_KEY}\s*:(\s|$)")
_BLANK = re.compile(r"\s*(#|$)")


def problems_of(text: str, error: MalformedYaml) -> list[Problem]:
    """Every slip that keeps the text from being YAML, else the parser's own words.

    A slip is mended in a copy, which is read again: what stands in a text of many lines is no slip.
    """
    lines, found = text.splitlines(), list[Problem]()
    while len(found) < MOST_SLIPS and (slip := _slip_before(lines, error.line or 0)) is not None:
        place, message, mended = slip
        found.append(Problem("", message, line=place + 1))
        lines[place] = mended
        try:
            compose("\n".join(lines))
        except MalformedYaml as next_error:
            error = next_error
        else:
            break
    return found or [Problem("", error.message, line=error.line)]


def full_width_colon(node: Node) -> TranslatableText | None:
    """Of a text that stands where a mapping is expected: it was meant to be one. Completes '<place> ...'."""
    found = _FULL_WIDTH.match(node.value) if isinstance(node, Scalar) and node.plain else None
    return _colon(found[2]) if found else None


def _slip_before(lines: list[str], error_line: int) -> tuple[int, TranslatableText, str] | None:
    """(index of the line, message, the line mended) of what explains an error in this line or just before it."""
    for place in _back_from(lines, error_line):
        line = lines[place]
        if found := _TAB.match(line):
            return (
                place,
                _("is indented with a tab; indent with spaces"),
                line.replace("\t", "  ", found[0].count("\t")),
            )
        if found := _FULL_WIDTH.match(line):
            return place, _colon(found[2]), f"{found[1]}: {line[found.end() :]}"
    return None


def _back_from(lines: list[str], error_line: int) -> Iterator[int]:
    """Indexes of the error's line and of those before it, to the last one that is an entry as YAML knows it."""
    last = min(error_line, len(lines)) - 1
    for place in range(last, -1, -1):
        if not _BLANK.match(lines[place]):
            yield place
        if place < last and _ENTRY.match(lines[place]):
            return


def _colon(key: str) -> TranslatableText:
    return _("has the full-width colon ： after %(key)s; write %(key)s: with a colon and a blank", key=key)
