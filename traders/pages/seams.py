"""Hooks by which the layer above adds to pages of this layer, which does not import it.

That layer's admin appends at its start; a page calls what it finds, in order, and shows nothing where there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.safestring import SafeString

from traders.schema.paths import Change

if TYPE_CHECKING:
    from traders.pages.config_page import ConfigPage


@dataclass(frozen=True)
class Beside:
    """What stands beside the versions of a history: `heads` of columns, and `cells` of each version in their order.
    `lines` are further ones below the first version, as (label, key in `cells`); `note` says how all is meant."""

    heads: Sequence[str] = ()
    cells: dict[int, list[Any]] = field(default_factory=dict)
    lines: Sequence[tuple[str, int]] = ()
    note: str = ""


@dataclass(frozen=True)
class TraderPart:
    """A part of a trader's page. `write(page)` gives its HTML, "" where there is nothing to show or the account may not
    see it; what it raises is said in its place. `key` names it in addresses; parts stand in order of `place`.
    `is_live`: the page reads it again by itself. `writes`: it keeps what it worked out, so it shares no transaction."""

    key: str
    title: str | Promise
    place: int
    write: Callable[[ConfigPage], SafeString | str]
    is_live: bool = False
    writes: bool = False


@dataclass(frozen=True, slots=True)
class TraderBeyond:
    """A trader with open positions beyond limits, or with some that cannot be checked (`is_beyond` False): a sentence
    of each limit. `pinned` is the version that runs on whatever is saved."""

    trader_id: str
    lines: list[str]
    is_beyond: bool
    pinned: int | None


@dataclass(frozen=True, slots=True)
class PositionsBeyond:
    """What changed limits mean for the `checked` traders that hold something: those beyond them first, then those that
    cannot be checked. `problem`: why they could not be compared at all."""

    traders: Sequence[TraderBeyond] = ()
    checked: int = 0
    problem: str = ""


top_bar: list[Callable[[HttpRequest], SafeString | str]] = []
"""(request) -> what stands in the top bar of every page, as HTML; empty: nothing. It must look at the account's rights:
the page of the login asks too."""

trader_links: list[Callable[[HttpRequest, str], Sequence[tuple[str, str, str]]]] = []
"""(request, trader's id) -> (key, words, address) of further pages of that trader, which are its tabs. Such a page
shows `traders/parts/trader_head.html` with the key as its `tab`."""

change_set_links: list[Callable[[HttpRequest, int], Sequence[tuple[str, str]]]] = []
"""(request, change set) -> (words, address) that say what is known elsewhere of its result."""

config_sections: list[Callable[[ConfigPage], SafeString | str]] = []
"""(page of a trader or of the fleet's settings) -> a further section of its settings page, as HTML; empty: nothing. It
must look at the account's rights."""

beside_versions: list[Callable[[HttpRequest, str, Sequence[int]], Beside | None]] = []
"""(request, trader's id, the versions shown) -> what stands beside them. A few queries for all of them."""

trader_parts: list[TraderPart] = []
"""Parts of the page of each trader, beside those of this layer."""

positions_beyond: list[Callable[[HttpRequest, Mapping[str, Sequence[Change]]], SafeString | str]] = []
"""(request, {trader's id: previewed changes}) -> what they do to open positions, as HTML; empty: nothing. It must look
at the account's rights, and costs a few queries for however many traders."""

found_beyond: list[Callable[[Mapping[str, Sequence[Change]]], PositionsBeyond | None]] = []
"""({trader's id: changes}) -> the same for commands, which ask no account. None: they move no limit of anybody who
holds something."""

beside_traders: list[Callable[[HttpRequest, Sequence[str]], Sequence[tuple[str, Sequence[Any]]]]] = []
"""(request, traders' ids) -> (label, a cell for each of them): how they did, beside what they are told."""
