"""A record laid out by its declaration: every leaf with its label and unit, in sections and in tables of lists.

Leaves that no section of the layout names are in the last section, so that a new leaf of the schema appears by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from django.utils.functional import Promise
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traders.words.messages import translated
from trading.record.tickets.values import shown
from trading.schema.leaf import Leaf, LeafKind, Part, leaves_of
from trading.templatetags.record import NONE

Json = Mapping[str, Any]
Layout = tuple[tuple[str, str | Promise, tuple[str, ...]], ...]
"""(name, title, patterns of paths such as `pnl.*`) of each section."""
FURTHER = "further"
FIGURES = frozenset(
    {
        LeafKind.MONEY,
        LeafKind.PRICE,
        LeafKind.QUANTITY,
        LeafKind.NUMBER,
        LeafKind.PERCENT,
        LeafKind.COUNT,
        LeafKind.SECONDS,
    }
)
_DETAIL = "detail."


class LeafField:
    """A leaf as a read-only field of the admin: a callable that writes the leaf's value of a row.

    The row has `shown_detail`, which is `detail` as JSON holds it.
    """

    do_not_call_in_templates = True

    def __init__(self, leaf: Leaf) -> None:
        self.leaf = leaf
        self.__name__ = leaf.path

    @property
    def short_description(self) -> str:
        return translated(self.leaf.label)

    def __call__(self, row: Any) -> SafeString:
        value = value_at(row.shown_detail, self.leaf.path.removeprefix(_DETAIL))
        return conditional_escape(shown(self.leaf, value, row.trader_id))


@dataclass(frozen=True, slots=True)
class Fact:
    """A leaf with its value as the page writes it."""

    path: str
    label: str
    unit: str
    help: str
    value: str
    kind: LeafKind

    @property
    def is_known(self) -> bool:
        return self.value != NONE

    @property
    def is_long(self) -> bool:
        return self.kind is LeafKind.LONG_TEXT

    @property
    def is_figure(self) -> bool:
        return self.kind in FIGURES


@dataclass(frozen=True, slots=True)
class FactSection:
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
    """A list of parts. `heads` have no value; `is_recorded` tells an empty list from one that was not kept. `silent`
    are the leaves that no row knows: they have no column, and stand below by name."""

    heads: list[Fact]
    silent: list[Fact]
    texts: list[Fact]
    rows: list[TableRow]
    is_recorded: bool

    @property
    def says_more(self) -> bool:
        """Whether a long text of any row is known. If none is, one line of dashes speaks for all."""
        return any(row.says_more for row in self.rows)


@cache
def fieldsets(model: type[Part], layout: Layout) -> tuple[tuple[str | Promise, dict[str, Any]], ...]:
    """All leaves of `model` outside lists as fieldsets of the admin; `classes` holds the section's name."""
    left = {leaf.path.removeprefix(_DETAIL): LeafField(leaf) for leaf in leaves_of(model) if "[]" not in leaf.path}
    built = []
    for name, title, patterns in layout:
        paths = [path for pattern in patterns for path in left if fnmatchcase(path, pattern)]
        fields = tuple(left.pop(path) for path in dict.fromkeys(paths))
        built.append((title, {"fields": fields, "classes": (name,)}))
    if left:
        built.append((gettext_lazy("Further"), {"fields": tuple(left.values()), "classes": (FURTHER,)}))
    return tuple(built)


def sections(adminform: Iterable[Any]) -> dict[str, FactSection]:
    """The fieldsets of a change form by their names."""
    return {
        fieldset.classes: FactSection(
            str(fieldset.name),
            [_fact(field.field["field"].leaf, field.contents()) for line in fieldset for field in line],
        )
        for fieldset in adminform
    }


def table(model: type[Part], detail: Json, name: str, *, trader_id: str) -> LeafTable:
    """The list `detail.name` with a column for each leaf that one of its items knows."""
    prefix = f"{_DETAIL}{name}[]."
    leaves = [leaf for leaf in leaves_of(model) if leaf.path.startswith(prefix)]
    short = [leaf for leaf in leaves if leaf.kind is not LeafKind.LONG_TEXT]
    long = [leaf for leaf in leaves if leaf.kind is LeafKind.LONG_TEXT]
    items = detail.get(name)
    known = [
        leaf for leaf in short if any(item.get(leaf.path.removeprefix(prefix)) is not None for item in items or ())
    ]

    def facts(some: Sequence[Leaf], item: Json) -> list[Fact]:
        return [_fact(leaf, shown(leaf, item.get(leaf.path.removeprefix(prefix)), trader_id)) for leaf in some]

    return LeafTable(
        heads=facts(known, {}),
        silent=facts([leaf for leaf in short if leaf not in known], {}),
        texts=facts(long, {}),
        rows=[TableRow(facts(known, item), facts(long, item)) for item in items or ()],
        is_recorded=items is not None,
    )


def value_at(detail: Json, path: str) -> Any:
    found: Any = detail
    for name in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return found


def items_at(detail: Any, path: str) -> list[Mapping[str, Any]]:
    """The objects of a list in a detail that was not checked; empty where there is no such list."""
    found = value_at(detail, path)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list | tuple) else []


def _fact(leaf: Leaf, value: str) -> Fact:
    return Fact(
        path=leaf.path,
        label=translated(leaf.label),
        unit=_(leaf.unit) if leaf.unit else "",
        help=_(leaf.help) if leaf.help else "",
        value=value,
        kind=leaf.kind,
    )
