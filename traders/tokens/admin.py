"""API tokens: routes to their pages."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern
from unfold.admin import ModelAdmin

from traders.models import ApiToken
from traders.pages.guarded import guarded_path
from traders.tokens.pages import create_view, list_view, may_revoke, revoke_view


@admin.register(ApiToken)
class ApiTokenAdmin(ModelAdmin):
    """Made, looked at and revoked; a token is never changed or deleted."""

    def get_urls(self) -> list[URLPattern]:
        return [
            guarded_path(self, "", list_view, "traders_apitoken_changelist", self.has_view_permission),
            guarded_path(self, "add/", create_view, "traders_apitoken_add", self.has_add_permission),
            guarded_path(self, "<int:token_id>/revoke/", revoke_view, "traders_apitoken_revoke", may_revoke),
        ]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
