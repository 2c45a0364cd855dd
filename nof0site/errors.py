"""The pages for what cannot be answered: what is wrong, and where to go from there."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    said = _("The address or the form is none that this site gave out. Nothing was changed: go back and try again.")
    return _page(request, _("This cannot be answered"), said, status=400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    said = _("Your account may not do this. An administrator can give it another role, on the page Users.")
    return _page(request, _("Not for this account"), said, status=403)


def outdated_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose token does not fit: sent after a new login in another window, or from another site."""
    said = _(
        "The form belongs to an earlier login. Nothing was changed: go back, load the page anew, and send it again."
    )
    return _page(request, _("This form is too old"), said, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    said = _("Nothing lies at this address. Look for it among the traders, or in the change log.")
    return _page(request, _("There is no such page"), said, status=404)


def _page(request: HttpRequest, title: str, said: str, *, status: int) -> HttpResponse:
    if not hasattr(request, "user"):  # refused before the login was looked at, as for an unknown host
        return HttpResponse(f"{title}. {said}\n", status=status, content_type="text/plain")
    context = {**admin.site.each_context(request), "title": title, "said": said}
    return render(request, "nof0site/error.html", context, status=status)
