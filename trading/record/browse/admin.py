"""The change list of the record: its filter form, its sums, and the rows that cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin.views.main import ORDER_VAR
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from traders.database.apart import TookTooLong, time_limit
from traders.pages.config_page import ConfigPage, trader_head
from traders.pages.keyset import KeysetChangeList
from traders.versions.changelog.queries import actors
from traders.words.trader_field import offered_traders, only_one
from trading.models import Symbol
from trading.record.browse import queries as browse
from trading.record.browse.columns import RowWriter
from trading.record.browse.forms import EVERY, RecordFilterForm
from trading.record.browse.listings import RecordListing
from trading.record.browse.presets import PeriodPreset, period_words
from trading.record.browse.queries import NO_FUNDING, ONLY_ASIDE, RecordFilter, RecordTable
from trading.record.browse.sorting import ColumnHead, heads, orders
from trading.record.browse.tables import DECISIONS
from trading.record.exclusions import queries as exclusions
from trading.record.exclusions.admin import may_exclude
from trading.record.stored.unreadable import note
from trading.schema.tolerant import UnreadableLeaf
from trading.schema.unreadable import Unreadable

PAGE_LIMIT_MS = 5_000
PRESERVED = "_changelist_filters"
"""Holds the list's query in the address of a ticket, under Django's own name for it."""
SORTED = 10_000
"""The newest rows that are sorted by a column whose order no index keeps."""
OFFERED = 500
"""Symbols offered in the filter."""


def filter_form(given: QueryDict, listing: RecordListing) -> RecordFilterForm:
    symbols = Symbol.objects.order_by("pk").values_list("pk", flat=True)[:OFFERED]
    return listing.form(given, symbols=list(symbols), people=actors())


@dataclass(frozen=True, slots=True)
class FilterLink:
    words: str
    url: str
    is_chosen: bool


class RecordChangeList(KeysetChangeList):
    """The change list of trades, positions or decisions.

    Instead of Django's list filters it has one form, whose names are those of the addresses. Each row of `result_list`
    has a `reading`; a row that cannot be read has a `problem` instead. Nothing is listed while the form has errors, or
    if the filter takes too long.
    """

    filter_form: RecordFilterForm
    totals: Any = None
    too_long = False
    sorted_by = ""
    sorted_among: int | None = None
    """How many of the newest rows are sorted, where that is not all of them."""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.request = request
        self.may_exclude = may_exclude(request)
        self.write_cells = RowWriter(self.list_display)

    @property
    def listing(self) -> RecordListing:
        record_admin: Any = self.model_admin
        found: RecordListing = record_admin.listing
        return found

    @property
    def table(self) -> RecordTable:
        return self.listing.exported.table

    def get_filters_params(self, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """The form filters; any other name in the address means nothing."""
        return {}

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        form = self.filter_form = filter_form(request.GET, self.listing)
        self.asked = form.asked()
        self._order_asked = {ORDER_VAR: self.params[ORDER_VAR]} if ORDER_VAR in self.params else {}
        kept = {**self.asked, **self._order_asked}
        self.filter_params = {name: [text] for name, text in kept.items()}
        self.root_queryset = self._matching(request, form.where()) if form.is_valid() else self.table.rows.none()
        found: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        return found

    def _matching(self, request: HttpRequest, where: RecordFilter) -> QuerySet[Any]:
        """All rows where an index keeps the order that is asked for, else the newest."""
        table = self.table
        found = self.listing.rows(table.matching(where))
        name = self.sorted_by = str(self.get_ordering(request, table.rows)[0]).removeprefix("-")
        if name == table.at:
            return found
        self.with_unknown = (name,)
        if name in table.leaves:
            found = found.annotate(**{name: table.leaves[name]})
        if name in table.in_order:
            return found
        try:
            with time_limit(PAGE_LIMIT_MS):
                among = browse.newest(table, where, SORTED)
        except TookTooLong:
            self.too_long = True
            return found.none()
        self.sorted_among = SORTED if among else None
        return found.filter(among) if among else found

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.by_time = self.sorted_by == self.table.at and not self.is_oldest_first
        self._read_rows()
        self.asides = exclusions.by_ids(row.exclusion_id for row in self.result_list)
        self.unreadable = sum(bool(row.problem) for row in self.result_list)
        if self.filter_form.is_valid() and not self.too_long:
            try:
                self.totals = self.listing.totals(self.filter_form.where())
            except TookTooLong:
                self.too_long = True

    def fetch(self, rows: QuerySet[Any]) -> list[Any]:
        try:
            with time_limit(PAGE_LIMIT_MS):
                found = super().fetch(rows)
                self.listing.complete(found)
                return found
        except TookTooLong:
            self.too_long = True
            return []

    def _read_rows(self) -> None:
        for row in self.result_list:
            row.reading = row.problem = None
            try:
                row.reading = self.listing.read(row)
            except UnreadableLeaf as refused:
                row.problem = Unreadable(row._meta.db_table, str(row.pk), refused.path, refused.reason)
                note(row.problem)

    # For the template:

    @property
    def trader_head(self) -> ConfigPage | None:
        """Of the trader that the list is narrowed to."""
        form = self.filter_form
        return trader_head(self.request, only_one(form.cleaned_data["trader"])) if form.is_valid() else None

    @property
    def has_sums(self) -> bool:
        return bool(self.result_list or (self.totals and self.totals.set_aside))

    @property
    def shows_aside_only(self) -> bool:
        return self.asked.get("aside") == ONLY_ASIDE

    @property
    def asked_query(self) -> str:
        return urlencode(self.asked)

    @property
    def ticket_query(self) -> str:
        """Of the links to tickets: the filter that the tickets beside are looked for in. A list of decisions always has
        one."""
        within = self.asked_query or ("outcome=" if self.table is DECISIONS else "")
        return f"?{urlencode({PRESERVED: within})}" if within else ""

    @property
    def aside_query(self) -> str:
        return urlencode({**self.asked, "aside": ONLY_ASIDE})

    @property
    def no_funding_query(self) -> str:
        return urlencode({**self.asked, "outcome": NO_FUNDING})

    @property
    def traders(self) -> list[tuple[str, str]]:
        return offered_traders()

    @property
    def presets(self) -> list[FilterLink]:
        """Of the period, and of what a decision did."""
        found = [self._preset("period", preset.value, period_words(preset)) for preset in PeriodPreset]
        if self.table is DECISIONS:
            found += [
                self._preset("outcome", "", _("Did something")),
                self._preset("outcome", EVERY, _("All decisions")),
            ]
        return found

    def _preset(self, name: str, value: str, words: str) -> FilterLink:
        """A second click on a preset of the period takes it away again."""
        is_chosen = self.asked.get(name, "") == value
        others = {key: text for key, text in self.asked.items() if key not in (name, "since", "until")}
        if name != "period":
            others = {key: text for key, text in self.asked.items() if key != name}
        query = others if not value or (is_chosen and name == "period") else {**others, name: value}
        return FilterLink(words, f"?{urlencode({**query, **self._order_asked})}", is_chosen)

    @property
    def is_oldest_first(self) -> bool:
        """Of a list in the order of time."""
        return not str(self.queryset.query.order_by[0]).startswith("-")

    @property
    def turn_url(self) -> str:
        """The same list in the other order of time, which is the order of the first column."""
        return self.get_query_string({ORDER_VAR: None if self.is_oldest_first else "0"})

    @cached_property
    def heads(self) -> list[ColumnHead]:
        return list(
            heads(self.list_display, str(self.queryset.query.order_by[0]), self.table.at, self.get_query_string)
        )

    @property
    def orders(self) -> list[tuple[str, str, bool]]:
        """(value in the address, words, whether it is chosen), for a list of choices."""
        chosen = self.filter_params.get(ORDER_VAR, [""])[0].partition(".")[0]
        return [(value, words, value == chosen) for value, words in orders(self.list_display, self.table.at)]

    @property
    def sorted_words(self) -> str:
        """Says which rows were sorted where an index serves no order of all; empty where all are."""
        if self.sorted_among is None:
            return ""
        column = next(head.label for head in self.heads if head.sort)
        said = {"column": column, "n": f"{self.sorted_among:,}"}
        if self.totals and self.totals.newest is None:
            return _("Sorted by %(column)s among the newest %(n)s of %(count)s.") % {
                **said,
                "count": f"{self.totals.count:,}",
            }
        return _("Sorted by %(column)s among the newest %(n)s of all that match.") % said
