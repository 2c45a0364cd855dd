"""The admin site: the theme's, entered by every account that has a role."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import Any

from django.contrib.auth.views import PasswordChangeView
from django.core.paginator import InvalidPage
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.sites import UnfoldAdminSite

from nof0site.login.attempts import is_known, may_try
from nof0site.login.hashing import known, most_waiting, strangers
from nof0site.login.pages import LoginForm, OwnPasswordForm, busy, client_address
from traders.accounts.writer import may_enter


class ControlSite(UnfoldAdminSite):
    login_form = LoginForm

    def has_permission(self, request: HttpRequest) -> bool:
        return may_enter(request.user)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method != "POST":
            return super().login(request, extra_context)
        with _turn(request, request.POST.get("username", "")) as is_ours:
            return super().login(request, extra_context) if is_ours else busy(request)

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The theme's view, which knows no page that is not there."""
        try:
            return super().search(request, extra_context)
        except (InvalidPage, ValueError):
            asked = request.GET.copy()
            asked["page"] = "1"
            request.GET = asked  # type: ignore[assignment]
            return super().search(request, extra_context)

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
        with _turn(request, request.user.get_username()) as is_ours:
            return view(request) if is_ours else busy(request)


def _turn(request: HttpRequest, name: str) -> contextlib.AbstractContextManager[bool]:
    """The turn to have a password checked. An attempt that the throttle refuses anyway needs none."""
    if not may_try(request, name):
        return contextlib.nullcontext(True)
    address = client_address(request)
    if is_known(name, address):
        return known.taken(f"{name} {address}", most_waiting())
    return strangers.taken(address, most_waiting())
