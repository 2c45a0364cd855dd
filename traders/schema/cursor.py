"""A place in the order of all changes: positions rise with the order of commits; within one transaction the
configurations come by their id, each in the order of its versions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from traders.schema.messages import _
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.trader import ID_PATTERN

# Sorts behind every id, by bytes.
END_OF_IDS = "~"
# No version has a higher number: the column's largest.
END_OF_VERSIONS = 2**31 - 1
_FORM = re.compile(rf"([0-9]{{1,18}})(?::({re.escape(FLEET_ID)}|{ID_PATTERN.pattern})(?::([1-9][0-9]{{0,8}}))?)?")


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """Everything up to here was read: of the transaction at `position` the versions up to this one, or all."""

    position: int
    config_id: str = END_OF_IDS
    version: int = END_OF_VERSIONS

    @classmethod
    def parse(cls, text: str) -> Self:
        """`42`, `42:trader_a` or `42:trader_a:7`. Raises ValueError."""
        found = _FORM.fullmatch(text)
        if found is None:
            raise ValueError(_("must be a cursor of an earlier answer, or 0 for the beginning"))
        return cls(int(found[1]), found[2] or END_OF_IDS, int(found[3]) if found[3] else END_OF_VERSIONS)

    def __str__(self) -> str:
        parts = [str(self.position)]
        if self.config_id != END_OF_IDS:
            parts.append(self.config_id)
            if self.version != END_OF_VERSIONS:
                parts.append(str(self.version))
        return ":".join(parts)
