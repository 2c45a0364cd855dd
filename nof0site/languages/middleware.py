"""The language of a page: the account's choice, else this browser's earlier choice, else the language that the browser
asks for. Programs are always answered in English."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

from traders.accounts.preferences.services import language_of
from trading.export.public_api.problems import PREFIX


class PageLanguage(LocaleMiddleware):
    """Django's middleware for pages. Messages of both APIs are part of their contract and stay English."""

    def process_request(self, request: HttpRequest) -> None:
        if request.path_info.startswith(PREFIX):
            translation.activate(settings.LANGUAGE_CODE)
            request.LANGUAGE_CODE = settings.LANGUAGE_CODE
        else:
            super().process_request(request)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        return response if request.path_info.startswith(PREFIX) else super().process_response(request, response)


def language_of_the_account(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """The language that an account chose goes before that of its browser. It needs the account: it stands after the
    middleware of logins."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(PREFIX) and (chosen := language_of(request)):
            translation.activate(chosen)
            request.LANGUAGE_CODE = chosen
        return get_response(request)

    return middleware
