"""A place in the order of all changes. Positions rise with the order of commits; within one transaction the controls
come first, then the configurations by id, and their versions by number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from traders.schema.messages import _
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.trader import ID_PATTERN

# It sorts after every id, by bytes.
END_OF_IDS = "~"
# In the place of a control, this is the id of the configuration, and the id of the control is the version. It sorts
# before every id, by bytes.
CONTROLS = "-"
# The largest number of the column, so no version has a higher one.
END_OF_VERSIONS = 2**31 - 1
_FORM = re.compile(
    rf"([0-9]{{1,18}})(?::({CONTROLS}|{re.escape(FLEET_ID)}|{ID_PATTERN.pattern})(?::([1-9][0-9]{{0,8}}))?)?"
)


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """Everything up to this place was read; of the transaction at `position`, the controls and versions up to this one
    or all."""

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
