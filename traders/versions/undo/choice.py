"""Which configurations of a change are meant: ticked in boxes, of which a page shows some, found by words of their ids.

The boxes of ten thousand traders do not fit on a page. So a page shows the first that match, names them as shown, and
carries the choice of all others along.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

MOST_BOXES = 100
"""More are found by their ids."""

ALL = "*"


@dataclass(frozen=True)
class ConfigChoice:
    """`chosen` of `offered`. `find` are words, of which an id holds one; empty finds all."""

    offered: tuple[str, ...]
    chosen: frozenset[str]
    find: str = ""

    @cached_property
    def matching(self) -> list[str]:
        words = [word.lower() for word in re.split(r"[\s,;]+", self.find) if word]
        return [name for name in self.offered if not words or any(word in name.lower() for word in words)]

    @cached_property
    def shown(self) -> list[str]:
        """Those with a box."""
        return self.matching[:MOST_BOXES]

    @property
    def unshown(self) -> int:
        """How many match beside those with a box."""
        return len(self.matching) - len(self.shown)

    @property
    def is_partial(self) -> bool:
        """Whether some of the offered have no box."""
        return len(self.shown) < len(self.offered)

    @property
    def carried(self) -> str:
        """The chosen ones without a box, for `choice_of`; `*` for all of them."""
        others = [name for name in self.offered if name not in set(self.shown)]
        chosen = [name for name in others if name in self.chosen]
        return ALL if others and len(chosen) == len(others) else " ".join(chosen)

    @property
    def is_all(self) -> bool:
        return len(self.chosen) == len(self.offered)

    def with_matching(self, *, ticked: bool) -> ConfigChoice:
        """All that match are chosen, or none of them; what does not match stays as it is."""
        found = frozenset(self.matching)
        return replace(self, chosen=self.chosen | found if ticked else self.chosen - found)


def choice_of(
    offered: Sequence[str], *, ticked: Sequence[str], shown: str, carried: str, find: str
) -> tuple[ConfigChoice, list[str]]:
    """The choice of a posted page, and the ids in it that are not offered. `shown` and `carried` are what the page
    wrote: a box that was shown and is not ticked is left out, whatever is carried."""
    had_boxes = set(shown.split())
    others = set(offered) if carried == ALL else set(carried.split())
    asked = set(ticked) | (others - had_boxes)
    chosen = asked & set(offered)
    return ConfigChoice(tuple(offered), frozenset(chosen), find), sorted(asked - set(offered))
