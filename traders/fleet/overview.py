"""The first page: the fleet in a few numbers, what waits, what changed last, and what to do first."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from traders.fleet import services as fleet_services
from traders.models import ManagerConfigVersion, SyncConflict
from traders.versions.changelog import services as changelog
from traders.versions.changelog.admin import with_settings

LAST_CHANGES = 10


def add_overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Called by the theme for the index page."""
    may_view = request.user.has_perm("traders.view_traderconfig") or request.user.has_perm(
        "traders.change_traderconfig"
    )
    if not may_view:
        return context
    return context | {
        "overview": fleet_services.overview(),
        "has_fleet": ManagerConfigVersion.objects.exists(),
        "last_changes": with_settings(changelog.latest(LAST_CHANGES)),
        "may_add": request.user.has_perm("traders.add_traderconfig"),
    }


def open_conflicts() -> int:
    """The number beside the menu's entry."""
    return SyncConflict.objects.count()
