"""A record laid out by its declaration: every leaf with its label and unit, in sections and in tables of lists.

A leaf that no section names stands in the last one, so that a new leaf of the schema needs nothing here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from trading.record.tickets.values import shown
from trading.schema.leaf import Kind, Leaf, Part, leaves_of
from trading.templatetags.record import NONE

Json = Mapping[str, Any]
Layout = Sequence[tuple[str | Promise, tuple[str, ...]]]
FIGURES = frozenset({Kind.MONEY, Kind.PRICE, Kind.QUANTITY, Kind.NUMBER, Kind.PERCENT, Kind.COUNT, Kind.SECONDS})
_DETAIL = "detail."


@dataclass(frozen=True, slots=True)
class Fact:
    path: str
    label: str
    unit: str
    help: str
    value: str
    kind: Kind

    @property
    def is_known(self) -> bool:
        return self.value != NONE

    @property
    def is_long(self) -> bool:
        return self.kind is Kind.LONG_TEXT

    @property
    def is_figure(self) -> bool:
        return self.kind in FIGURES


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    facts: list[Fact]

    @property
    def is_recorded(self) -> bool:
        return any(fact.is_known for fact in self.facts)


@dataclass(frozen=True, slots=True)
class TableRow:
    """`texts` are the long leaves of the row, which stand below its cells."""

    cells: list[Fact]
    texts: list[Fact]

    @property
    def says_more(self) -> bool:
        return any(text.is_known for text in self.texts)


@dataclass(frozen=True, slots=True)
class LeafTable:
    """A list of parts. `heads` have no value; `is_recorded` tells an empty list from one that was not kept."""

    heads: list[Fact]
    texts: list[Fact]
    rows: list[TableRow]
    is_recorded: bool

    @property
    def says_more(self) -> bool:
        """Whether a long text of any row is known. Where none is, one line of dashes speaks for all."""
        return any(row.says_more for row in self.rows)


def sections(model: type[Part], detail: Json, layout: Layout, *, trader_id: str, further: str = "") -> list[Section]:
    """By the layout's patterns of paths (`pnl.*`); what it leaves out comes last, lists aside."""
    left = {leaf.path.removeprefix(_DETAIL): leaf for leaf in leaves_of(model) if "[]" not in leaf.path}
    built = []
    for title, patterns in layout:
        paths = [path for pattern in patterns for path in left if fnmatchcase(path, pattern)]
        found = [left.pop(path) for path in dict.fromkeys(paths)]
        built.append(Section(str(title), facts(found, detail, trader_id)))
    if left:
        built.append(Section(further or _("Further"), facts(left.values(), detail, trader_id)))
    return built


def facts(leaves: Iterable[Leaf], detail: Json, trader_id: str) -> list[Fact]:
    return [_fact(leaf, value_at(detail, leaf.path.removeprefix(_DETAIL)), trader_id) for leaf in leaves]


def table(model: type[Part], detail: Json, name: str, *, trader_id: str) -> LeafTable:
    """The list `detail.name` with a column for each leaf of its items."""
    prefix = f"{_DETAIL}{name}[]."
    leaves = [leaf for leaf in leaves_of(model) if leaf.path.startswith(prefix)]
    columns, long = ([leaf for leaf in leaves if _is_long(leaf) is told] for told in (False, True))
    items = detail.get(name)
    return LeafTable(
        heads=[_fact(leaf, None, trader_id) for leaf in columns],
        texts=[_fact(leaf, None, trader_id) for leaf in long],
        rows=[
            TableRow(
                [_fact(leaf, item.get(leaf.path.removeprefix(prefix)), trader_id) for leaf in columns],
                [_fact(leaf, item.get(leaf.path.removeprefix(prefix)), trader_id) for leaf in long],
            )
            for item in items or ()
        ],
        is_recorded=items is not None,
    )


def value_at(detail: Json, path: str) -> Any:
    found: Any = detail
    for name in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return found


def _fact(leaf: Leaf, value: Any, trader_id: str) -> Fact:
    return Fact(
        path=leaf.path,
        label=_(leaf.label),
        unit=_(leaf.unit) if leaf.unit else "",
        help=_(leaf.help) if leaf.help else "",
        value=shown(leaf, value, trader_id),
        kind=leaf.kind,
    )


def _is_long(leaf: Leaf) -> bool:
    return leaf.kind is Kind.LONG_TEXT
