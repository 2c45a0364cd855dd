"""The answer to an internal error. It uses no database, session, login or theme, because these may be the cause."""

from __future__ import annotations

import sys
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from nof0site.errors.pages import for_program
from traders.database import writes
from traders.database.faults import Fault, fault_of

# Methods that a client may safely repeat.
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
SITE_FAULT = Fault(
    gettext_lazy("Something went wrong"),
    gettext_lazy("The site failed to answer; the fault is not yours."),
    "",
    status=HTTPStatus.INTERNAL_SERVER_ERROR,
    retry_seconds=None,
)


def server_error(request: HttpRequest) -> HttpResponse:
    """What is wrong with PostgreSQL and what to do, mostly as 503; 500 for everything else."""
    # Django asks for this page while it handles the exception.
    fault = fault_of(sys.exception()) or SITE_FAULT
    answer = _answer(request, fault)
    if fault.retry_seconds is not None:
        answer.headers["Retry-After"] = str(fault.retry_seconds)
    return answer


def written_words() -> str:
    """Whether the changes of a failed request were written."""
    if writes.may_be_written():
        return _("It may have been written. Send it again: what is stored already is not stored twice.")
    return _("Nothing was written.")


def _answer(request: HttpRequest, fault: Fault) -> HttpResponse:
    asked = request.method in SAFE_METHODS
    said = [str(fault.said), str(fault.then), "" if asked else written_words()]
    answer = for_program(request, fault.status, " ".join(filter(None, [*said, _("The log of the server says more.")])))
    if answer is None:
        context = {
            "title": fault.title,
            "said": list(filter(None, said)),
            "moment": timezone.now(),
            "again": request.get_full_path() if request.method == "GET" else "",
        }
        answer = HttpResponse(render_to_string("nof0site/broken.html", context), status=fault.status)
    answer.headers["Cache-Control"] = "no-store"
    return answer
