"""Logging in: the forms, and the answer to an attempt that is refused."""

from __future__ import annotations

from http import HTTPStatus
from math import ceil
from typing import Any

from axes.backends import AxesStandaloneBackend
from django import forms
from django.contrib import admin
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm as DjangoAuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables
from unfold.forms import AdminOwnPasswordChangeForm, AuthenticationForm
from unfold.widgets import UnfoldAdminTextInputWidget

from nof0site.login.attempts import forget, refusal_of, username_in
from nof0site.login.throttle import ThrottleScope
from traders.accounts.audited import actor_of
from traders.accounts.writer import may_enter, whole
from traders.audit import writer as audit
from traders.audit.rules import AuditKind
from traders.models import SecondFactor

BUSY_SECONDS = 2
UNREADABLE = gettext_lazy(
    "The second factor of this account cannot be read, since the site's SECRET_KEY has changed. Use a recovery code, or"
    " have it removed on the server: manage.py reset_password NAME --remove-factor."
)


class LoginForm(AuthenticationForm):
    """The theme's form, open to every account with a role, not only to staff."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": gettext_lazy(
            "Please enter the username and password of an account that has a role, and the code if it has a second"
            " factor. Case matters."
        ),
    }

    def confirm_login_allowed(self, user: Any) -> None:
        DjangoAuthenticationForm.confirm_login_allowed(self, user)
        if not may_enter(user):
            raise self.get_invalid_login_error()

    otp_token = forms.CharField(
        label=gettext_lazy("Code of the second factor"),
        help_text=gettext_lazy("Only if your account has one: six digits of the app, or a recovery code."),
        required=False,
        max_length=40,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "one-time-code", "autocapitalize": "none"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not SecondFactor.objects.exists():
            del self.fields["otp_token"]

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        """As Django's, with the code as one more credential."""
        given = self.cleaned_data
        name, password = given.get("username"), given.get("password")
        if name is not None and password:
            code = given.get("otp_token", "")
            self.user_cache = authenticate(self.request, username=name, password=password, otp_token=code)
            if self.user_cache is None:
                raise ValidationError(UNREADABLE) if is_unreadable(self.request) else self.get_invalid_login_error()
            self.confirm_login_allowed(self.user_cache)
        return given


def is_unreadable(request: Any) -> bool:
    """The password was right, and the second factor could not be looked at."""
    return getattr(request, "factor_is_unreadable", False)


class OwnPasswordForm(AdminOwnPasswordChangeForm):
    """The theme's form; the old password is checked, counted and throttled as at a login."""

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        self.request = request
        super().__init__(*args, **kwargs)

    @sensitive_variables()
    def clean_old_password(self) -> str:
        password: str = self.cleaned_data["old_password"]
        name = self.user.get_username()
        if authenticate(self.request, username=name, password=password, has_shown_factor=True) is None:
            raise ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        forget(self.request, name)
        return password

    def save(self, commit: bool = True) -> Any:
        with whole():
            audit.note(AuditKind.PASSWORD_SET, actor=actor_of(self.user))
            return super().save(commit)


class ThrottlingBackend(AxesStandaloneBackend):
    """Refuses an account or address with too many wrong passwords. Code that authenticates without a request passes."""

    def authenticate(self, request: HttpRequest | None, *args: Any, **credentials: Any) -> None:
        if request is not None:
            super().authenticate(request, *args, **credentials)


def locked_out(
    request: HttpRequest, response: HttpResponse | None = None, credentials: dict[str, Any] | None = None
) -> HttpResponse:
    """The page after too many wrong passwords, with how long attempts are refused."""
    name = username_in(credentials)
    found = refusal_of(request, name)
    seconds = max(1, ceil((found.until - timezone.now()).total_seconds())) if found else 1
    context = {
        **admin.site.each_context(request),
        "title": _("Too many failed attempts"),
        "reason": _reason(found.scope if found else ThrottleScope.PAIR, name),
        "minutes": ceil(seconds / 60),
        # A short wait is shown in seconds.
        "seconds": seconds if seconds < 60 else 0,
    }
    page = render(request, "nof0site/locked_out.html", context, status=HTTPStatus.TOO_MANY_REQUESTS)
    return _for_now(page, seconds)


def busy(request: HttpRequest) -> HttpResponse:
    """The page for an attempt that came while others are being checked. Light: many may be asked for at once."""
    said = [
        _("Other logins are being checked at the moment, and the password was not looked at."),
        _("Go back and send it again."),
    ]
    context = {"title": _("Too many logins at once"), "said": said, "again": request.get_full_path()}
    page = HttpResponse(render_to_string("nof0site/busy.html", context), status=HTTPStatus.TOO_MANY_REQUESTS)
    return _for_now(page, BUSY_SECONDS)


def _reason(scope: ThrottleScope, name: str) -> str:
    refused = _("Further attempts before then are refused, with the right password too.")
    if scope is ThrottleScope.ACCOUNT:
        said = _("“%(name)s” was given wrong passwords from many addresses.") % {"name": name}
    elif scope is ThrottleScope.ADDRESS:
        said = _("Too many wrong passwords came from this address.")
    else:
        said = _("“%(name)s” was given a wrong password too often from this address.") % {"name": name}
    return f"{said} {refused}"


def _for_now(page: HttpResponse, seconds: int) -> HttpResponse:
    page.headers["Retry-After"] = str(seconds)
    page.headers["Cache-Control"] = "no-store"
    return page
