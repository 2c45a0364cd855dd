"""A page outside the admin's own ones: behind the login and its rule, with the desk it works at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path

from traders.admin.pages import Desk

View = Callable[..., HttpResponseBase]
Rule = Callable[[HttpRequest], bool]


def guarded_path(admin: Any, route: str, view: View, name: str, allowed: Rule) -> URLPattern:
    """`view` is called with a desk and the route's arguments; of a route with `object_id` the desk is that trader's."""

    def checked(request: HttpRequest, object_id: str = "", **arguments: Any) -> HttpResponseBase:
        if not allowed(request):
            raise PermissionDenied
        return view(Desk(admin, request, object_id), **arguments)

    guarded: View = admin.admin_site.admin_view(checked)
    return path(route, guarded, name=name)
