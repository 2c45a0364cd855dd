"""Error pages: what is wrong, and what to do next."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from trading.export.public_api.problems import PREFIX, problem


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    said = _("This site did not make this address or this form.")
    then = _("Nothing was changed: go back and try again.")
    return _answer(request, HTTPStatus.BAD_REQUEST, _("This cannot be answered"), said, then)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    said = _("Your account may not do this.")
    then = _("An administrator can give it another role, on the page Users.")
    return _answer(request, HTTPStatus.FORBIDDEN, _("Not for this account"), said, then)


def outdated_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose token does not fit: sent after a new login in another window, or from another site."""
    said = _("The form belongs to an earlier login.")
    then = _("Nothing was changed. Open the form again: this browser keeps what you typed, to be checked and sent.")
    came_from = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure())
    form_url = came_from if is_ours else ""
    return _answer(request, HTTPStatus.FORBIDDEN, _("This form is too old"), said, then, form_url=form_url)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    said = _("There is no page at this address.")
    then = _("Look for it among the traders, or in the change log.")
    return _answer(request, HTTPStatus.NOT_FOUND, _("There is no such page"), said, then)


def for_program(request: HttpRequest, status: HTTPStatus, said: str) -> HttpResponse | None:
    """The answer in the read API's form, where a program asks; None for a person."""
    return JsonResponse(problem(status, said), status=status) if request.path.startswith(PREFIX) else None


def _answer(
    request: HttpRequest, status: HTTPStatus, title: str, said: str, then: str, *, form_url: str = ""
) -> HttpResponse:
    """`then`: what a person can do. `form_url`: the page of the form that was refused."""
    if answer := for_program(request, status, said):
        return answer
    if not hasattr(request, "user"):  # refused before the login was looked at, as for an unknown host
        return HttpResponse(f"{title}. {said} {then}\n", status=status, content_type="text/plain")
    context = {**admin.site.each_context(request), "title": title, "said": f"{said} {then}", "form_url": form_url}
    return render(request, "nof0site/error.html", context, status=status)
