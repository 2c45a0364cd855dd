"""The first page: the fleet in a few numbers, what waits, what changed last, and what to do first."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from traders.models import ManagerConfigVersion, SyncConflict, TraderConfigVersion
from traders.services import configs

LAST_CHANGES = 10


def add_overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Called by the theme for the index page."""
    may_view = request.user.has_perm("traders.view_traderconfig") or request.user.has_perm(
        "traders.change_traderconfig"
    )
    if not may_view:
        return context
    return context | {
        "overview": configs.overview(),
        "has_fleet": ManagerConfigVersion.objects.exists(),
        "last_changes": last_changes(),
        "may_add": request.user.has_perm("traders.add_traderconfig"),
    }


def last_changes() -> list[TraderConfigVersion]:
    return list(
        TraderConfigVersion.objects.only(
            *("id", "version", "history_date", "history_user_id", "history_change_reason", "changed_fields", "source")
        ).order_by("-history_id")[:LAST_CHANGES]
    )


def open_conflicts() -> int:
    """The number beside the menu's entry."""
    return SyncConflict.objects.count()
