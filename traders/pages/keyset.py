"""A change list for tables of any length: each page begins after the last row of the page before."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

from django.contrib import messages
from django.contrib.admin.views.main import ORDER_VAR
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db.models import Field, GeneratedField, Model, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from unfold.views import ChangeList

OLDER, NEWER = "older", "newer"
"""Names in the address. The page lists what follows or precedes the place that the value names."""
PLACES = (OLDER, NEWER)
_SEPARATOR = "~"
_UNKNOWN = "!"
"""In a place, for the value of a row that has none. The same text as a value is quoted."""
_FIRST, _LAST = datetime(2, 1, 1, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)

Order = Sequence[tuple[str, Any, bool]]
"""(name, model field, whether it falls) of each column of the order; the last one is unique."""


class KeysetPaginator:
    """Stands where the theme's templates look for a paginator; it has links instead of page numbers."""

    template_name = "traders/parts/keyset_pages.html"


class KeysetChangeList(ChangeList):
    """The stock change list without COUNT and OFFSET.

    The columns of the order must be fields of the table or annotations, and never NULL. (Django declares every
    generated column as nullable; of these the list takes your word.) Those of `with_unknown` may be NULL: their rows
    come last in either direction. `sortable_by` names the columns that a person may sort by; name only those whose
    order an index serves. Other columns in the address are ignored, because Django checks `sortable_by` for the headers
    alone.

    For templates: `result_list` is the page; `newest_url`, `newer_url` and `older_url` lead to the pages beside it and
    are empty where there is none; `result_count` counts the rows of the page.

    A list of a table that stays small may set `counts`: then `result_count` is the number of rows that match, and
    `full_result_count` the number of all rows. `by_time` says that the newest row comes first.
    """

    counts = False
    by_time = True
    with_unknown: Collection[str] = ()

    def get_results(self, request: HttpRequest) -> None:
        order = self._order(self.queryset)
        start, backwards = self._start(request, order)
        found: list[Any] = []
        for rows in self._stretches(order, start, backwards):
            found += self.fetch(rows[: self.list_per_page + 1 - len(found)])
            if len(found) > self.list_per_page:
                break
        more, page = len(found) > self.list_per_page, found[: self.list_per_page]
        if backwards:
            page.reverse()
        has_newer, has_older = (more, True) if backwards else (bool(start), more)
        self.newer_url = self._page_url(NEWER, order, page[0]) if page and has_newer else ""
        self.older_url = self._page_url(OLDER, order, page[-1]) if page and has_older else ""
        self.newest_url = self.get_query_string() if start and (self.newer_url or not page) else ""
        self.result_list = page
        self.result_count = self.queryset.count() if self.counts else len(page)
        self.full_result_count = self.root_queryset.count() if self.counts else None
        self.show_full_result_count, self.show_admin_actions = self.counts, True
        self.paginator, self.multi_page, self.can_show_all = KeysetPaginator(), False, False

    def fetch(self, rows: QuerySet[Any]) -> list[Any]:
        """Reads the rows of a page and one more. A subclass may limit the time that this takes."""
        return list(rows)

    def _stretches(self, order: Order, start: list[Any] | None, backwards: bool) -> Iterator[QuerySet[Any]]:
        """What follows `start`, or precedes it nearest first: one queryset, or two where rows without a value come
        last, because no index holds those rows at the same end of both directions."""
        (name, _field, _falls), *others = order
        if name not in self.with_unknown:
            yield self._beyond(self.queryset, order, start, backwards)
            return
        known = self.queryset.filter(**{f"{name}__isnull": False})
        unknown = self.queryset.filter(**{f"{name}__isnull": True}).order_by(*self.queryset.query.order_by[1:])
        is_among_unknown = start is not None and start[0] is None
        stretches = [
            self._beyond(known, order, None if is_among_unknown else start, backwards),
            self._beyond(unknown, others, start[1:] if start and is_among_unknown else None, backwards),
        ]
        if start is None:
            yield from stretches
        elif backwards:
            yield from reversed(stretches if is_among_unknown else stretches[:1])
        else:
            yield from stretches[1:] if is_among_unknown else stretches

    def _beyond(self, rows: QuerySet[Any], order: Order, start: list[Any] | None, backwards: bool) -> QuerySet[Any]:
        if backwards:
            rows, order = rows.reverse(), _turned(order)
        if start is None:
            return rows
        kept = [
            stored_moment(self.model, name, value, start[-1])
            for (name, _field, _falls), value in zip(order, start, strict=True)
        ]
        return rows.filter(_beyond(order, kept))

    def get_filters_params(self, params: dict[str, Any] | None = None) -> dict[str, Any]:
        given: dict[str, Any] = super().get_filters_params(params)
        return {name: value for name, value in given.items() if name not in PLACES}

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        """Without the place: another filter or order begins at its first page."""
        return str(super().get_query_string(new_params, [*(remove or ()), *PLACES]))

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """The default order, its reverse, or one sortable column and then the primary key."""
        queryset = queryset.order_by()  # the default order, which Django appends to the one that is asked for
        asked = self.params.pop(ORDER_VAR, "").partition(".")[0]
        default: list[Any] = super().get_ordering(request, queryset)
        if not asked:
            return default
        self.params[ORDER_VAR] = asked
        found: list[Any] = super().get_ordering(request, queryset)
        for whole in (default, [_reversed(name) for name in default]):
            if found[0] == whole[0] or found == ["-pk"]:
                return whole
        return found

    def get_ordering_field(self, field_name: Any) -> Any:
        allowed = self.sortable_by is None or field_name in self.sortable_by
        return super().get_ordering_field(field_name) if allowed else None

    def _order(self, queryset: QuerySet[Any]) -> Order:
        order: list[tuple[str, Any, bool]] = []
        for name in queryset.query.order_by:
            if not isinstance(name, str):
                raise ImproperlyConfigured(f"{self.model_admin}: a keyset list is sorted by fields, not by {name!r}")
            bare = name.removeprefix("-")
            annotation = queryset.query.annotations.get(bare)
            if annotation is not None:
                order.append((bare, annotation.output_field, name.startswith("-")))
                continue
            field: Any = self.lookup_opts.pk if bare == "pk" else self.lookup_opts.get_field(bare)
            if field.null and bare not in self.with_unknown and not isinstance(field, GeneratedField):
                raise ImproperlyConfigured(
                    f"{self.model_admin}: a keyset list cannot be sorted by {bare!r}, it has NULL"
                )
            order.append((field.attname, field, name.startswith("-")))
        return order

    def _start(self, request: HttpRequest, order: Order) -> tuple[list[Any] | None, bool]:
        """The place that the address names, and whether the page lies before it."""
        for name in PLACES:
            text = request.GET.get(name)
            if not text:
                continue
            try:
                return _read_place(text, order, self.with_unknown), name == NEWER
            except ValidationError:
                said = _("“%(place)s” is not a place in this list. You see its first page.") % {"place": text[:80]}
                messages.warning(request, said)
        return None, False

    def _page_url(self, name: str, order: Order, row: Model) -> str:
        return self.get_query_string({name: _place(row, order)})


def _place(row: Model, order: Order) -> str:
    """`1760003600000~steady_long|BTC`: the row's values of the order's columns."""
    texts = (_text(getattr(row, name)) for name, _field, _falls in order)  # None: a row without a value
    return _SEPARATOR.join(_UNKNOWN if text is None else _quoted(text) for text in texts)


def _quoted(text: str) -> str:
    return quote(text, safe=" |:/+").replace(_SEPARATOR, "%7E")


def _text(value: Any) -> str | None:
    return value if value is None else value.isoformat() if isinstance(value, datetime) else str(value)


def _read_place(text: str, order: Order, with_unknown: Collection[str]) -> list[Any]:
    """None is a place among the rows without a value. Raises ValidationError."""
    parts = text.split(_SEPARATOR)
    if len(parts) != len(order):
        raise ValidationError("no place")
    return [
        None if part == _UNKNOWN and name in with_unknown else _read_value(field, unquote(part))
        for (name, field, _falls), part in zip(order, parts, strict=True)
    ]


def _read_value(field: Field[Any, Any], text: str) -> Any:
    column: Any = field.output_field if isinstance(field, GeneratedField) else field
    if "\x00" in text:
        raise ValidationError("no place")
    value = column.to_python(text)
    if value is None or (isinstance(value, datetime) and timezone.is_naive(value)):
        raise ValidationError("no place")
    return value


def stored_moment(model: type[Model], name: str, value: Any, pk: Any) -> Any:
    """`value`, or its expression where Python's time ends: PostgreSQL's moments go further, so that -infinity and each
    year before Christ are read as the same moment. The database knows which of them the row `pk` has."""
    if isinstance(value, datetime) and not _FIRST < value < _LAST:
        return Subquery(model._base_manager.filter(pk=pk).values(name)[:1])
    return value


def _beyond(order: Order, start: Sequence[Any]) -> Q:
    """The rows after `start`. The first condition of each level is the one that an index can begin at."""
    (name, _field, falls), *others = order
    past = Q(**{f"{name}__{'lt' if falls else 'gt'}": start[0]})
    if not others:
        return past
    from_here = Q(**{f"{name}__{'lte' if falls else 'gte'}": start[0]})
    return from_here & (past | _beyond(others, start[1:]))


def _turned(order: Order) -> Order:
    return [(name, field, not falls) for name, field, falls in order]


def _reversed(name: str) -> str:
    return name.removeprefix("-") if name.startswith("-") else f"-{name}"
