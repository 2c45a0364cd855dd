"""The admin site: the theme's, entered by every account that has a role."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import Any

from django.contrib.auth.views import PasswordChangeView, redirect_to_login
from django.core.paginator import InvalidPage
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.views.decorators.cache import never_cache
from unfold.sites import UnfoldAdminSite

from nof0site.acceptance.pages import acceptance_view
from nof0site.finding.pages import find_view
from nof0site.login.attempts import is_known, may_try
from nof0site.login.hashing import known, most_waiting, strangers
from nof0site.login.pages import LoginForm, OwnPasswordForm, busy
from nof0site.login.second_factor import second_factor_view
from traders.accounts.factors.services import is_due
from traders.accounts.preferences.pages import preferences_view
from traders.accounts.sessions.pages import sessions_view
from traders.accounts.writer import may_enter
from traders.audit.origin import client_address
from traders.drafts import pages as drafts
from traders.drafts import writer


class ControlSite(UnfoldAdminSite):
    login_form = LoginForm
    login_template = "nof0site/login.html"

    def get_urls(self) -> Any:
        return [
            path("find/", self.admin_view(find_view), name="find"),
            path("preferences/", self.admin_view(preferences_view), name="preferences"),
            path("sessions/", self.admin_view(self.own_sessions), name="sessions"),
            path("acceptance/", self.admin_view(acceptance_view), name="acceptance"),
            path("second-factor/", never_cache(self.second_factor), name="second_factor"),
            *super().get_urls(),
        ]

    def own_sessions(self, request: HttpRequest) -> HttpResponse:
        return sessions_view(request, request.user, may_end=True)

    def has_permission(self, request: HttpRequest) -> bool:
        """An account that owes its second factor may only add it, or log out."""
        if not may_enter(request.user):
            return False
        return not is_due(request) or request.path == reverse(f"{self.name}:logout")

    def second_factor(self, request: HttpRequest) -> HttpResponse:
        """Not an `admin_view`, since it is open to accounts that owe their factor."""
        if not may_enter(request.user):
            return redirect_to_login(request.get_full_path(), reverse(f"{self.name}:login"))
        return second_factor_view(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method != "POST":
            if may_enter(request.user) and is_due(request):
                return HttpResponseRedirect(reverse(f"{self.name}:second_factor"))
            return super().login(request, extra_context)
        with _turn(request, request.POST.get("username", "")) as is_ours:
            return super().login(request, extra_context) if is_ours else busy(request)

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Clears the account's drafts, here and in its browser. A session that only ended keeps them."""
        if request.method != "POST":
            return super().logout(request, extra_context)
        if request.user.pk is not None:
            writer.forget_account(int(request.user.pk))
        return drafts.ended(request, super().logout(request, extra_context), drafts.ALL)

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
