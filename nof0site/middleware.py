"""Middleware: security headers, and refusals of requests that Django lets through."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from nof0site.errors.pages import bad_request, for_program
from traders.accounts.preferences.services import zone_of
from traders.accounts.sessions import services as sessions
from traders.audit.origin import request_from
from traders.database import writes
from trading.export.public_api.problems import PREFIX
from trading.export.public_api.transport import TOKEN_IN_CLEAR

# The theme runs Alpine, which evaluates expressions, and writes its colours into a style element.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


# The pages need none of these, so injected scripts may not use them either.
PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in (
        *("accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "geolocation", "gyroscope"),
        *("magnetometer", "microphone", "midi", "payment", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking"),
    )
)


def nothing_written_yet(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Marks the start of a request, so that a failed request can say whether it wrote something."""

    def middleware(request: HttpRequest) -> HttpResponse:
        writes.begin()
        return get_response(request)

    return middleware


def address_known(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Lets entries of the audit name the address, also where they are written by code that is not given the request."""

    def middleware(request: HttpRequest) -> HttpResponse:
        with request_from(request):
            return get_response(request)

    return middleware


def session_used(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Keeps a session going while a person uses it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            sessions.use(request)
        return get_response(request)

    return middleware


def zone_of_the_viewer(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Pages write and read times in the zone of their viewer. What programs ask for stays in UTC, and so do downloads,
    which write their moments by themselves."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path.startswith(PREFIX):
            return get_response(request)
        with timezone.override(zone_of(request)):
            return get_response(request)

    return middleware


def content_security_policy(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Keep the browser from loading anything from, or sending a form to, another host, and from using devices."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        return response

    return middleware


def no_token_over_plain_http(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Refuse a token that came over plain HTTP while HTTPS is on. A redirect would let the client go on sending it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if settings.SECURE_SSL_REDIRECT and not request.is_secure() and request.headers.get("Authorization"):
            return for_program(request, HTTPStatus.FORBIDDEN, TOKEN_IN_CLEAR) or get_response(request)
        return get_response(request)

    return middleware


def only_sound_lengths(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Refuse a Content-Length that is no number. Django reads it as one, and web servers let some through."""

    def middleware(request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not (length.isascii() and length.isdigit() and len(length) < 20):
            request.META["CONTENT_LENGTH"] = "0"
            return bad_request(request)
        return get_response(request)

    return middleware


def no_null_characters(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """PostgreSQL has no text that holds one, so an address with one can mean nothing. Forms refuse them already."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if "\0" in request.path or "%00" in request.META["QUERY_STRING"]:
            return bad_request(request)
        return get_response(request)

    return middleware


def other_method_as_json(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """The engine API refuses everything in JSON; its library says this one thing in plain text."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
            return response
        allowed = response.headers["Allow"]
        refused = for_program(request, HTTPStatus.METHOD_NOT_ALLOWED, f"This address takes {allowed}.")
        if refused is None:
            return response
        refused.headers["Allow"] = allowed
        return refused

    return middleware
