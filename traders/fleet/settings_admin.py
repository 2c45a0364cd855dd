"""The admin of the fleet settings: one configuration with the same pages as a trader."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from traders.fleet.versioned import VersionedAdmin
from traders.models import ManagerConfig
from traders.pages.admin_log import log_version
from traders.pages.config_page import FLEET_OBJECT_ID, ConfigPage
from traders.schema.settings.fleet import FLEET_ID
from traders.versions.edit.admin import EditFlow


@admin.register(ManagerConfig)
class ManagerConfigAdmin(VersionedAdmin):
    def config_id(self, object_id: str) -> str | None:
        return FLEET_ID if object_id == FLEET_OBJECT_ID else None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def changelist_view(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Redirects to the only row."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(ConfigPage(self, request, FLEET_ID).change_url)

    def missing(self, page: ConfigPage) -> HttpResponse:
        """The page while no settings are stored: the empty form for accounts that may change them, else a hint."""
        is_form = page.may_change and page.request.resolver_match.url_name.endswith("_change")  # type: ignore[union-attr]
        if not is_form:
            return page.render("no_fleet.html", page.name(None))
        flow = EditFlow(page, None)
        answer = flow.answer()
        if flow.result:
            log_version(page, flow.result, flow.reason, added=True)
        return answer
