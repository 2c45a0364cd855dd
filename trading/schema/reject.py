"""A record that an import refuses: where it stands, what is wrong with it, and what would be right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Reject:
    """`index` is the record's place in its file, from 0, or the id of its row in a table; None where the file is one
    record, or could not be read.

    `field` is dotted and may be empty; `message` completes '<field> ...'; `record` is what was read, if anything.
    """

    file: str
    message: str
    index: int | str | None = None
    field: str = ""
    record: Any = None

    def __str__(self) -> str:
        place = self.file if self.index is None else f"{self.file}[{self.index}]"
        return f"{place}: {self.field} {self.message}" if self.field else f"{place}: {self.message}"


OnReject = Callable[[Reject], None]
"""Takes each reject as it is found; an import holds none of them itself."""
