"""What comparing the live store with where its values come from found."""

from __future__ import annotations

import msgspec

from traders.schema.messages import TranslatableText


class Difference(msgspec.Struct, frozen=True):
    """`expected` and `found` are values, or messages about them."""

    key: str
    field: str
    expected: TranslatableText
    found: TranslatableText

    def __str__(self) -> str:
        return f"{self.key} {self.field}: expected {self.expected}, found {self.found}"


class Verdict(msgspec.Struct, frozen=True):
    """`differences` holds the first of them, `count` is of all. `revision` is that of the mode it was taken in."""

    at_ms: int
    checked: int
    count: int
    differences: tuple[Difference, ...] = ()
    revision: int = 0

    @property
    def passed(self) -> bool:
        return self.count == 0
