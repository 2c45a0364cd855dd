"""The admin site: the theme's, entered by whoever has a role."""

from __future__ import annotations

from django.http import HttpRequest
from unfold.sites import UnfoldAdminSite

from nof0site.login import LoginForm
from traders.repositories.roles import may_enter


class ControlSite(UnfoldAdminSite):
    login_form = LoginForm

    def has_permission(self, request: HttpRequest) -> bool:
        return may_enter(request.user)
