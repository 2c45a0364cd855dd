"""The tables of the record in the admin, read only: lists paged by key, tickets, and the pages beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets, quote, unquote
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponsePermanentRedirect,
    HttpResponseRedirect,
    QueryDict,
)
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path

from traders.pages.config_page import may_change_fleet
from traders.pages.grid import ReadOnlyAdmin
from trading.alarms import admin as alarms_admin  # noqa: F401  (importing registers the admins)
from trading.differences import admin as differences_admin  # noqa: F401  (importing registers the admin)
from trading.family.pages import family_view
from trading.guards import pages as guard_pages  # noqa: F401  (importing adds the section of guards)
from trading.imports.adopt import admin as adopt_admin  # noqa: F401  (importing registers the admin)
from trading.limits import pages as limit_pages  # noqa: F401  (importing adds positions beyond limits to previews)
from trading.live.page.admin import live_view
from trading.live.page.store import store_view, switch_view
from trading.managers import RecordQuerySet
from trading.models import DecisionJournal, EquityTransfer, Position, RecordExclusion, Trade
from trading.overview import pages as overview_pages  # noqa: F401  (importing sets the index page)
from trading.performance.pages import performance_csv, performance_view
from trading.record.browse import columns
from trading.record.browse.admin import PRESERVED, RecordChangeList, filter_form
from trading.record.browse.downloads import FORMATS, export_view
from trading.record.browse.listings import DECISION_LIST, POSITION_LIST, TRADE_LIST, RecordListing
from trading.record.browse.queries import RecordFilter, neighbours
from trading.record.browse.saved import LONGEST_NAME, query_of, remove_view, save_view, shown_filters
from trading.record.check.admin import unknown_leaves, unreadable_list, unreadable_view
from trading.record.corrections.admin import correct_view
from trading.record.exclusions.admin import change_view, chosen_row, log_view, may_exclude
from trading.record.pages import RecordPage
from trading.record.results.admin import results_view
from trading.record.stored import rows
from trading.record.tickets import admin as tickets
from trading.record.tickets import decision as decisions
from trading.record.tickets.equity import equity_view
from trading.record.tickets.leaves import Layout, fieldsets, sections
from trading.record.transfers.admin import TransferAdmin
from trading.replay.admin import replay_view
from trading.schema.exclusion import RecordKey, RecordKind
from trading.schema.ids import decision_name, read_decision_name
from trading.schema.tolerant import DetailReading, UnreadableLeaf
from trading.schema.unreadable import Unreadable
from trading.trader_page import pages as trader_pages  # noqa: F401  (importing adds the parts of a trader's page)


class RecordPagesAdmin(ReadOnlyAdmin):
    """The pages of a table of the record. They answer GET and HEAD."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def _path(self, route: str, view: Any, page: str, *, method: str = "GET") -> URLPattern:
        """The view, for accounts that may look at the table."""
        methods = ["GET", "HEAD"] if method == "GET" else [method]

        def checked(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
            if not self.has_view_permission(request):
                raise PermissionDenied
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            answer: HttpResponseBase = view(request, **arguments)
            return answer

        name = f"{self.opts.app_label}_{self.opts.model_name}_{page}"
        return path(route, self.admin_site.admin_view(checked), name=name)


class RecordAdmin(RecordPagesAdmin):
    """A table of the record: its list, its ticket, and its files.

    The list is sorted by time, or by a column that names its order. The fields of the ticket are the leaves of the
    detail; a leaf that `layout` does not name is in the last section. `shown` is what the leaves show, and `beside` the
    rest of the page.
    """

    listing: RecordListing
    shown: Callable[[Any], Mapping[str, Any]]
    beside: Callable[[HttpRequest, Any], dict[str, Any]]
    layout: Layout

    list_display_links = None
    change_list = RecordChangeList
    change_list_template = "trading/list/page.html"

    def get_urls(self) -> list[URLPattern]:
        return [
            self._path("", self.changelist_view, "changelist"),
            self._path("export/<str:file_format>/", self.export, "export"),
            self._path("filters/save/", self.save_filter, "filter_save", method="POST"),
            self._path("filters/<int:filter_id>/remove/", self.remove_filter, "filter_remove", method="POST"),
            self._path("<path:object_id>/", self.change_view, "change"),
        ]

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return self.listing.exported.table.order

    def get_sortable_by(self, request: HttpRequest) -> Any:
        return [column for column in self.list_display if getattr(column, "admin_order_field", None)]

    def read(self, row: Any) -> DetailReading[Any]:
        """The stored detail. Raises UnreadableLeaf."""
        return self.listing.read(row)

    def export(self, request: HttpRequest, file_format: str) -> HttpResponseBase:
        if file_format not in FORMATS:
            raise Http404
        return export_view(RecordPage(self, request), self.listing, file_format)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        query = query_of(self.listing, request.GET)
        saved = shown_filters(request, str(self.opts.model_name), query)
        more = {"saved_filters": saved, "filter_query": query, "longest_name": LONGEST_NAME}
        return super().changelist_view(request, {**more, **(extra_context or {})})

    def save_filter(self, request: HttpRequest) -> HttpResponseBase:
        return save_view(RecordPage(self, request), self.listing)

    def remove_filter(self, request: HttpRequest, filter_id: int) -> HttpResponseBase:
        return remove_view(RecordPage(self, request), filter_id)

    def change_view(self, request: HttpRequest, object_id: str, *arguments: Any, **options: Any) -> HttpResponse:
        """The address holds the id as it is. Django would read `_3A` in it as a colon."""
        found: HttpResponse = super().change_view(request, quote(object_id), *arguments, **options)
        return found

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        return self.row_read(self.rows_seen(request).one(unquote(object_id)))

    def rows_seen(self, request: HttpRequest) -> RecordQuerySet[Any]:
        found: RecordQuerySet[Any] = self.get_queryset(request)  # type: ignore[assignment]  # of the model's own manager
        return found

    def row_read(self, row: Any) -> Any:
        """The row with its `reading` and `shown_detail`, or with the `problem` why it cannot be read; None for none."""
        if row is None:
            return None
        row.problem = None
        try:
            row.reading = self.read(row)
            row.shown_detail = type(self).shown(row)
        except UnreadableLeaf as refused:
            row.problem = Unreadable(row._meta.db_table, str(row.pk), refused.path, refused.reason)
        return row

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return fieldsets(self.listing.exported.detail, self.layout) if obj is not None and obj.problem is None else ()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return flatten_fieldsets(self.get_fieldsets(request, obj))

    def render_change_form(self, request: HttpRequest, context: Any, *arguments: Any, **options: Any) -> HttpResponse:
        row: Any = options["obj"]
        page = RecordPage(self, request)
        if row.problem:
            return unreadable_view(page, row.problem, row.trader_id)
        context |= {
            "subtitle": None,
            "list_url": page.list_url,
            "sections": sections(context["adminform"]),
            "unknown": unknown_leaves(row.reading),
            **self._neighbours(request, row),
            **type(self).beside(request, row),
        }
        answer: HttpResponse = super().render_change_form(request, context, *arguments, **options)
        return answer

    def _neighbours(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """The tickets before and after this one, within the filter of the list that led here, if one did."""
        within = request.GET.get(PRESERVED, "")
        form = filter_form(QueryDict(within), self.listing)
        where = form.where() if within and form.is_valid() else RecordFilter()
        return {
            "neighbours": neighbours(self.listing.exported.table, where, row),
            "ticket_url": RecordPage(self, request).ticket_url,
            "within": f"?{urlencode({PRESERVED: within})}" if within and form.is_valid() else "",
            "list_query": f"?{within}" if within and form.is_valid() else "",
        }

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        return RecordPage(self, request).gone(unquote(object_id))


@admin.register(Position)
class PositionAdmin(RecordAdmin):
    listing = POSITION_LIST
    list_display = columns.POSITION
    change_form_template = "trading/position.html"
    layout = tickets.POSITION
    shown = staticmethod(tickets.position_detail_shown)
    beside = staticmethod(tickets.position_context)

    def get_urls(self) -> list[URLPattern]:
        switch = self.admin_site.admin_view(self.switch_live)
        return [
            self._path("live/", self.live_page, "live"),
            self._path("live/store/", self.live_store_page, "live_store"),
            path("live/switch/", switch, name="trading_position_live_switch"),
            *super().get_urls(),
        ]

    def live_page(self, request: HttpRequest) -> HttpResponseBase:
        return live_view(RecordPage(self, request))

    def live_store_page(self, request: HttpRequest) -> HttpResponseBase:
        if not may_change_fleet(request):
            raise PermissionDenied
        return store_view(RecordPage(self, request))

    def switch_live(self, request: HttpRequest) -> HttpResponseBase:
        """Concerns every process of the site, so it needs the right to change the fleet's settings."""
        if not may_change_fleet(request):
            raise PermissionDenied
        return switch_view(request) if request.method == "POST" else HttpResponseNotAllowed(["POST"])


@admin.register(Trade)
class TradeAdmin(RecordAdmin):
    listing = TRADE_LIST
    list_display = columns.TRADE
    change_form_template = "trading/trade.html"
    layout = tickets.TRADE
    shown = staticmethod(tickets.trade_detail_shown)
    beside = staticmethod(tickets.trade_context)

    def get_urls(self) -> list[URLPattern]:
        return [
            self._path("outcomes/", self.results_page, "outcomes"),
            self._path("performance/", self.performance_page, "performance"),
            self._path("performance/csv/", self.performance_file, "performance_csv"),
            self._path("family/<str:trader_id>/", self.family_page, "family"),
            self._path("unreadable/", self.unreadable_page, "unreadable"),
            path(
                "<path:object_id>/correct/",
                self.admin_site.admin_view(self.correct_page),
                name="trading_trade_correct",
            ),
            *super().get_urls(),
        ]

    def performance_page(self, request: HttpRequest) -> HttpResponseBase:
        return performance_view(RecordPage(self, request))

    def performance_file(self, request: HttpRequest) -> HttpResponseBase:
        return performance_csv(RecordPage(self, request))

    def unreadable_page(self, request: HttpRequest) -> HttpResponseBase:
        return unreadable_list(RecordPage(self, request))

    def correct_page(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        if not may_exclude(request):
            raise PermissionDenied
        return correct_view(RecordPage(self, request), RecordKey(RecordKind.TRADE, object_id))

    def family_page(self, request: HttpRequest, trader_id: str) -> HttpResponseBase:
        """A trader and its clones: needs the right to see their settings and their results."""
        if not request.user.has_perm("traders.view_traderconfig"):
            raise PermissionDenied
        return family_view(RecordPage(self, request), trader_id)

    def results_page(self, request: HttpRequest) -> HttpResponseBase:
        """What versions changed and what they earned: needs the right to see both."""
        if not request.user.has_perm("traders.view_traderconfig"):
            raise PermissionDenied
        return results_view(RecordPage(self, request))


admin.site.register(EquityTransfer, TransferAdmin)


@admin.register(DecisionJournal)
class DecisionAdmin(RecordAdmin):
    listing = DECISION_LIST
    list_display = columns.DECISION
    change_form_template = "trading/decision.html"
    layout = decisions.LAYOUT
    shown = staticmethod(decisions.detail_shown)
    beside = staticmethod(decisions.decision_context)

    def read(self, row: Any) -> DetailReading[Any]:
        """With the texts, which the list leaves out."""
        return rows.decision_detail(row)

    def get_urls(self) -> list[URLPattern]:
        return [self._path("<path:object_id>/replay/", self.replay_page, "replay"), *super().get_urls()]

    def change_view(self, request: HttpRequest, object_id: str, *arguments: Any, **options: Any) -> HttpResponse:
        return self._moved(request, "change", object_id) or super().change_view(
            request, object_id, *arguments, **options
        )

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """By `{trader}|{id}`."""
        try:
            trader_id, number = read_decision_name(unquote(object_id))
        except ValueError:
            return None
        return self.row_read(self.rows_seen(request).one(number, trader_id))

    def replay_page(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Shows a trader's settings as well, so that is to be allowed too."""
        if not request.user.has_perm("traders.view_traderconfig"):
            raise PermissionDenied
        if moved := self._moved(request, "replay", object_id):
            return moved
        page = RecordPage(self, request)
        try:
            trader_id, number = read_decision_name(object_id)
        except ValueError:
            return page.gone(object_id)
        return replay_view(page, trader_id, number) if trader_id else page.gone(object_id)

    def _moved(self, request: HttpRequest, page: str, object_id: str) -> HttpResponse | None:
        """To the address with the trader, from the one that named the number alone; None where it is no such one."""
        try:
            trader_id, number = read_decision_name(object_id)
        except ValueError:
            return None
        if trader_id is not None or not self.has_view_permission(request):
            return None
        owner = DecisionJournal.objects.owners([number]).get(number)
        if owner is None:
            return None
        query = request.META.get("QUERY_STRING", "")
        address = RecordPage(self, request).url(page, decision_name(owner, number))
        return HttpResponsePermanentRedirect(f"{address}?{query}" if query else address)


@admin.register(RecordExclusion)
class ExclusionAdmin(RecordPagesAdmin):
    """Who set rows aside; the pages that write are for those who may."""

    def get_urls(self) -> list[URLPattern]:
        change = self.admin_site.admin_view(self.change_page)
        return [
            self._path("", self.list_page, "changelist"),
            self._path("equity/<path:object_id>/", self.equity_page, "equity"),
            path("set/", change, name="trading_recordexclusion_set"),
            path("correct/", self.admin_site.admin_view(self.correct_page), name="trading_recordexclusion_correct"),
        ]

    def list_page(self, request: HttpRequest) -> HttpResponseBase:
        return log_view(RecordPage(self, request))

    def equity_page(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Of a point of equity. Points have two columns for a key, which the admin takes for no table of its own."""
        if not request.user.has_perm("trading.view_equitysnapshot"):
            raise PermissionDenied
        return equity_view(RecordPage(self, request), object_id)

    def change_page(self, request: HttpRequest) -> HttpResponseBase:
        if not may_exclude(request):
            raise PermissionDenied
        return change_view(RecordPage(self, request))

    def correct_page(self, request: HttpRequest) -> HttpResponseBase:
        """Of any kind of row."""
        if not may_exclude(request):
            raise PermissionDenied
        page = RecordPage(self, request)
        key = chosen_row(page)
        return correct_view(page, key) if key else HttpResponseRedirect(page.list_url)
