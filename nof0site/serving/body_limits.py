"""How large a request's body may be, by the page it is for and by what the client has shown so far.

The rules read the address and the headers alone, so that a body too large is refused before any of it is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

KILOBYTE, MEGABYTE = 1024, 1024 * 1024
# A login, or anything of a client that shows neither a session nor a token.
SMALL_BYTES = 64 * KILOBYTE
# A form of a page, or a request of a token's holder.
FORM_BYTES = 3 * MEGABYTE
# A file of 20 MB, and the form around it.
UPLOAD_BYTES = 20 * MEGABYTE + SMALL_BYTES
# An engine's token, or one of the read API, by its form; whether it is valid is for the endpoint to find out.
TOKEN = re.compile(r"bearer +[A-Za-z0-9_.~+/=-]{20,512} *", re.IGNORECASE)
ENGINE_API = "/api/v1/"
# No form of a page uses these methods: such a request has no body, even if it announces one.
BODILESS = ("GET", "HEAD", "OPTIONS", "TRACE")


class BodyRefused(Exception):
    """A request that is answered without the page. `says` completes the answer's text."""

    def __init__(self, status: HTTPStatus, says: str, *, retry_seconds: int | None = None) -> None:
        super().__init__(says)
        self.status, self.says, self.retry_seconds = status, says, retry_seconds


@dataclass(frozen=True)
class BodyLimit:
    """`bytes` may be read at once. Up to `after_asking`, if that is more, may be read when the page answers a GET with
    the same cookies by 200."""

    bytes: int
    after_asking: int = 0

    @property
    def most(self) -> int:
        return max(self.bytes, self.after_asking)


@dataclass(frozen=True)
class Policy:
    """The addresses that differ from other pages, and the name of the session's cookie."""

    login: str
    uploads: frozenset[str]
    session_cookie: str

    def limit(self, environ: Mapping[str, str]) -> BodyLimit:
        """`environ` is WSGI's."""
        path = environ.get("PATH_INFO", "")
        if environ["REQUEST_METHOD"] in BODILESS or path == self.login:
            return BodyLimit(SMALL_BYTES)
        if path.startswith(ENGINE_API):
            return BodyLimit(FORM_BYTES if TOKEN.fullmatch(environ.get("HTTP_AUTHORIZATION", "")) else SMALL_BYTES)
        if not self._has_session(environ.get("HTTP_COOKIE", "")):
            return BodyLimit(SMALL_BYTES)
        return BodyLimit(FORM_BYTES, UPLOAD_BYTES if path in self.uploads else 0)

    def _has_session(self, cookies: str) -> bool:
        names = (cookie.partition("=")[0].strip() for cookie in cookies.split(";"))
        return self.session_cookie in names


def announced_length(environ: Mapping[str, str]) -> int | None:
    """Bytes that the client is about to send; None if only the end will tell (chunked). Raises BodyRefused."""
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        return None
    text = environ.get("CONTENT_LENGTH", "") or "0"
    if not (text.isascii() and text.isdecimal()):
        raise BodyRefused(HTTPStatus.BAD_REQUEST, f"Content-Length is no number of bytes: {text[:30]!r}.")
    return int(text)


def too_large(limit: int) -> BodyRefused:
    return BodyRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"This address takes {size(limit)} at most.")


def size(count: int) -> str:
    """For people: `64 kB`, `3 MB`."""
    return f"{count // MEGABYTE} MB" if count >= MEGABYTE else f"{count // KILOBYTE} kB"
