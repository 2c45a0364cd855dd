"""The limits of bodies for any WSGI server: what is too large is refused before it is read.

A WSGI server reads in the page's thread, so here a slow sender holds that thread; `serve` reads before it takes one.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from nof0site.serving.body_limits import BodyLimit, BodyRefused, Policy, announced_length, too_large
from nof0site.serving.refusals import refusal

Environ = dict[str, Any]
Application = Callable[[Any, Any], Iterable[bytes]]


@dataclass(frozen=True)
class LimitedApplication:
    """`application` behind the limits of `policy`."""

    application: Application
    policy: Policy

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        try:
            announced, limit = announced_length(environ), self.policy.limit(environ)
            if announced is None:
                raise BodyRefused(HTTPStatus.LENGTH_REQUIRED, "Send the body with its Content-Length.")
            if announced > limit.most:
                raise too_large(limit.most)
        except BodyRefused as refused:
            status, headers, content = refusal(refused, environ.get("PATH_INFO", ""))
            # `Connection` is for the server itself to send, by the rules of WSGI.
            start_response(status, [header for header in headers if header[0] != "Connection"])
            return [content]
        if announced > limit.bytes and (answer := self._refused_by_page(environ, limit, start_response)) is not None:
            return answer
        return self.application(environ, start_response)

    def _refused_by_page(self, environ: Environ, limit: BodyLimit, start_response: Any) -> Iterable[bytes] | None:
        answer = asked(self.application, environ)
        if answer.is_willing:
            return None
        start_response(answer.status, answer.headers)
        return [answer.content]


@dataclass(frozen=True)
class LimitedAnswer:
    status: str
    headers: list[tuple[str, str]]
    content: bytes

    @property
    def is_willing(self) -> bool:
        return self.status.startswith("200 ")


def asked(application: Application, environ: Environ) -> LimitedAnswer:
    """How the page answers a GET with the same cookies: whether this client may send it anything."""
    without_body = {key: value for key, value in environ.items() if key not in ("CONTENT_LENGTH", "CONTENT_TYPE")}
    without_body |= {"REQUEST_METHOD": "GET", "wsgi.input": io.BytesIO()}
    without_body.pop("HTTP_TRANSFER_ENCODING", None)
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        started[:] = [status, headers]

    result = application(without_body, start_response)
    try:
        content = b"".join(result)
    finally:
        if hasattr(result, "close"):
            result.close()
    return LimitedAnswer(started[0], started[1], content)
