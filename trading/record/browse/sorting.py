"""The orders that a list of the record offers: heads of columns, and a list of choices for pages without heads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.views.main import ORDER_VAR
from django.utils.translation import gettext as _


@dataclass(frozen=True, slots=True)
class ColumnHead:
    """`sort` is the value of aria-sort, empty for a column that the list is not sorted by; `falls` tells the order that
    `url` leads to. No `url`: the list cannot be sorted by it."""

    label: str
    css: str
    url: str
    sort: str
    falls: bool


def heads(
    columns: Sequence[Any], order: str, at: str, address: Callable[[dict[str, Any]], str]
) -> Iterator[ColumnHead]:
    """`order` is the column that the list is sorted by, with a minus where it falls; `at` is the column of time, whose
    falling order is that of an address without any."""
    is_falling, sorted_by = order.startswith("-"), order.removeprefix("-")
    for place, column in enumerate(columns):
        name = column.admin_order_field
        is_sorted = name is not None and name == sorted_by
        # A first click shows the largest figures, or the first words.
        falls = not is_falling if is_sorted else is_figure(column) or name == at
        asked = None if name == at and falls else f"{'-' if falls else ''}{place}"
        url = address({ORDER_VAR: asked}) if name else ""
        sort = ("descending" if is_falling else "ascending") if is_sorted else ""
        yield ColumnHead(column.short_description, column.css, url, sort, falls)


def orders(columns: Sequence[Any], at: str) -> Iterator[tuple[str, str]]:
    """(value in the address, words) of each order."""
    for place, column in enumerate(columns):
        what, name = {"column": column.short_description}, column.admin_order_field
        if name == at:
            yield from (("", _("Newest first")), (str(place), _("Oldest first")))
        elif name and is_figure(column):
            yield f"-{place}", _("%(column)s, highest first") % what
            yield str(place), _("%(column)s, lowest first") % what
        elif name:
            yield str(place), _("By %(column)s") % what
            yield f"-{place}", _("By %(column)s, backwards") % what


def is_figure(column: Any) -> bool:
    return "figure" in column.css
