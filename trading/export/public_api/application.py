"""The WSGI application of the read API. Whatever it does not know it hands to the one behind it."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from django.http.request import split_domain_port, validate_host

from trading.export.documents.names import ANALYTICS_OF_ONE, Document
from trading.export.public_api.access import DocumentAccess, without_texts
from trading.export.public_api.ages import age_seconds
from trading.export.public_api.current import CurrentRun
from trading.export.public_api.health import METRICS_TYPE, NOTHING_YET, health, metrics, nothing_yet
from trading.export.public_api.problems import PREFIX, problem
from trading.export.public_api.snapshot import DocumentBody, Form, Lines, Snapshot
from trading.export.public_api.transport import PLAIN, Transport, plain_http_answer

METRICS = "/metrics"
# Tools and engines write there; it is not this API's.
NOT_OURS = "/api/v1/"
SINCE_HOUR = "lastHourlyMarker"
LONGEST_NUMBER = 18
WEIGHT = re.compile(r"q=([01](?:\.[0-9]*)?)")
NO_CONTENT = (b"",)

log = logging.getLogger(__name__)
Environ = Mapping[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Any, Any], Iterable[bytes]]
Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class ReadApi:
    """`behind` None: nothing but the API is served. It is asked for what lies below `behind_at` only."""

    root: Path
    current: CurrentRun
    access: DocumentAccess
    hosts: tuple[str, ...]
    stale_seconds: float
    behind: Application | None
    behind_at: tuple[str, ...] = ("/",)
    transport: Transport = PLAIN

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "")
        if self.transport.https_only and not self.is_for_behind(path):
            if self.transport.refuses(environ):
                return self._over_plain_http(environ, start_response)
            start_response = self.transport.secured(start_response)
        if (body := self._at_once(path, environ)) is not None:
            form = _form_for(body, environ)
            if environ.get("HTTP_IF_NONE_MATCH") == form.etag:
                start_response("304 Not Modified", list(form.headers_of_304))
                return NO_CONTENT
            if "HTTP_IF_NONE_MATCH" not in environ and "HTTP_IF_MODIFIED_SINCE" not in environ:
                start_response("200 OK", list(form.headers))
                return (form.content,)
        if self.behind is not None and self.is_for_behind(path):
            return self.behind(environ, start_response)
        if not _is_ours(path):
            return _Reply(environ, start_response, []).problem(HTTPStatus.NOT_FOUND, "There is nothing here.")
        cors = self.access.cors_headers(environ.get("HTTP_ORIGIN", "")) if self.access.origins else []
        reply = _Reply(environ, start_response, cors)
        try:
            return self._governed(reply, path, environ)
        except Exception:
            log.exception("A request for %s failed.", path)
            return reply.problem(HTTPStatus.INTERNAL_SERVER_ERROR, "The log of the server says more.")

    def quick(self, scope: Mapping[str, Any]) -> tuple[int, Lines, bytes] | None:
        """(status, header lines, content) for an ASGI request that needs neither a file nor a store, in a few
        microseconds. None: ask the application itself, which answers such a request alike."""
        if scope["method"] != "GET" or scope["query_string"]:
            return None
        if (body := self.current.at_once(scope["path"])) is None:
            return None
        lines = scope["headers"]
        given = dict(lines)
        if len(given) != len(lines) or b"if-modified-since" in given or self.transport.https_only:
            return None
        if self.access.origins and b"origin" in given:
            return None
        if not _is_allowed(given.get(b"host", b"").decode("latin-1"), self.hosts):
            return None
        is_packed = body.packed is not None and _takes_gzip(given.get(b"accept-encoding", b"").decode("latin-1"))
        form = body.packed if body.packed is not None and is_packed else body.plain
        tags = given.get(b"if-none-match")
        if tags is None:
            return HTTPStatus.OK, form.lines, form.content
        return (HTTPStatus.NOT_MODIFIED, form.lines_of_304, b"") if tags == form.etag_line else None

    def is_for_behind(self, path: str) -> bool:
        """Whether the application behind is asked for this path."""
        return self.behind is not None and not _is_ours(path) and path.startswith(self.behind_at)

    def _over_plain_http(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        reply = _Reply(environ, start_response, [])
        if not _is_allowed(environ.get("HTTP_HOST", ""), self.hosts):
            return reply.problem(HTTPStatus.BAD_REQUEST, "This host is not in ALLOWED_HOSTS.")
        return reply.problem(*plain_http_answer(environ))

    def _at_once(self, path: str, environ: Environ) -> DocumentBody | None:
        """What nine of ten requests are for: a whole document, public, of a fresh run. The others take the long way."""
        body = self.current.at_once(path) if environ["REQUEST_METHOD"] == "GET" else None
        if body is None or environ.get("QUERY_STRING") or (self.access.origins and "HTTP_ORIGIN" in environ):
            return None
        return body if _is_allowed(environ.get("HTTP_HOST", ""), self.hosts) else None

    def _governed(self, reply: _Reply, path: str, environ: Environ) -> Iterable[bytes]:
        if not _is_allowed(environ.get("HTTP_HOST", ""), self.hosts):
            return reply.problem(HTTPStatus.BAD_REQUEST, "This host is not in ALLOWED_HOSTS.")
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self._other_method(reply, environ)
        name = "metrics" if path.rstrip("/") == METRICS else path[len(PREFIX) :].rstrip("/")
        level = self.access.level(_governed_by(name))
        if level == "off":
            return reply.problem(HTTPStatus.NOT_FOUND, f"There is no document {name!r}.")
        has_token = self.access.admits(environ.get("HTTP_AUTHORIZATION", ""))
        if level == "token":
            if not has_token:
                challenge = [("WWW-Authenticate", 'Bearer realm="nof0"')]
                return reply.problem(HTTPStatus.UNAUTHORIZED, self.access.what_is_needed, challenge)
            reply.make_private()
        return self._answer(reply, name, environ, has_token=has_token)

    def _answer(self, reply: _Reply, name: str, environ: Environ, *, has_token: bool) -> Iterable[bytes]:
        """Error texts may name hosts, ports and roles of the servers behind: only holders of a token read them."""
        snapshot = self.current.snapshot()
        if name == "health":
            report = health(snapshot, self.root, self.stale_seconds)
            return reply.fresh(report if has_token else without_texts(report), "application/json")
        if name == "metrics":
            return reply.fresh(metrics(snapshot, self.root), METRICS_TYPE)
        if snapshot is None:
            says = nothing_yet(self.root) if has_token else NOTHING_YET
            return reply.problem(HTTPStatus.SERVICE_UNAVAILABLE, says, [("Retry-After", "10")])
        body = self._body(snapshot, name, environ.get("QUERY_STRING", ""))
        if body is None:
            return self._missing(reply, snapshot, name, has_token=has_token)
        return reply.document(body, self._age_headers(snapshot, name))

    def _body(self, snapshot: Snapshot, name: str, query: str) -> DocumentBody | None:
        if query and name == Document.ACCOUNT_TOTALS and snapshot.slicer and (hour := _hour(query)) is not None:
            return snapshot.slicer.from_hour(hour)
        return snapshot.bodies.get(name)

    def _missing(self, reply: _Reply, snapshot: Snapshot, name: str, *, has_token: bool) -> Iterable[bytes]:
        if name in snapshot.failed:
            says = f"{name} could not be made" + (f": {snapshot.failed[name]}" if has_token else ".")
            return reply.problem(HTTPStatus.SERVICE_UNAVAILABLE, says, [("Retry-After", "60")])
        what = "trader" if name.startswith(ANALYTICS_OF_ONE) else "document"
        return reply.problem(HTTPStatus.NOT_FOUND, f"There is no {what} {name.removeprefix(ANALYTICS_OF_ONE)!r}.")

    def _age_headers(self, snapshot: Snapshot, name: str) -> Headers:
        """Age and Warning for a document that is stale or could not be renewed; nothing for a fresh one."""
        if name in snapshot.failed:
            age = round(age_seconds(snapshot.made_at(name) / 1000))
            return [("Age", str(age)), ("Warning", f'110 - "it could not be renewed and is {age} s old"')]
        age = round(age_seconds(snapshot.as_of / 1000))
        if age <= self.stale_seconds:
            return []
        return [("Age", str(age)), ("Warning", f'110 - "the export is {age} s old"')]

    def _other_method(self, reply: _Reply, environ: Environ) -> Iterable[bytes]:
        allow = ("Allow", "GET, HEAD, OPTIONS")
        if environ["REQUEST_METHOD"] == "OPTIONS":
            asked = [
                ("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS"),
                ("Access-Control-Allow-Headers", "Authorization, If-None-Match"),
                ("Access-Control-Max-Age", "86400"),
            ]
            return reply.empty(HTTPStatus.NO_CONTENT, [allow, *(asked if reply.is_shared else [])])
        return reply.problem(HTTPStatus.METHOD_NOT_ALLOWED, "The API is read only.", [allow])


class _Reply:
    def __init__(self, environ: Environ, start_response: StartResponse, cors: Headers) -> None:
        self._environ, self._start = environ, start_response
        self._extra = cors
        if cors and cors[0][1] != "*":
            self._extra = [*cors, ("Vary", "Origin")]
        self._is_private = False

    @property
    def is_shared(self) -> bool:
        return bool(self._extra)

    def make_private(self) -> None:
        """No cache between may keep it for others."""
        self._is_private = True

    def document(self, body: DocumentBody, age: Headers) -> Iterable[bytes]:
        form = _form_for(body, self._environ)
        is_known = self._is_known(body)
        headers = [*(form.headers_of_304 if is_known else form.headers), *self._extra, *age]
        if self._is_private:
            headers = [(n, v.replace("public", "private")) if n == "Cache-Control" else (n, v) for n, v in headers]
        if is_known:
            return self.empty(HTTPStatus.NOT_MODIFIED, headers)
        return self._send(HTTPStatus.OK, headers, form.content)

    def fresh(self, content: bytes, kind: str) -> Iterable[bytes]:
        headers = [
            ("Content-Type", kind),
            ("Content-Length", str(len(content))),
            ("Cache-Control", "no-store"),
            *self._extra,
        ]
        return self._send(HTTPStatus.OK, headers, content)

    def problem(self, status: HTTPStatus, says: str, more: Headers | None = None) -> Iterable[bytes]:
        content = json.dumps(problem(status, says)).encode()
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(content))),
            ("Cache-Control", "no-store"),
            *self._extra,
            *(more or []),
        ]
        return self._send(status, headers, content)

    def empty(self, status: HTTPStatus, headers: Headers) -> Iterable[bytes]:
        self._start(f"{status.value} {status.phrase}", [*headers])
        return [b""]

    def _send(self, status: HTTPStatus, headers: Headers, content: bytes) -> Iterable[bytes]:
        self._start(f"{status.value} {status.phrase}", headers)
        return [b"" if self._environ["REQUEST_METHOD"] == "HEAD" else content]

    def _is_known(self, body: DocumentBody) -> bool:
        if (tags := self._environ.get("HTTP_IF_NONE_MATCH")) is not None:
            # Both forms hold the same; a proxy may have asked for the other one.
            known = [form.etag for form in (body.plain, body.packed) if form]
            return tags.strip() == "*" or any(tag.strip().removeprefix("W/") in known for tag in tags.split(","))
        return bool(self._environ.get("HTTP_IF_MODIFIED_SINCE") == body.last_modified)


def _form_for(body: DocumentBody, environ: Environ) -> Form:
    if body.packed is not None and _takes_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")):
        return body.packed
    return body.plain


def _governed_by(name: str) -> str:
    return name.partition("/")[0]


def _is_ours(path: str) -> bool:
    """`/api` and `/api/v1` too: Django would send them on to an address with a slash, as a page."""
    return path.rstrip("/") == METRICS or (f"{path}/".startswith(PREFIX) and not path.startswith(NOT_OURS))


def _hour(query: str) -> int | None:
    """What is no number is ignored, as unknown parameters are."""
    for name, value in parse_qsl(query):
        if name == SINCE_HOUR and len(value) <= LONGEST_NUMBER and value.removeprefix("-").isdecimal():
            return int(value)
    return None


@lru_cache(maxsize=256)
def _takes_gzip(accepted: str) -> bool:
    """Whether gzip is welcome, and no less so than the plain form."""
    wanted = dict(map(_coding, accepted.lower().split(",")))
    gzip = wanted.get("gzip", wanted.get("x-gzip", wanted.get("*", 0.0)))
    return gzip > 0 and gzip >= wanted.get("identity", 0.0)


def _coding(item: str) -> tuple[str, float]:
    """(its name, how welcome it is from 0 to 1); what is no number says nothing."""
    name, _, weight = item.partition(";")
    given = WEIGHT.fullmatch(weight.replace(" ", ""))
    return name.strip(), float(given[1]) if given else 1.0


@lru_cache(maxsize=256)
def _is_allowed(host: str, hosts: tuple[str, ...]) -> bool:
    domain, _port = split_domain_port(host)
    return bool(domain) and validate_host(domain, hosts)
