"""A place in the order of all changes: change sets rise, and within one the configurations come by their id."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from traders.schema.fleet import FLEET_ID
from traders.schema.trader import ID_PATTERN

# Sorts behind every id, by bytes.
END_OF_SET = "~"
_FORM = re.compile(rf"([0-9]{{1,18}})(?::({re.escape(FLEET_ID)}|{ID_PATTERN.pattern}))?")


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """Everything up to here was read: of `change_set` the configurations up to this one, or all of them."""

    change_set: int
    config_id: str = END_OF_SET

    @classmethod
    def parse(cls, text: str) -> Self:
        """`42` or `42:trader_a`. Raises ValueError."""
        found = _FORM.fullmatch(text)
        if found is None:
            raise ValueError("must be a cursor of an earlier answer, or 0 for the beginning")
        return cls(int(found[1]), found[2] or END_OF_SET)

    def __str__(self) -> str:
        return str(self.change_set) if self.config_id == END_OF_SET else f"{self.change_set}:{self.config_id}"
