"""The answer when something is broken. It needs neither database nor session, login or theme: it may be those."""

from __future__ import annotations

import sys
from http import HTTPStatus

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from nof0site.errors import for_program

RETRY_SECONDS = 10
# SQLSTATEs of a connection that was lost: class 08, and the server's going down or ending the session.
LOST = ("08", "57P")


def server_error(request: HttpRequest) -> HttpResponse:
    """503 where PostgreSQL is away, 500 for everything else."""
    # Django asks for this page while it handles the exception.
    if is_database_away(sys.exception()):
        return _without_database(request)
    title, said = _("Something went wrong"), _("The site failed to answer; the fault is not yours.")
    return _answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, title, said)


def is_database_away(error: BaseException | None) -> bool:
    """Whether there was no connection or it was lost. What PostgreSQL itself refused, such as a statement that took
    too long, is something else.
    """
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    sqlstate = getattr(error.__cause__, "sqlstate", None)
    return sqlstate is None or sqlstate.startswith(LOST)


def _without_database(request: HttpRequest) -> HttpResponse:
    said = _("PostgreSQL cannot be reached. Until it is back nothing can be shown or changed; the fault is not yours.")
    answer = _answer(request, HTTPStatus.SERVICE_UNAVAILABLE, _("The database does not answer"), said)
    answer.headers["Retry-After"] = str(RETRY_SECONDS)
    return answer


def _answer(request: HttpRequest, status: HTTPStatus, title: str, said: str) -> HttpResponse:
    answer = for_program(request, status, f"{said} {_('The log of the server says more.')}")
    if answer is None:
        context = {
            "title": title,
            "said": said,
            "moment": timezone.now(),
            "again": request.get_full_path() if request.method == "GET" else "",
        }
        answer = HttpResponse(render_to_string("nof0site/broken.html", context), status=status)
    answer.headers["Cache-Control"] = "no-store"
    return answer
