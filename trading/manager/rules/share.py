"""Which traders a manager runs: all, named ones, or every n-th."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from traders.schema.messages import _

T = TypeVar("T")
_FORM = re.compile(r"([1-9][0-9]{0,3})/([1-9][0-9]{0,3})")


@dataclass(frozen=True, slots=True)
class FleetShare:
    """`traders` empty: all, or of all the part `number` of `parts`."""

    traders: tuple[str, ...] = ()
    number: int = 1
    parts: int = 1

    @classmethod
    def read(cls, text: str) -> FleetShare:
        """`2/3`: the second of three parts. Raises ValueError."""
        found = _FORM.fullmatch(text)
        if found is None or int(found[1]) > int(found[2]):
            raise ValueError(_("must be i/n with i from 1 to n, was %(text)s", text=text))
        return cls((), int(found[1]), int(found[2]))

    @property
    def name(self) -> str:
        """The same for the same share: the lock is made of it."""
        return ",".join(sorted(self.traders)) if self.traders else f"{self.number}/{self.parts}"

    @property
    def words(self) -> str:
        if self.traders:
            return ", ".join(self.traders)
        return "all traders" if self.parts == 1 else f"part {self.number} of {self.parts} of the traders"

    def of(self, traders: Mapping[str, T]) -> dict[str, T]:
        if self.traders:
            return {name: one for name, one in traders.items() if name in self.traders}
        return {name: one for name, one in traders.items() if _part(name, self.parts) == self.number}


def _part(trader_id: str, parts: int) -> int:
    """From 1 on; of the id alone, so that no other trader moves it."""
    return 1 + int.from_bytes(hashlib.blake2b(trader_id.encode(), digest_size=8).digest()) % parts
