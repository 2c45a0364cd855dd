"""Hooks by which the layer above adds to pages of this layer, which does not import it.

That layer's admin appends at its start; a page calls what it finds, in order, and shows nothing where there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest


@dataclass(frozen=True)
class Beside:
    """What stands beside the versions of a history: `heads` of columns, and `cells` of each version in their order.
    `lines` are further ones below the first version, as (label, key in `cells`); `note` says how all is meant."""

    heads: Sequence[str] = ()
    cells: dict[int, list[Any]] = field(default_factory=dict)
    lines: Sequence[tuple[str, int]] = ()
    note: str = ""


trader_links: list[Callable[[HttpRequest, str], Sequence[tuple[str, str]]]] = []
"""(request, trader's id) -> (words, address) of further pages of that trader."""

change_set_links: list[Callable[[HttpRequest, int], Sequence[tuple[str, str]]]] = []
"""(request, change set) -> (words, address) of what is known elsewhere of its outcome."""

beside_versions: list[Callable[[HttpRequest, str, Sequence[int]], Beside | None]] = []
"""(request, trader's id, the versions shown) -> what stands beside them. A few queries for all of them."""
