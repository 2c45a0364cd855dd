"""Routes of the pages of the whole fleet: change log, past states, undo and restore."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern

from traders.pages.guarded import guarded_path
from traders.versions.changelog.admin import csv_view, log_view
from traders.versions.changelog.change_set import change_set_view
from traders.versions.past.admin import bundle_view
from traders.versions.undo.admin import restore_to_view, undo_view


def fleet_urls(admin: Any) -> list[URLPattern]:
    """The log and past states need the view permission of traders, undo and restore the change permission."""
    look, change = admin.has_view_permission, admin.has_change_permission
    return [
        guarded_path(admin, "changes/", log_view, "traders_changelog", look),
        guarded_path(admin, "changes/csv/", csv_view, "traders_changelog_csv", look),
        guarded_path(admin, "changes/<int:change_set>/", change_set_view, "traders_changeset", look),
        guarded_path(admin, "changes/<int:change_set>/undo/", undo_view, "traders_undo", change),
        guarded_path(admin, "restore-to/", restore_to_view, "traders_restore_to", change),
        guarded_path(admin, "past/bundle/", bundle_view, "traders_past_bundle", look),
    ]
