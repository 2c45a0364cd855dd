"""The change list of the record: its filter form, its sums, and the rows that cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin.views.main import ORDER_VAR
from django.db.models import JSONField, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.fields.json import KT
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from traders.models import TraderConfig
from traders.pages.keyset import KeysetChangeList
from traders.schema.jsonio import ExactDecoder
from trading.models import Symbol
from trading.record.browse import services as record_export
from trading.record.browse import totals
from trading.record.browse.columns import RowWriter
from trading.record.browse.forms import DecisionFilterForm, PositionFilterForm, RecordFilterForm, TradeFilterForm
from trading.record.browse.queries import ONLY_ASIDE
from trading.record.browse.services import Exported
from trading.record.exclusions import queries as exclusions
from trading.record.exclusions.admin import may_exclude
from trading.record.stored import rows
from trading.record.stored.bounded import TookTooLong, time_limit
from trading.record.stored.unreadable import note
from trading.schema.exclusion import RecordKind
from trading.schema.tolerant import NotReadable, Reading
from trading.schema.unreadable import Unreadable

PAGE_LIMIT_MS = 5_000
OFFERED = 500
"""Ids and symbols offered in the filter; any other trader can be typed."""
_WITHOUT_TEXTS = """
CASE WHEN jsonb_typeof(detail) = 'object' THEN detail - 'prompt' - 'answer' ELSE detail END
"""


@dataclass(frozen=True)
class RecordListing:
    """What makes one list of the record differ from another. `rows` reads the columns that the list needs; `read` gives
    the `detail` of a row, or raises NotReadable."""

    form: type[RecordFilterForm]
    exported: Exported
    rows: Callable[[QuerySet[Any]], QuerySet[Any]]
    read: Callable[[Any], Reading[Any]]
    totals: Callable[..., Any]
    kind: RecordKind
    words: Mapping[str, Any]
    sums_template: str
    command: str = "import_arena"


def _whole_rows(matching: QuerySet[Any]) -> QuerySet[Any]:
    return matching


def _decisions_without_texts(matching: QuerySet[Any]) -> QuerySet[Any]:
    """A prompt and its answer may be very long, and a list shows the model alone."""
    brief = RawSQL(_WITHOUT_TEXTS, [], output_field=JSONField(decoder=ExactDecoder))
    found: QuerySet[Any] = matching.defer("detail").annotate(brief=brief, model=KT("detail__answer__model"))
    return found


def _read_decision(row: Any) -> Reading[Any]:
    row.detail = row.brief
    return rows.decision_detail(row)


TRADE_LIST = RecordListing(
    form=TradeFilterForm,
    exported=record_export.TRADE,
    rows=_whole_rows,
    read=rows.trade_detail,
    totals=totals.of_trades,
    kind=RecordKind.TRADE,
    words={
        "find": _("Find trades"),
        "none_matches": _("No trade matches"),
        "none_yet": _("No trades yet"),
        "open": _("Ticket"),
    },
    sums_template="trading/list/sums_of_trades.html",
)
POSITION_LIST = RecordListing(
    form=PositionFilterForm,
    exported=record_export.POSITION,
    rows=_whole_rows,
    read=rows.position_detail,
    totals=totals.of_positions,
    kind=RecordKind.POSITION,
    words={
        "find": _("Find positions"),
        "none_matches": _("No position matches"),
        "none_yet": _("No positions yet"),
        "open": _("Ticket"),
    },
    sums_template="trading/list/sums_of_positions.html",
)
DECISION_LIST = RecordListing(
    form=DecisionFilterForm,
    exported=record_export.DECISION,
    rows=_decisions_without_texts,
    read=_read_decision,
    totals=totals.of_decisions,
    kind=RecordKind.DECISION,
    words={
        "find": _("Find decisions"),
        "none_matches": _("No decision matches"),
        "none_yet": _("No decisions yet"),
        "open": _("Open"),
    },
    sums_template="trading/list/sums_of_decisions.html",
    command="import_journal",
)


def filter_form(request: HttpRequest, listing: RecordListing) -> RecordFilterForm:
    symbols = Symbol.objects.order_by("pk").values_list("pk", flat=True)[:OFFERED]
    return listing.form(request.GET, symbols=list(symbols))


class RecordChangeList(KeysetChangeList):
    """The change list of trades, positions or decisions.

    Instead of Django's list filters it has one form, whose names are those of the addresses. Each row of `result_list`
    has a `reading`; a row that cannot be read has a `problem` instead. Nothing is listed while the form has errors, or
    if the filter takes too long.
    """

    filter_form: RecordFilterForm
    totals: Any = None
    too_long = False

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.may_exclude = may_exclude(request)
        self.write_cells = RowWriter(self.list_display)

    @property
    def listing(self) -> RecordListing:
        record_admin: Any = self.model_admin
        found: RecordListing = record_admin.listing
        return found

    def get_filters_params(self, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """The form filters; any other name in the address means nothing."""
        return {}

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        form = self.filter_form = filter_form(request, self.listing)
        self.asked = form.asked()
        kept = {**self.asked, **{name: self.params[name] for name in (ORDER_VAR,) if name in self.params}}
        self.filter_params = {name: [text] for name, text in kept.items()}
        table = self.listing.exported.table
        self.root_queryset = self.listing.rows(table.matching(form.where())) if form.is_valid() else table.rows.none()
        found: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        return found

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.by_time = not self.is_oldest_first
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
                return super().fetch(rows)
        except TookTooLong:
            self.too_long = True
            return []

    def _read_rows(self) -> None:
        for row in self.result_list:
            row.reading = row.problem = None
            try:
                row.reading = self.listing.read(row)
            except NotReadable as refused:
                row.problem = Unreadable(row._meta.db_table, str(row.pk), refused.path, refused.reason)
                note(row.problem)

    # For the template:

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
    def aside_query(self) -> str:
        return urlencode({**self.asked, "aside": ONLY_ASIDE})

    @property
    def traders(self) -> QuerySet[TraderConfig, str]:
        """Ids offered in the filter."""
        return TraderConfig.objects.order_by("pk").values_list("pk", flat=True)[:OFFERED]

    @property
    def is_oldest_first(self) -> bool:
        return not str(self.queryset.query.order_by[0]).startswith("-")

    @property
    def turn_url(self) -> str:
        """The same list in the other order of time, which is the order of the first column."""
        return self.get_query_string({ORDER_VAR: None if self.is_oldest_first else "0"})
