"""How a batch of records meets what is recorded already."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

Row = TypeVar("Row")
Key = TypeVar("Key", bound=Hashable)


@dataclass
class WriteOutcome:
    """Of a batch: what was new, what was recorded already, and the ids that other content has taken, each with the
    place of its record in the batch. `set_aside` of the known count nowhere, and still do not."""

    inserted: int = 0
    known: int = 0
    set_aside: int = 0
    conflicts: list[str] = field(default_factory=list)
    conflicts_at: list[int] = field(default_factory=list)


def sorted_out(
    batch: Iterable[Row],
    stored: Mapping[Key, object],
    *,
    key: Callable[[Row], Key],
    content: Callable[[Row], object],
    name: Callable[[Row], str],
) -> tuple[list[Row], WriteOutcome]:
    """The new ones, and the outcome once they are written. The same key twice in a batch is held to the same rule:
    the first stands, equal ones are known, others conflict."""
    outcome = WriteOutcome()
    new: dict[Key, Row] = {}
    for place, row in enumerate(batch):
        taken = stored.get(key(row))
        if taken is None and key(row) not in new:
            new[key(row)] = row
        elif (content(new[key(row)]) if taken is None else taken) == content(row):
            outcome.known += 1
        else:
            outcome.conflicts.append(name(row))
            outcome.conflicts_at.append(place)
    outcome.inserted = len(new)
    return list(new.values()), outcome
