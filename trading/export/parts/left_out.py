"""Unreadable rows that the export leaves out, by the part of the export that read them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from trading.record.stored.unreadable import collected
from trading.schema.unreadable import Unreadable

Rows = dict[tuple[str, str], Unreadable]


class LeftOut:
    """A part that is not read in a cycle keeps its rows of the last reading."""

    def __init__(self) -> None:
        self._by_part: dict[str, Rows] = {}

    @contextmanager
    def reading(self, part: str) -> Iterator[Rows]:
        """Rows noted inside replace the part's earlier ones, once all was read."""
        with collected() as found:
            yield found
        self._by_part[part] = found

    def forget(self, part: str) -> None:
        self._by_part.pop(part, None)

    @property
    def rows(self) -> list[Unreadable]:
        """In order of table and id."""
        together: Rows = {}
        for found in self._by_part.values():
            together |= found
        return [together[key] for key in sorted(together)]
