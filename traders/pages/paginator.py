"""Pages of a long list."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator


class PagesByKey(Paginator[Any]):
    """Finds the keys of a page first and reads those rows alone: PostgreSQL computes every column of the rows that an
    OFFSET passes over."""

    def page(self, number: int | str) -> Page[Any]:
        found = super().page(number)
        every: Any = self.object_list
        shown: Any = found.object_list
        found.object_list = every.filter(pk__in=list(shown.values_list("pk", flat=True)))
        return found
