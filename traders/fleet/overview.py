"""The index page: key figures of the fleet, open conflicts, the last changes and the first steps."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from traders.fleet import services as fleet_services
from traders.models import ManagerConfigVersion, SyncConflict
from traders.versions.changelog import services as changelog
from traders.versions.changelog.admin import with_settings

LAST_CHANGES = 10


def add_overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The context of the index page; the theme calls it."""
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
    """The number in the menu."""
    return SyncConflict.objects.count()
