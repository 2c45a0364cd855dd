"""The record's tables in the admin: read only. Routes its pages to their views."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from unfold.admin import ModelAdmin

from traders.pages.desk import may_change_fleet
from trading.live.page.admin import live_view, switch_view
from trading.models import DecisionJournal, Position, RecordExclusion, Trade
from trading.record.browse import admin as lists
from trading.record.browse.admin import Listing, list_view
from trading.record.browse.downloads import FORMATS, export_view
from trading.record.check.admin import unreadable_list
from trading.record.exclusions.admin import change_view, log_view, may_exclude
from trading.record.pages import Room
from trading.record.results.admin import outcome_view
from trading.record.tickets.admin import position_view, trade_view
from trading.record.tickets.decision import decision_view
from trading.replay.admin import replay_view


class RecordAdmin(ModelAdmin):
    """Only looking: none of the admin's own pages, which would count rows and offer forms."""

    listing: Listing
    detail: Any

    def get_urls(self) -> list[URLPattern]:
        return [
            self._path("", self.list_page, "changelist"),
            self._path("export/<str:file_format>/", self.export, "export"),
            self._path("<path:object_id>/", self.detail_page, "change"),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def list_page(self, request: HttpRequest) -> HttpResponseBase:
        return list_view(Room(self, request), self.listing)

    def export(self, request: HttpRequest, file_format: str) -> HttpResponseBase:
        if file_format not in FORMATS:
            raise Http404
        return export_view(Room(self, request), self.listing, file_format)

    def detail_page(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        view: HttpResponseBase = type(self).detail(Room(self, request), object_id)
        return view

    def _path(self, route: str, view: Any, page: str) -> URLPattern:
        """Behind the login and the right to look, whatever the page."""

        def checked(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
            if not self.has_view_permission(request):
                raise PermissionDenied
            if request.method not in ("GET", "HEAD"):
                return HttpResponseNotAllowed(["GET", "HEAD"])
            answer: HttpResponseBase = view(request, **arguments)
            return answer

        name = f"{self.opts.app_label}_{self.opts.model_name}_{page}"
        return path(route, self.admin_site.admin_view(checked), name=name)


@admin.register(Position)
class PositionAdmin(RecordAdmin):
    listing = lists.POSITIONS
    detail = staticmethod(position_view)

    def get_urls(self) -> list[URLPattern]:
        switch = self.admin_site.admin_view(self.switch_live)
        return [
            self._path("live/", self.live_page, "live"),
            path("live/switch/", switch, name="trading_position_live_switch"),
            *super().get_urls(),
        ]

    def live_page(self, request: HttpRequest) -> HttpResponseBase:
        return live_view(Room(self, request), may_switch=may_change_fleet(request))

    def switch_live(self, request: HttpRequest) -> HttpResponseBase:
        """Concerns every process of the site, so it needs the right to change the fleet's settings."""
        if not may_change_fleet(request):
            raise PermissionDenied
        return switch_view(request) if request.method == "POST" else HttpResponseNotAllowed(["POST"])


@admin.register(Trade)
class TradeAdmin(RecordAdmin):
    listing = lists.TRADES
    detail = staticmethod(trade_view)

    def get_urls(self) -> list[URLPattern]:
        return [
            self._path("outcomes/", self.outcome_page, "outcomes"),
            self._path("unreadable/", self.unreadable_page, "unreadable"),
            *super().get_urls(),
        ]

    def unreadable_page(self, request: HttpRequest) -> HttpResponseBase:
        return unreadable_list(Room(self, request))

    def outcome_page(self, request: HttpRequest) -> HttpResponseBase:
        """What versions changed and what they earned: needs the right to see both."""
        if not request.user.has_perm("traders.view_traderconfig"):
            raise PermissionDenied
        return outcome_view(Room(self, request))


@admin.register(DecisionJournal)
class DecisionAdmin(RecordAdmin):
    listing = lists.DECISIONS
    detail = staticmethod(decision_view)

    def get_urls(self) -> list[URLPattern]:
        return [self._path("<int:decision_id>/replay/", self.replay_page, "replay"), *super().get_urls()]

    def replay_page(self, request: HttpRequest, decision_id: int) -> HttpResponseBase:
        """Shows a trader's settings as well, so that is to be allowed too."""
        if not request.user.has_perm("traders.view_traderconfig"):
            raise PermissionDenied
        return replay_view(Room(self, request), decision_id)


@admin.register(RecordExclusion)
class ExclusionAdmin(RecordAdmin):
    """Who set rows aside; the one page that writes is for those who may."""

    def get_urls(self) -> list[URLPattern]:
        change = self.admin_site.admin_view(self.change_page)
        return [
            self._path("", self.list_page, "changelist"),
            path("set/", change, name="trading_recordexclusion_set"),
        ]

    def list_page(self, request: HttpRequest) -> HttpResponseBase:
        return log_view(Room(self, request))

    def change_page(self, request: HttpRequest) -> HttpResponseBase:
        if not may_exclude(request):
            raise PermissionDenied
        return change_view(Room(self, request))
