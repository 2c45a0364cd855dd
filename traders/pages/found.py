"""What the search of the site finds, in any of its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MOST_EACH = 8
"""Of one kind: who sees more than that types more."""


@dataclass(frozen=True, slots=True)
class Found:
    """A line of the answer: what leads to `url`, with a faint `note`."""

    title: str
    note: str
    url: str


@dataclass(frozen=True, slots=True)
class FoundKind:
    """Lines under one heading; `has_more`: there are others, which were left out."""

    heading: str
    icon: str
    lines: Sequence[Found]
    has_more: bool = False
