"""Answers what may be late from the replica, and from the primary where the replica cannot."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from django.contrib.messages.storage import default_storage
from django.db import Error, connections
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from nof0site.replica import writers
from nof0site.replica.pages import may_be_late
from traders.database import reading, replica, writes
from traders.database.faults import AWAY, NO_CONNECTION_LEFT, REFUSED, STARTING, TOO_SLOW, fault_of

log = logging.getLogger(__name__)
# After these the replica is left alone for a while. Others concern one page.
_OUT_OF_REACH = (AWAY, NO_CONNECTION_LEFT, REFUSED, STARTING)


class ReadFromReplica:
    """A page read from the replica has `request.replica_behind_seconds`. Nothing is written while the view runs first,
    or the rest of it is read from the primary; so it may run again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if replica.is_configured() and writes.may_be_written():
            writers.note(request, response)
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], given: Iterable[Any], named: dict[str, Any]
    ) -> HttpResponseBase | None:
        """None: Django calls the view, and it reads the primary."""
        if not replica.is_configured() or request.method not in ("GET", "HEAD"):
            return None
        if not may_be_late(request.resolver_match) or writers.wrote_lately(request):
            return None
        if (seen := replica.readable()) is None:
            return None
        page: Any = request
        page.replica_behind_seconds = round(seen.behind_seconds or 0)
        with reading.from_replica(), _faults() as found:
            response = _viewed(view, request, given, named) if not found else None
        if response is None or found:
            del page.replica_behind_seconds
            # What the view said to the person on its way, such as that a row does not exist.
            page._messages = default_storage(request)
            for error in found:
                log.warning("The replica could not be read, so the primary is: %s", error)
                if fault_of(error) in _OUT_OF_REACH:
                    replica.failed(error)
            return None
        if isinstance(response, StreamingHttpResponse):
            response.streaming_content = _streamed(response.streaming_content)
        return response


def _viewed(
    view: Callable[..., HttpResponseBase], request: HttpRequest, given: Iterable[Any], named: dict[str, Any]
) -> HttpResponseBase | None:
    """None where the primary has to answer: the replica may not know yet what was asked for."""
    try:
        response: Any = view(request, *given, **named)
        if callable(getattr(response, "render", None)):
            response = response.render()
    except (Error, Http404):
        return None
    answer: HttpResponseBase = response
    return answer if answer.status_code == HTTPStatus.OK else None


@contextmanager
def _faults() -> Iterator[list[Error]]:
    """What went wrong in statements of the replica, whatever became of it. Its time limit is no fault: the primary has
    the same."""
    found: list[Error] = []

    def noted(execute: Any, *statement: Any) -> Any:
        try:
            return execute(*statement)
        except Error as error:
            if fault_of(error) is not TOO_SLOW:
                found.append(error)
            raise

    connection = connections[reading.REPLICA]
    with connection.execute_wrapper(noted):
        try:
            connection.ensure_connection()
        except Error as error:
            found.append(error)
        yield found


def _streamed(parts: Any) -> Iterator[bytes]:
    """A download is read while it is sent, after the view returned."""
    with reading.from_replica():
        yield from parts
