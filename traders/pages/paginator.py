"""A paginator for lists with computed columns."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator


class PagesByKey(Paginator[Any]):
    """Reads the keys of a page first, then only those rows. With a plain OFFSET, PostgreSQL computes the columns of all
    rows that it skips."""

    def page(self, number: int | str) -> Page[Any]:
        found = super().page(number)
        every: Any = self.object_list
        shown: Any = found.object_list
        found.object_list = every.filter(pk__in=list(shown.values_list("pk", flat=True)))
        return found
