"""The admin of traders: the list with filters and the fleet's allocation, and the pages of each trader."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from traders.controls.pages.edit import TraderEditFlow
from traders.controls.pages.urls import selection_buttons
from traders.controls.words import shown_of
from traders.fleet import filters
from traders.fleet import services as fleet_services
from traders.fleet.actions import action_urls, may_upload
from traders.fleet.columns import TraderColumns
from traders.fleet.pages import fleet_urls
from traders.fleet.versioned import VersionedAdmin
from traders.models import TraderConfig, TraderConfigVersion
from traders.pages.config_page import AT, ConfigPage
from traders.pages.guarded import fleet_refusals
from traders.pages.keyset import PLACES, KeysetChangeList
from traders.schema.settings.trader import ID_PATTERN
from traders.sync.conflicts.admin import conflicts_view
from traders.trader_page.pages import trader_view
from traders.versions.bulk.chosen import WANTS_NO_ROWS
from traders.versions.past.admin import past_list_view

# Columns that align right, in the table and in the cards of a phone.
FIGURES = frozenset({"version_cell", "every", "alloc"})
OVERVIEW = "traders_traderconfig_overview"


class TraderChangeList(KeysetChangeList):
    """Of ten thousand traders at most: the list says how many match."""

    counts = True
    by_time = False

    def get_results(self, request: HttpRequest) -> None:
        if getattr(request, WANTS_NO_ROWS, False):
            return
        super().get_results(request)
        shown = shown_of([row.pk for row in self.result_list], timezone.now())
        for row in self.result_list:
            row.control = shown.get(row.pk)


@admin.register(TraderConfig)
class TraderConfigAdmin(TraderColumns, VersionedAdmin):  # type: ignore[misc]
    change_list_template = "traders/list.html"
    edit_flow = TraderEditFlow
    list_display = (
        *("trader", "state", "version_cell", "providers", "llm_model", "every", "alloc", "last_change"),
        "wanted",
    )
    list_display_links = None
    list_filter = (
        *(filters.StateFilter, filters.ExchangeFilter, filters.MarketFilter),
        *(filters.ModelFilter, filters.RetiredFilter),
    )
    list_fullwidth = True
    list_per_page = 50
    figures = FIGURES
    actions = None
    search_fields = ("id", "display_name")
    search_help_text = ""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return TraderChangeList

    def row_class(self, row: TraderConfig) -> str:
        return ""

    def config_id(self, object_id: str) -> str | None:
        return object_id if ID_PATTERN.fullmatch(object_id) else None

    def no_such_object(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return ConfigPage(self, request, object_id).gone()

    def get_urls(self) -> list[URLPattern]:
        conflicts = path("conflicts/", self.admin_site.admin_view(self.conflicts_view), name="traders_conflicts")
        overview = self.admin_site.admin_view(require_safe(self.overview_view))
        # In the place of the stock redirect to the form, which is the last pattern because it takes any address.
        *stock, redirect = super().get_urls()
        assert redirect.name is None
        return [
            conflicts,
            *fleet_urls(self),
            *action_urls(self),
            *stock,
            path("<path:object_id>/", overview, name=OVERVIEW),
        ]

    def overview_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The page of a trader, to read."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        config_id = self.config_id(object_id)
        if config_id is None:
            return self.no_such_object(request, object_id)
        with fleet_refusals():
            return trader_view(ConfigPage(self, request, config_id))

    def get_queryset(self, request: HttpRequest) -> QuerySet[TraderConfig]:
        head = TraderConfigVersion.objects.filter(id=OuterRef("id"), version=OuterRef("version"))
        traders: QuerySet[TraderConfig] = super().get_queryset(request)
        return (
            traders.select_related("runtime_state")
            .defer("detail")
            .annotate(
                last_by=Subquery(head.values("history_user_id")),
                last_reason=Subquery(head.values("history_change_reason")),
            )
        )

    def changelist_view(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if AT in request.GET:
            return self._past_list(request)
        shown: Any = {
            "title": _("Traders"),
            "asked": [(name, value) for name, value in request.GET.items() if value and name not in PLACES],
            "overview": fleet_services.overview(),
            "may_add": self.has_add_permission(request),
            "may_upload": may_upload(self, request),
            "may_change": self.has_change_permission(request),
            "controls": selection_buttons(request),
        }
        return super().changelist_view(request, shown | (extra_context or {}))

    def _past_list(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return past_list_view(ConfigPage(self, request, ""))

    def conflicts_view(self, request: HttpRequest) -> HttpResponse:
        needed = self.has_change_permission if request.method == "POST" else self.has_view_permission
        if not needed(request):
            raise PermissionDenied
        with fleet_refusals():
            return conflicts_view(ConfigPage(self, request, ""))
