"""Every refusal of the engine API as JSON: `{"error": ..., "detail": ...}` and what helps to mend it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import translation
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from traders.api import refused_records
from traders.api.auth import TooManyRequests
from traders.api.wire import AHEAD_OF_CLOCK, Answer
from traders.database import writes
from traders.database.faults import fault_of, said_by_server
from traders.database.violations import violated_rule
from traders.schema.messages import TranslatableText, _, verbatim
from traders.schema.paths import unflatten
from traders.schema.problems import InvalidConfig, Problem, message_in
from traders.schema.settings.stored import StoredConfig
from traders.versions.edit.rules import rebase
from traders.versions.rules.errors import (
    AheadOfHistory,
    AlreadyExists,
    ConcurrentChange,
    ConfigError,
    FleetNotAllowed,
    StaleEdit,
    UnknownChangeSet,
    UnknownConfig,
)
from traders.versions.rules.merge import Unit

MISSING = (UnknownConfig, UnknownChangeSet)
CONFLICTS = (AheadOfHistory, AlreadyExists, ConcurrentChange)

Respond = Callable[[Any], tuple[HTTPStatus, "Answer"]]

log = logging.getLogger(__name__)


class Refusal(Answer):
    error: str
    detail: str


class Wrong(Answer):
    """`path` is dotted and names the field; `message` says what would be right."""

    path: str
    message: str


class Invalid(Refusal):
    problems: list[Wrong]


class StaleSide(Answer):
    """A version in a conflict: its settings by dotted path."""

    version: int | None
    changed_by: str | None
    reason: str | None
    settings: dict[str, Any]


class Stale(Refusal):
    """Another version was saved since. `contested` are the settings that both sides changed; `merged` is theirs with
    yours on top, to be sent again as `config` with theirs' version, null while something is contested."""

    base: StaleSide | None
    theirs: StaleSide
    mine: StaleSide
    contested: list[str]
    merged: dict[str, Any] | None


UNTHROTTLED = {400: Refusal, 401: Refusal, 403: Refusal, 404: Refusal, 503: Refusal}
"""What an endpoint may answer besides whose requests are never too many."""

REFUSALS = {**UNTHROTTLED, 429: Refusal}
"""What any other endpoint may answer besides."""


def answer_problems(
    api: NinjaAPI,
    *,
    missing: Iterable[type[Exception]] = (),
    conflicts: Iterable[type[Exception]] = (),
    invalid: Mapping[type[Exception], Callable[[Any], Problem]] | None = None,
) -> None:
    """Makes the API answer every exception by the functions below.

    The layer above names its own exceptions: `missing` are answered 404, `conflicts` 409, and `invalid` 422 with the
    problem that each is turned into.
    """

    def answer(
        kind: type[Exception],
        respond: Respond,
        **headers: str | Callable[[Any], str],
    ) -> None:
        def handler(request: HttpRequest, error: Any) -> HttpResponse:
            status, body = respond(error)
            response = api.create_response(request, body.model_dump(), status=status)
            for name, value in headers.items():
                response.headers[name.replace("_", "-")] = value(error) if callable(value) else value
            return response

        api.add_exception_handler(kind, handler)

    answer(Exception, _unforeseen)
    answer(Http404, lambda error: _refusal(HTTPStatus.NOT_FOUND, "There is nothing at this address."))
    answer(HttpError, _refused)
    answer(AuthenticationError, _unknown_token, WWW_Authenticate='Bearer realm="nof0"')
    answer(
        TooManyRequests,
        lambda error: _refusal(HTTPStatus.TOO_MANY_REQUESTS, str(error)),
        Retry_After=lambda error: str(error.wait_seconds),
    )
    answer(RequestDataTooBig, lambda error: _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(error)))
    api.add_exception_handler(ValidationError, partial(_malformed_body, api))
    answer(InvalidConfig, lambda error: _invalid(error.problems))
    answer(ConfigError, lambda error: _refusal(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)))
    answer(FleetNotAllowed, lambda error: _refusal(HTTPStatus.FORBIDDEN, str(error)))
    for refused, problem_of in (invalid or {}).items():
        answer(refused, _invalid_by(problem_of))
    answer(StaleEdit, _stale)
    for absent in (*MISSING, *missing):
        answer(absent, lambda error: _refusal(HTTPStatus.NOT_FOUND, str(error)))
    for conflict in (*CONFLICTS, *conflicts):
        answer(conflict, lambda error: _refusal(HTTPStatus.CONFLICT, str(error)))
    api.add_exception_handler(Error, partial(_database_fault, api))


def _refusal(status: HTTPStatus, detail: str) -> tuple[HTTPStatus, Refusal]:
    return status, Refusal(error=status.phrase, detail=detail)


def _refused(error: HttpError) -> tuple[HTTPStatus, Refusal]:
    status, reason = HTTPStatus(error.status_code), error.__cause__
    # The library keeps to itself what was wrong with a body; the parser has said it in words.
    is_about_body = status is HTTPStatus.BAD_REQUEST and isinstance(reason, ValueError)
    return _refusal(status, f"The body {reason}." if is_about_body else str(error))


def _unforeseen(error: Exception) -> tuple[HTTPStatus, Refusal]:
    log.error("A request of the engine API failed.", exc_info=error)
    return _refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "The log of the server says more.")


def _unknown_token(error: AuthenticationError) -> tuple[HTTPStatus, Refusal]:
    return _refusal(HTTPStatus.UNAUTHORIZED, "A token is needed that is known, not revoked and not expired.")


def _database_fault(api: NinjaAPI, request: HttpRequest, error: Error) -> HttpResponse:
    if problem := violated_rule(error):
        invalid, named = _invalid([problem])
        return api.create_response(request, named.model_dump(), status=invalid)
    fault = fault_of(error)
    if fault is None:
        status, body = _unforeseen(error)
        return api.create_response(request, body.model_dump(), status=status)
    # Where the statement came from matters if it can never be carried out.
    trace = error if fault.status is HTTPStatus.INTERNAL_SERVER_ERROR else None
    log.error("A request of the engine API met a fault of the database: %s", said_by_server(error), exc_info=trace)
    known = "it may have been written, send it again" if writes.may_be_written() else "nothing was written"
    # For programs, in the language of the API.
    with translation.override("en"):
        status, body = _refusal(fault.status, f"{fault.title}; {known}. {fault.said} {fault.then}")
    response = api.create_response(request, body.model_dump(), status=status)
    if fault.retry_seconds is not None:
        response.headers["Retry-After"] = str(fault.retry_seconds)
    return response


def _malformed_body(api: NinjaAPI, request: HttpRequest, error: ValidationError) -> HttpResponse:
    ahead_ms = max((entry["ctx"]["ahead_ms"] for entry in error.errors if entry["type"] == AHEAD_OF_CLOCK), default=0)
    if ahead_ms:
        refused_records.note(request, ahead_ms)
    status, body = _invalid(Problem(_path_of(entry), _words(entry)) for entry in error.errors)
    return api.create_response(request, body.model_dump(), status=status)


def _path_of(entry: dict[str, Any]) -> str:
    path = _path(entry["loc"])
    if entry["type"] == AHEAD_OF_CLOCK:
        return ".".join(filter(None, (path, entry["ctx"]["path"])))
    return path


def _path(loc: Any) -> str:
    """`("body", "parameter", "detail", "pnl")` is `detail.pnl`; a parameter in address or query is its name."""
    where, *rest = (str(part) for part in loc)
    return ".".join(rest[1:] if where == "body" else rest)


def _words(entry: dict[str, Any]) -> TranslatableText:
    if entry["type"] == "missing":
        return _("is missing")
    if entry["type"] == "extra_forbidden":
        return _("is not a known field")
    if entry["type"] == AHEAD_OF_CLOCK:
        return verbatim(str(entry["ctx"]["message"]))
    return message_in(entry)


def _invalid(problems: Any) -> tuple[HTTPStatus, Invalid]:
    found = [Wrong(path=problem.path, message=problem.message) for problem in problems]
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    detail = "; ".join(f"{wrong.path} {wrong.message}".lstrip() for wrong in found)
    return status, Invalid(error=status.phrase, detail=detail, problems=found)


def _invalid_by(problem_of: Callable[[Any], Problem]) -> Respond:
    return lambda error: _invalid([problem_of(error)])


def _stale(error: StaleEdit) -> tuple[HTTPStatus, Stale]:
    both = rebase(base=error.base.flat if error.base else {}, theirs=error.theirs.flat, mine=error.mine)
    merged = None if both.contested else unflatten(both.merged({}))
    return HTTPStatus.CONFLICT, Stale(
        error=HTTPStatus.CONFLICT.phrase,
        detail=f"{error}; nothing was written",
        base=_side(error.base) if error.base else None,
        theirs=_side(error.theirs),
        mine=StaleSide(version=None, changed_by=None, reason=None, settings=error.mine),
        contested=_paths(both.contested),
        merged=merged,
    )


def _side(config: StoredConfig) -> StaleSide:
    return StaleSide(version=config.version, changed_by=config.changed_by, reason=config.reason, settings=config.flat)


def _paths(units: tuple[Unit, ...]) -> list[str]:
    return [path for unit in units for path in unit]
