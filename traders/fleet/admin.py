"""The admin of traders: the list with filters and the fleet's allocation, and the pages of each trader."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.templatetags.admin_list import result_headers
from django.contrib.admin.views.main import PAGE_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.fields.json import KT
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from traders.fleet import filters
from traders.fleet import services as fleet_services
from traders.fleet.actions import action_urls, may_upload
from traders.fleet.columns import TraderColumns
from traders.fleet.pages import fleet_urls
from traders.fleet.versioned import VersionedAdmin
from traders.models import TraderConfig, TraderConfigVersion
from traders.pages.config_page import ConfigPage
from traders.pages.guarded import fleet_refusals
from traders.pages.moment_asked import AT
from traders.pages.paginator import PagesByKey
from traders.schema.settings.trader import ID_PATTERN
from traders.sync.conflicts.admin import conflicts_view
from traders.versions.past.admin import past_list_view

# Columns that align right, in the table and in the cards of a phone.
FIGURES = frozenset({"version_cell", "every", "alloc"})


@admin.register(TraderConfig)
class TraderConfigAdmin(TraderColumns, VersionedAdmin):  # type: ignore[misc]
    change_list_template = "traders/list.html"
    list_display = (*("trader", "state", "version_cell", "providers", "llm_model", "every", "alloc", "last_change"),)
    list_display_links = None
    list_filter = (
        *(filters.StateFilter, filters.ExchangeFilter, filters.MarketFilter),
        *(filters.ModelFilter, filters.RetiredFilter),
    )
    list_fullwidth = True
    list_per_page = 50
    paginator = PagesByKey
    actions = None
    search_fields = ("id", "display_name")
    search_help_text = ""

    def config_id(self, object_id: str) -> str | None:
        return object_id if ID_PATTERN.fullmatch(object_id) else None

    def no_such_object(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return ConfigPage(self, request, object_id).gone()

    def get_urls(self) -> list[URLPattern]:
        conflicts = path("conflicts/", self.admin_site.admin_view(self.conflicts_view), name="traders_conflicts")
        return [conflicts, *fleet_urls(self), *action_urls(self), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[TraderConfig]:
        head = TraderConfigVersion.objects.filter(id=OuterRef("id"), version=OuterRef("version"))
        traders: QuerySet[TraderConfig] = super().get_queryset(request)
        return traders.select_related("runtime_state").annotate(
            display_name=KT("detail__display_name"),
            last_by=Subquery(head.values("history_user_id")),
            last_reason=Subquery(head.values("history_change_reason")),
        )

    def changelist_view(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if AT in request.GET:
            return self._past_list(request)
        response = super().changelist_view(request, {"title": _("Traders"), **(extra_context or {})})
        context = getattr(response, "context_data", None)
        if context and "cl" in context:
            # Without "opts" the theme shows the title in the page's head, not the names of app and model.
            del context["opts"]
            context |= self._list_context(request, context["cl"])
        return response

    def _past_list(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return past_list_view(ConfigPage(self, request, ""))

    def _list_context(self, request: HttpRequest, changes: Any) -> dict[str, Any]:
        headers = [
            {**header, "name": name, "figure": name in FIGURES}
            for name, header in zip(changes.list_display, result_headers(changes), strict=True)
        ]
        rows = [[(header, getattr(self, header["name"])(row)) for header in headers] for row in changes.result_list]
        return {
            "headers": headers,
            "rows": rows,
            "rows_by_id": list(zip((row.pk for row in changes.result_list), rows, strict=True)),
            "asked": [(name, value) for name, value in changes.params.items() if value],
            "overview": fleet_services.overview(),
            "may_add": self.has_add_permission(request),
            "may_upload": may_upload(self, request),
            "may_change": self.has_change_permission(request),
            "pages": [
                (number, changes.get_query_string({PAGE_VAR: number}) if isinstance(number, int) else "")
                for number in (changes.paginator.get_elided_page_range(changes.page_num) if changes.multi_page else ())
            ],
        }

    def conflicts_view(self, request: HttpRequest) -> HttpResponse:
        needed = self.has_change_permission if request.method == "POST" else self.has_view_permission
        if not needed(request):
            raise PermissionDenied
        with fleet_refusals():
            return conflicts_view(ConfigPage(self, request, ""))
