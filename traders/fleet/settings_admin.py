"""The fleet's own settings: one configuration with the same pages as a trader's."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from traders.fleet.versioned import VersionedAdmin
from traders.models import ManagerConfig
from traders.pages.desk import FLEET_OBJECT_ID, Desk
from traders.schema.settings.fleet import FLEET_ID
from traders.versions.edit.admin import edit_view


@admin.register(ManagerConfig)
class ManagerConfigAdmin(VersionedAdmin):
    def config_id(self, object_id: str) -> str | None:
        return FLEET_ID if object_id == FLEET_OBJECT_ID else None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def changelist_view(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """There is one row: its page is the list."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(Desk(self, request, FLEET_ID).change_url)

    def missing(self, desk: Desk) -> HttpResponse:
        """No settings yet: an account that may change them gets the empty form, others are told what to do."""
        is_form = desk.may_change and desk.request.resolver_match.url_name.endswith("_change")  # type: ignore[union-attr]
        return edit_view(desk, None) if is_form else desk.render("no_fleet.html", desk.name(None))
