"""The tables of the record in the admin, read only: lists paged by key, tickets, and the pages beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets, quote, unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path

from traders.pages.config_page import may_change_fleet
from traders.pages.grid import ReadOnlyAdmin
from trading.live.page.admin import live_view, switch_view
from trading.models import DecisionJournal, EquityTransfer, Position, RecordExclusion, Trade
from trading.record.browse import columns
from trading.record.browse.admin import (
    DECISION_LIST,
    POSITION_LIST,
    TRADE_LIST,
    RecordChangeList,
    RecordListing,
)
from trading.record.browse.downloads import FORMATS, export_view
from trading.record.browse.tables import DECISIONS, POSITIONS, TRADES
from trading.record.check.admin import unknown_leaves, unreadable_list, unreadable_view
from trading.record.corrections.admin import correct_view
from trading.record.exclusions.admin import change_view, log_view, may_exclude
from trading.record.pages import RecordPage
from trading.record.results.admin import outcome_view
from trading.record.stored import rows
from trading.record.tickets import admin as tickets
from trading.record.tickets import decision as decisions
from trading.record.tickets.leaves import Layout, fieldsets, sections
from trading.record.transfers.admin import TransferAdmin
from trading.replay.admin import replay_view
from trading.schema.decision import DecisionDetail
from trading.schema.leaf import Part
from trading.schema.position import PositionDetail
from trading.schema.tolerant import NotReadable, Reading
from trading.schema.trade import TradeDetail
from trading.schema.unreadable import Unreadable


class RecordPagesAdmin(ReadOnlyAdmin):
    """The pages of a table of the record. They answer GET and HEAD."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def _path(self, route: str, view: Any, page: str) -> URLPattern:
        """The view, for accounts that may look at the table."""

        def checked(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
            if not self.has_view_permission(request):
                raise PermissionDenied
            if request.method not in ("GET", "HEAD"):
                return HttpResponseNotAllowed(["GET", "HEAD"])
            answer: HttpResponseBase = view(request, **arguments)
            return answer

        name = f"{self.opts.app_label}_{self.opts.model_name}_{page}"
        return path(route, self.admin_site.admin_view(checked), name=name)


class RecordAdmin(RecordPagesAdmin):
    """A table of the record: its list, its ticket, and its files.

    The ticket's fields are the leaves that `detail_part` declares; a leaf that `layout` does not name is in the last
    section. `read` gives the stored detail or raises NotReadable, `shown` what the leaves show of it, and `beside` the
    rest of the page.
    """

    listing: RecordListing
    read: Callable[[Any], Reading[Any]]
    shown: Callable[[Any], Mapping[str, Any]]
    beside: Callable[[HttpRequest, Any], dict[str, Any]]
    detail_part: type[Part]
    layout: Layout

    list_display_links = None
    change_list = RecordChangeList
    change_list_template = "trading/list/page.html"

    def get_urls(self) -> list[URLPattern]:
        return [
            self._path("", self.changelist_view, "changelist"),
            self._path("export/<str:file_format>/", self.export, "export"),
            self._path("<path:object_id>/", self.change_view, "change"),
        ]

    def export(self, request: HttpRequest, file_format: str) -> HttpResponseBase:
        if file_format not in FORMATS:
            raise Http404
        return export_view(RecordPage(self, request), self.listing, file_format)

    def change_view(self, request: HttpRequest, object_id: str, *arguments: Any, **options: Any) -> HttpResponse:
        """The address holds the id as it is. Django would read `_3A` in it as a colon."""
        found: HttpResponse = super().change_view(request, quote(object_id), *arguments, **options)
        return found

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The row with its `reading` and `shown_detail`, or with the `problem` why it cannot be read."""
        row: Any = super().get_object(request, object_id, from_field)
        if row is None:
            return None
        row.problem = None
        try:
            row.reading = type(self).read(row)
            row.shown_detail = type(self).shown(row)
        except NotReadable as refused:
            row.problem = Unreadable(row._meta.db_table, str(row.pk), refused.path, refused.reason)
        return row

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return fieldsets(self.detail_part, self.layout) if obj is not None and obj.problem is None else ()

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
            **type(self).beside(request, row),
        }
        answer: HttpResponse = super().render_change_form(request, context, *arguments, **options)
        return answer

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        return RecordPage(self, request).gone(unquote(object_id))


@admin.register(Position)
class PositionAdmin(RecordAdmin):
    listing = POSITION_LIST
    list_display = columns.POSITION
    sortable_by = (columns.position_opened,)  # type: ignore[assignment]  # Django takes callables as well
    ordering = POSITIONS.order
    change_form_template = "trading/position.html"
    detail_part = PositionDetail
    layout = tickets.POSITION
    read = staticmethod(rows.position_detail)
    shown = staticmethod(tickets.position_detail_shown)
    beside = staticmethod(tickets.position_context)

    def get_urls(self) -> list[URLPattern]:
        switch = self.admin_site.admin_view(self.switch_live)
        return [
            self._path("live/", self.live_page, "live"),
            path("live/switch/", switch, name="trading_position_live_switch"),
            *super().get_urls(),
        ]

    def live_page(self, request: HttpRequest) -> HttpResponseBase:
        return live_view(RecordPage(self, request), may_switch=may_change_fleet(request))

    def switch_live(self, request: HttpRequest) -> HttpResponseBase:
        """Concerns every process of the site, so it needs the right to change the fleet's settings."""
        if not may_change_fleet(request):
            raise PermissionDenied
        return switch_view(request) if request.method == "POST" else HttpResponseNotAllowed(["POST"])


@admin.register(Trade)
class TradeAdmin(RecordAdmin):
    listing = TRADE_LIST
    list_display = columns.TRADE
    sortable_by = (columns.trade_closed,)  # type: ignore[assignment]  # Django takes callables as well
    ordering = TRADES.order
    change_form_template = "trading/trade.html"
    detail_part = TradeDetail
    layout = tickets.TRADE
    read = staticmethod(rows.trade_detail)
    shown = staticmethod(tickets.trade_detail_shown)
    beside = staticmethod(tickets.trade_context)

    def get_urls(self) -> list[URLPattern]:
        return [
            self._path("outcomes/", self.outcome_page, "outcomes"),
            self._path("unreadable/", self.unreadable_page, "unreadable"),
            path(
                "<path:object_id>/correct/",
                self.admin_site.admin_view(self.correct_page),
                name="trading_trade_correct",
            ),
            *super().get_urls(),
        ]

    def unreadable_page(self, request: HttpRequest) -> HttpResponseBase:
        return unreadable_list(RecordPage(self, request))

    def correct_page(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        if not may_exclude(request):
            raise PermissionDenied
        return correct_view(RecordPage(self, request), object_id)

    def outcome_page(self, request: HttpRequest) -> HttpResponseBase:
        """What versions changed and what they earned: needs the right to see both."""
        if not request.user.has_perm("traders.view_traderconfig"):
            raise PermissionDenied
        return outcome_view(RecordPage(self, request))


admin.site.register(EquityTransfer, TransferAdmin)


@admin.register(DecisionJournal)
class DecisionAdmin(RecordAdmin):
    listing = DECISION_LIST
    list_display = columns.DECISION
    sortable_by = (columns.decided,)  # type: ignore[assignment]  # Django takes callables as well
    ordering = DECISIONS.order
    change_form_template = "trading/decision.html"
    detail_part = DecisionDetail
    layout = decisions.LAYOUT
    read = staticmethod(rows.decision_detail)
    shown = staticmethod(decisions.detail_shown)
    beside = staticmethod(decisions.decision_context)

    def get_urls(self) -> list[URLPattern]:
        return [self._path("<int:decision_id>/replay/", self.replay_page, "replay"), *super().get_urls()]

    def replay_page(self, request: HttpRequest, decision_id: int) -> HttpResponseBase:
        """Shows a trader's settings as well, so that is to be allowed too."""
        if not request.user.has_perm("traders.view_traderconfig"):
            raise PermissionDenied
        return replay_view(RecordPage(self, request), decision_id)


@admin.register(RecordExclusion)
class ExclusionAdmin(RecordPagesAdmin):
    """Who set rows aside; the one page that writes is for those who may."""

    def get_urls(self) -> list[URLPattern]:
        change = self.admin_site.admin_view(self.change_page)
        return [
            self._path("", self.list_page, "changelist"),
            path("set/", change, name="trading_recordexclusion_set"),
        ]

    def list_page(self, request: HttpRequest) -> HttpResponseBase:
        return log_view(RecordPage(self, request))

    def change_page(self, request: HttpRequest) -> HttpResponseBase:
        if not may_exclude(request):
            raise PermissionDenied
        return change_view(RecordPage(self, request))
