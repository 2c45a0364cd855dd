"""Sends requests until there is a final answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx

from .encoding import decode, encode
from .errors import BadRequest, Conflict, ControlError, NotAllowed, NotFound, Unavailable

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
_ERRORS: dict[int, type[ControlError]] = {
    **dict.fromkeys((400, 413, 422), BadRequest),
    **dict.fromkeys((401, 403), NotAllowed),
    404: NotFound,
    409: Conflict,
}
# 429: the token asks too often. 502 and 504 come from a proxy in front of the server.
_AGAIN = frozenset({429, 502, 503, 504})

Params = Sequence[tuple[str, str]]


class Connection:
    """May be shared by threads."""

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        timeout_seconds: float,
        retry_seconds: float,
        transport: httpx.BaseTransport | None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._timeout_seconds, self._retry_seconds = timeout_seconds, retry_seconds
        self.sleep, self._clock = sleep, clock
        self._http = httpx.Client(
            base_url=f"{base_url.rstrip('/')}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=timeout_seconds,
            transport=transport,
        )

    def close(self) -> None:
        self._http.close()

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None, params: Params = ()) -> Any:
        return decoded(self.answer(method, path, body, params))

    def answer(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        params: Params = (),
        silent_seconds: float = 0.0,
        accepted: str | None = None,
    ) -> httpx.Response:
        """Sends the request until there is a final answer. Raises ControlError. `accepted`: content types; then the
        content is read by the caller, who closes the answer."""
        content = None if body is None else encode(body).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        headers |= {} if accepted is None else {"Accept": accepted}
        until = self._clock() + self._retry_seconds
        pause = FIRST_PAUSE_SECONDS
        while True:
            asked_to_wait = 0.0
            try:
                request = self._http.build_request(
                    method,
                    path,
                    content=content,
                    headers=headers,
                    params=httpx.QueryParams(list(params)),
                    timeout=httpx.Timeout(self._timeout_seconds, read=self._timeout_seconds + silent_seconds),
                )
                answer = self._http.send(request, stream=accepted is not None)
                if not answer.is_success:
                    answer.read()
            except httpx.TransportError as error:
                failure = Unavailable(0, f"{type(error).__name__}: {error}")
            else:
                if answer.is_success:
                    return answer
                if answer.status_code not in _AGAIN:
                    raise _refusal(answer)
                failure = Unavailable(answer.status_code, _detail(answer), _body(answer))
                asked_to_wait = retry_after(answer)
            pause_now = max(pause, asked_to_wait)
            if self._clock() + pause_now > until:
                raise failure
            self.sleep(pause_now)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def decoded(answer: httpx.Response) -> Any:
    return decode(answer.content)


def retry_after(answer: httpx.Response) -> float:
    """The wait in seconds; 0 where the server names none."""
    given = answer.headers.get("Retry-After", "")
    return float(given) if given.isdecimal() else 0.0


def _refusal(answer: httpx.Response) -> ControlError:
    return _ERRORS.get(answer.status_code, ControlError)(answer.status_code, _detail(answer), _body(answer))


def _detail(answer: httpx.Response) -> str:
    return str(_body(answer).get("detail", answer.reason_phrase))


def _body(answer: httpx.Response) -> dict[str, Any]:
    """Empty where a proxy answered with a page."""
    try:
        found = decoded(answer)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
