"""The admin site: the theme's, entered by every account that has a role."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.sites import UnfoldAdminSite

from nof0site.hashing import most_waiting, turn
from nof0site.login import LoginForm, OwnPasswordForm, busy
from traders.repositories.roles import may_enter


class ControlSite(UnfoldAdminSite):
    login_form = LoginForm

    def has_permission(self, request: HttpRequest) -> bool:
        return may_enter(request.user)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method != "POST":
            return super().login(request, extra_context)
        with turn.taken(most_waiting()) as is_ours:
            return super().login(request, extra_context) if is_ours else busy(request)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The theme's view, with a form that throttles."""
        request.current_app = self.name
        view = PasswordChangeView.as_view(
            form_class=partial(OwnPasswordForm, request=request),
            success_url=reverse(f"{self.name}:password_change_done", current_app=self.name),
            extra_context={**self.each_context(request), **(extra_context or {})},
            template_name=self.password_change_template or PasswordChangeView.template_name,
        )
        if request.method != "POST":
            return view(request)
        with turn.taken(most_waiting()) as is_ours:
            return view(request) if is_ours else busy(request)
