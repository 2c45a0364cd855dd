"""The page by which an account adds its second factor, gets recovery codes, and removes it."""

from __future__ import annotations

import time
from typing import Any

import segno
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables

from nof0site.login.attempts import forget, may_try
from nof0site.login.pages import locked_out
from traders.accounts.audited import actor_of
from traders.accounts.factors import writer as factors
from traders.accounts.factors.rules import address_for_apps, as_text, new_secret, step_of
from traders.accounts.factors.sealing import FactorUnreadable, seal, unseal
from traders.accounts.factors.services import SHOWN, factor_of, is_due, is_required
from traders.accounts.sessions import services as sessions

PENDING = "factor_pending"
"""In the data of a session: the sealed secret that waits for its first code."""


class CodeForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )


def second_factor_view(request: HttpRequest) -> HttpResponse:
    return _adding(request) if factor_of(request.user) is None else _having(request)


@sensitive_variables("secret", "codes")
def _adding(request: HttpRequest) -> HttpResponse:
    secret = _pending(request)
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        step = step_of(secret, form.cleaned_data["code"], now=time.time())
        if step is not None:
            codes = factors.add(request.user, secret, step)
            del request.session[PENDING]
            request.session[SHOWN] = True
            sessions.end(request.user, actor=actor_of(request.user), but=request.session.session_key)
            return _page(request, codes=codes)
        form.add_error("code", _("This is not the code of now. Is the clock of the phone right?"))
    name = request.user.get_username()
    code: Any = segno.make(address_for_apps(secret, name), error="m", micro=False)
    # Dark modules on white in both themes: many phones read no inverted code.
    picture = SafeString(code.svg_inline(scale=5, border=4, dark="#000", light="#fff", svgclass="qr", lineclass=None))
    return _page(request, form=form, picture=picture, secret=as_text(secret))


@sensitive_variables("codes")
def _having(request: HttpRequest) -> HttpResponse:
    """Each step asks for a code, wrong ones count as wrong passwords."""
    form = CodeForm(request.POST if request.method == "POST" else None)
    name = request.user.get_username()
    if not form.is_bound or not form.is_valid():
        return _page(request, form=form, factor=factor_of(request.user))
    if not may_try(request, name):
        return locked_out(request, credentials={"username": name})
    try:
        is_right = factors.accept(request.user, form.cleaned_data["code"])
    except FactorUnreadable:
        is_right = False
    if not is_right:
        user_login_failed.send(sender=__name__, credentials={"username": name}, request=request)
        form.add_error("code", _("This code is wrong, or was used already. Wait for the next one."))
        return _page(request, form=form, factor=factor_of(request.user))
    forget(request, name)
    request.session[SHOWN] = True
    if request.POST.get("step") == "renew":
        return _page(request, codes=factors.renew_recovery(request.user))
    if is_required(request.user):
        messages.error(request, _("Your role needs a second factor. Nothing was removed."))
    else:
        factors.remove(request.user, actor=actor_of(request.user))
        messages.success(request, _("The second factor is removed. The password alone lets you in."))
    return HttpResponseRedirect(reverse("admin:second_factor"))


def _pending(request: HttpRequest) -> bytes:
    """The secret of the page that is open, sealed in the session: its data lie in the database."""
    try:
        return unseal(request.session[PENDING])
    except (KeyError, FactorUnreadable):
        secret = new_secret()
        request.session[PENDING] = seal(secret)
        return secret


def _page(request: HttpRequest, **context: Any) -> HttpResponse:
    shared = {
        **admin.site.each_context(request),
        "title": _("Second factor"),
        "is_due": is_due(request),
        "is_required": is_required(request.user),
    }
    return TemplateResponse(request, "nof0site/second_factor.html", shared | context)
