"""The page on which an account chooses how its pages look, and the choice of a language in the account menu."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.i18n import set_language

from traders.accounts.preferences import writer
from traders.accounts.preferences.forms import PreferencesForm
from traders.accounts.preferences.services import browser_zone, is_language, preferences_of


def preferences_view(request: HttpRequest) -> HttpResponse:
    zone = browser_zone(request)
    form = PreferencesForm(
        request.POST if request.method == "POST" else None,
        stored=preferences_of(request.user),
        in_browser=zone.key if zone else "",
    )
    if form.is_bound and form.is_valid():
        writer.keep(request.user, **form.cleaned_data)
        messages.success(request, _("Your preferences are saved."))
        return _in_language(HttpResponseRedirect(request.path), form.cleaned_data["language"])
    context = {**admin.site.each_context(request), "title": _("Preferences"), "form": form}
    return TemplateResponse(request, "traders/preferences.html", context)


def language_view(request: HttpRequest) -> HttpResponse:
    """Django's own view; what a person chooses who is logged in is kept with the account as well."""
    chosen = request.POST.get("language", "")
    if request.user.is_authenticated and is_language(chosen):
        writer.keep(request.user, language=chosen)
    return set_language(request)


def _in_language(response: HttpResponse, chosen: str) -> HttpResponse:
    """The login page of this browser follows the account: it has no account to ask."""
    if chosen:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            chosen,
            max_age=settings.LANGUAGE_COOKIE_AGE,
            path=settings.LANGUAGE_COOKIE_PATH,
            secure=settings.LANGUAGE_COOKIE_SECURE,
            httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
            samesite="Lax",
        )
    else:
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME, path=settings.LANGUAGE_COOKIE_PATH)
    return response
