"""HTTPS for the read API: plain HTTP is redirected or refused, and browsers are told to insist on HTTPS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import quote

Headers = list[tuple[str, str]]
HSTS = "Strict-Transport-Security"
TOKEN_IN_CLEAR = (
    "This request came over plain HTTP with a token, which others on the way may have read. "
    "Replace the token, and use https://."
)
# Characters of a path that stay as they are in an address.
PATH_CHARACTERS = "/:@!$&'()*+,;=~-._"


class StartResponse(Protocol):
    """WSGI's second argument."""

    def __call__(self, status: str, headers: Headers, /) -> object: ...


@dataclass(frozen=True)
class Transport:
    """Whether HTTPS is required. `hsts` is the header's value, empty for none. `proxy_header` is the key of WSGI's
    environment in which a trusted proxy names the scheme, empty without such a proxy.
    """

    https_only: bool = False
    hsts: str = ""
    proxy_header: str = ""

    def is_secure(self, environ: Mapping[str, Any]) -> bool:
        """As Django decides it: by the proxy's header if there is one, else by the connection."""
        if self.proxy_header and (said := environ.get(self.proxy_header)) is not None:
            return bool(said.split(",", 1)[0].strip() == "https")
        return bool(environ.get("wsgi.url_scheme") == "https")

    def refuses(self, environ: Mapping[str, Any]) -> bool:
        return self.https_only and not self.is_secure(environ)

    def secured(self, start_response: StartResponse) -> StartResponse:
        """Adds the header to every answer. Only for answers over HTTPS: browsers ignore it elsewhere."""
        if not self.hsts:
            return start_response
        header = (HSTS, self.hsts)

        def start(status: str, headers: Iterable[tuple[str, str]], /) -> object:
            return start_response(status, [*headers, header])

        return start


PLAIN = Transport()


def https_address(environ: Mapping[str, Any]) -> str:
    """The same address over HTTPS. The host was checked before."""
    path = quote(environ.get("PATH_INFO", "").encode("latin-1", "replace"), safe=PATH_CHARACTERS)
    query = environ.get("QUERY_STRING", "")
    return f"https://{environ.get('HTTP_HOST', '')}{path}{'?' if query else ''}{query}"


def plain_http_answer(environ: Mapping[str, Any]) -> tuple[HTTPStatus, str, Headers]:
    """(status, detail, headers). A request with a token is refused, so that the client does not go on sending it."""
    if environ.get("HTTP_AUTHORIZATION"):
        return HTTPStatus.FORBIDDEN, TOKEN_IN_CLEAR, []
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
        return HTTPStatus.FORBIDDEN, "Use https://.", []
    return HTTPStatus.MOVED_PERMANENTLY, "Use https://.", [("Location", https_address(environ))]
