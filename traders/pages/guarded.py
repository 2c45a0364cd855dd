"""Routes of pages beside the stock ones: login, permission and ConfigPage for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path

from traders.drafts.pages import answer_of_draft
from traders.pages.config_page import ConfigPage
from traders.versions.rules.errors import FleetNotAllowed
from traders.words.messages import translated

View = Callable[..., HttpResponseBase]
Rule = Callable[[HttpRequest], bool]


@contextmanager
def fleet_refusals() -> Iterator[None]:
    """Turns FleetNotAllowed of a service into PermissionDenied, which is answered 403."""
    try:
        yield
    except FleetNotAllowed as refused:
        raise PermissionDenied(translated(refused.message)) from refused


def guarded_path(admin: Any, route: str, view: View, name: str, allowed: Rule) -> URLPattern:
    """`view` is called with a ConfigPage, of the route's `object_id` if it has one, and the other arguments.

    An admin of configurations checks the id first (`config_id`), so an id of another kind never reaches the view.
    """
    takes: Callable[[str], str | None] = getattr(admin, "config_id", lambda object_id: object_id)

    def checked(request: HttpRequest, object_id: str = "", **arguments: Any) -> HttpResponseBase:
        if not allowed(request):
            raise PermissionDenied
        if object_id and takes(object_id) is None:
            answer: HttpResponseBase = admin.no_such_object(request, object_id)
            return answer
        if drafted := answer_of_draft(request):
            return drafted
        with fleet_refusals():
            return view(ConfigPage(admin, request, object_id), **arguments)

    guarded: View = admin.admin_site.admin_view(checked)
    return path(route, guarded, name=name)
