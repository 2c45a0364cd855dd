"""The stored texts of prompts: routes to their pages."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from unfold.admin import ModelAdmin

from traders.models import PromptText
from traders.pages.desk import Desk
from traders.pages.guarded import guarded_path
from traders.prompts.editing import create_view, edit_view
from traders.prompts.pages import compare_view, list_view, text_view


@admin.register(PromptText)
class PromptTextAdmin(ModelAdmin):
    """A text is never changed or deleted: to edit one is to store another and to move its traders there."""

    search_fields = ("path", "version", "sha256")

    def get_urls(self) -> list[URLPattern]:
        look, change = self.has_view_permission, may_move_traders
        return [
            guarded_path(self, "compare/", compare_view, "traders_prompts_compare", look),
            guarded_path(self, "<str:object_id>/edit/", edit_view, "traders_prompt_edit", change),
            *super().get_urls(),
        ]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self._require(self.has_view_permission(request))
        return list_view(Desk(self, request, ""))

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        self._require(self.has_view_permission(request) and request.method != "POST")
        return text_view(Desk(self, request, object_id))

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self._require(self.has_add_permission(request))
        return create_view(Desk(self, request, ""))

    def _require(self, allowed: bool) -> None:
        if not allowed:
            raise PermissionDenied


def may_move_traders(request: HttpRequest) -> bool:
    return request.user.has_perms(("traders.add_prompttext", "traders.change_traderconfig"))
