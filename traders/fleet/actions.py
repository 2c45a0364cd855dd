"""Routes of the pages for whole traders: bulk edit, clone, retire, compare, download, upload."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import URLPattern

from traders.controls.pages.urls import control_urls
from traders.pages.guarded import guarded_path
from traders.sync.export.admin import download_trader_view, download_view
from traders.sync.upload.admin import upload_view
from traders.versions.bulk.admin import bulk_view
from traders.versions.history.compare_traders import compare_traders_view
from traders.versions.lifecycle.admin import clone_view, retiring_view, unretire_view, variant_view


def action_urls(admin: Any) -> list[URLPattern]:
    """Compare and download need the view permission, bulk edit, retire and unretire the change permission, clone
    and paper variant the add permission. An upload needs add and change, and for the fleet settings their permission
    as well."""
    version = "<str:object_id>/versions/<int:number>"
    look, change, add = admin.has_view_permission, admin.has_change_permission, admin.has_add_permission
    return [
        guarded_path(admin, "bulk/", bulk_view, "traders_bulk", change),
        guarded_path(admin, "retire/", retiring_view, "traders_retire", change),
        guarded_path(admin, "bring-back/", unretire_view, "traders_unretire", change),
        guarded_path(admin, "compare/", compare_traders_view, "traders_compare", look),
        guarded_path(admin, "download/", download_view, "traders_download", look),
        guarded_path(admin, "upload/", upload_view, "traders_upload", lambda request: may_upload(admin, request)),
        *control_urls(admin),
        guarded_path(admin, "<str:object_id>/clone/", clone_view, "traders_clone", add),
        guarded_path(admin, "<str:object_id>/variant/", variant_view, "traders_variant", add),
        guarded_path(admin, "<str:object_id>/download/", download_trader_view, "traders_download_one", look),
        guarded_path(admin, f"{version}/download/", download_trader_view, "traders_download_version", look),
    ]


def may_upload(admin: Any, request: HttpRequest) -> bool:
    return bool(admin.has_add_permission(request) and admin.has_change_permission(request))
