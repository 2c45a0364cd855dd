"""A client of the engine API of NOF0 Control, to be copied into an engine. It needs httpx and Python 3.11.

Numbers are `decimal.Decimal` both ways, digit for digit. What the server cannot answer now is sent again, which is safe
for every request here. See README.md beside this file.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from types import TracebackType
from typing import Any, NotRequired, Self, TypedDict, cast

import httpx

Number = Decimal | int

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
# The server's longest; the connection may stay silent so long.
LONGEST_WAIT_SECONDS = 55.0


class Config(TypedDict):
    """A version of a configuration; `config_id` is a trader's id or "@manager". `config` is the whole of it."""

    config_id: str
    version: int
    change_set: int
    changed_at: str
    changed_by: str
    account_id: int | None
    reason: str
    source: str
    changed_fields: list[str]
    config: dict[str, Any]


class Configs(TypedDict):
    cursor: str
    configs: list[Config]


class Changes(TypedDict):
    """Ask again with `cursor`, at once where `more` is true."""

    cursor: str
    more: bool
    changes: list[Config]


class PromptText(TypedDict):
    sha256: str
    path: str
    version: str
    body: str


class Runtime(TypedDict):
    """`config_version` is what stands by now; above `active_config_version` the engine runs an old configuration."""

    trader_id: str
    active_config_version: int | None
    is_running: bool
    detail: dict[str, Any]
    updated_at: str
    config_version: int
    retired: bool
    redacted: list[str]


class Beat(TypedDict):
    """A trader's heartbeat; what is left out stays as it was reported."""

    trader_id: str
    active_config_version: NotRequired[int]
    is_running: NotRequired[bool]


class RefusedBeat(TypedDict):
    trader_id: str
    detail: str


class Beats(TypedDict):
    """`refused` are the traders whose heartbeat was not taken, each with the reason; all others are in `runtimes`."""

    runtimes: list[Runtime]
    refused: list[RefusedBeat]


class Recorded(TypedDict):
    """A position or a trade as it is stored. `set_aside` is not None where an operator excluded it."""

    id: str
    symbol: str
    side: str
    detail: dict[str, Any]
    redacted: list[str]
    set_aside: dict[str, Any] | None


class RecordedDecision(TypedDict):
    id: int
    cycle_number: int
    redacted: list[str]
    set_aside: dict[str, Any] | None


class Counted(TypedDict):
    recorded: int
    known: int
    set_aside: int


class Message(TypedDict):
    """`role` is system, user, assistant or tool; `sent_at` RFC 3339."""

    role: str
    content: str
    sent_at: NotRequired[str]


class ControlError(Exception):
    """The server refused the request, and would again. `status` is 0 where no answer came."""

    def __init__(self, status: int, detail: str, body: Mapping[str, Any] | None = None) -> None:
        self.status, self.detail, self.body = status, detail, dict(body or {})
        super().__init__(f"{status}: {detail}" if status else detail)


class BadRequest(ControlError):
    """400, 413, 422: `problems` names each field with what would be right."""

    @property
    def problems(self) -> list[dict[str, str]]:
        return list(self.body.get("problems", []))


class NotAllowed(ControlError):
    """401, 403: the token is unknown, or lacks the scope."""


class NotFound(ControlError):
    """404: no such trader, version or text, or none for this token."""


class Conflict(ControlError):
    """409: other content is recorded under this name, or the cursor is of another history."""


class Unavailable(ControlError):
    """The server gave no answer within the time allowed, however often it was asked."""


_ERRORS: dict[int, type[ControlError]] = {
    **dict.fromkeys((400, 413, 422), BadRequest),
    **dict.fromkeys((401, 403), NotAllowed),
    404: NotFound,
    409: Conflict,
}
# 429: the token asks too often. 502 and 504 are of a proxy before the server.
_AGAIN = frozenset({429, 502, 503, 504})


class Client:
    """`base_url` is the site, such as `https://control.example.com`. May be shared by threads."""

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        timeout_seconds: float = 10.0,
        retry_seconds: float = 60.0,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """A request is sent again for `retry_seconds`, then Unavailable is raised."""
        self._timeout_seconds, self._retry_seconds = timeout_seconds, retry_seconds
        self._sleep, self._clock = sleep, clock
        self._prompts: dict[str, PromptText] = {}
        self._http = httpx.Client(
            base_url=f"{base_url.rstrip('/')}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=timeout_seconds,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    # Configurations: scope read-config

    def configs(self, *config_ids: str, retired: bool = False) -> Configs:
        """What stands now, and the cursor for `changes`."""
        params = [*(("config_id", config_id) for config_id in config_ids), ("retired", _flag(retired))]
        return cast(Configs, self._send("GET", "/configs", params=params))

    def config(self, config_id: str, *, at: datetime | None = None) -> Config:
        """One configuration, as it stands or stood at a moment."""
        params = [] if at is None else [("at", _moment(at))]
        return cast(Config, self._send("GET", f"/configs/{config_id}", params=params))

    def version(self, config_id: str, version: int) -> Config:
        return cast(Config, self._send("GET", f"/configs/{config_id}/versions/{version}"))

    def changes(
        self, cursor: str, *, wait_seconds: float = 30.0, config_ids: Iterable[str] = (), limit: int = 100
    ) -> Changes:
        """Versions since the cursor, as soon as there is one. Raises Conflict for a cursor of another history."""
        answer = self._changes(cursor, wait_seconds, config_ids, limit)
        return cast(Changes, _decoded(answer))

    def follow(
        self, cursor: str | None = None, *, wait_seconds: float = 30.0, config_ids: Sequence[str] = ()
    ) -> Iterator[Changes]:
        """Endless: first what stands now (unless a cursor is given), then every change.

        Apply `changes`, then store `cursor`. A configuration may come twice, none is missed. After a backup was
        restored it begins with what stands now.
        """
        while True:
            if cursor is None:
                standing = self.configs(*config_ids)
                cursor = standing["cursor"]
                yield {"cursor": cursor, "more": False, "changes": standing["configs"]}
            try:
                answer = self._changes(cursor, wait_seconds, config_ids, 100)
            except Conflict:
                cursor = None
                continue
            found = cast(Changes, _decoded(answer))
            cursor = found["cursor"]
            if found["changes"]:
                yield found
            # So many wait already that the server answered at once.
            elif pause := _retry_after(answer):
                self._sleep(pause)

    def prompt(self, sha256: str) -> PromptText:
        """A prompt's text, asked for once. Raises ControlError for one that has not this digest."""
        if sha256 not in self._prompts:
            found = cast(PromptText, self._send("GET", f"/prompts/{sha256}"))
            if hashlib.sha256(found["body"].encode()).hexdigest() != sha256:
                raise ControlError(0, f"the prompt {sha256} came with another text")
            self._prompts[sha256] = found
        return self._prompts[sha256]

    # Running traders: scope write-state

    def runtime(self, trader_id: str) -> Runtime:
        """The last report; `detail["desired"]` is what the operator wants."""
        return cast(Runtime, self._send("GET", f"/traders/{trader_id}/runtime"))

    def report(
        self, trader_id: str, *, active_config_version: int, is_running: bool, detail: Mapping[str, Any] | None = None
    ) -> Runtime:
        """Replaces the last report as a whole."""
        body = {"active_config_version": active_config_version, "is_running": is_running, "detail": dict(detail or {})}
        return cast(Runtime, self._send("PUT", f"/traders/{trader_id}/runtime", body))

    def heartbeat(
        self, trader_id: str, *, active_config_version: int | None = None, is_running: bool | None = None
    ) -> Runtime:
        body = _given(active_config_version=active_config_version, is_running=is_running)
        return cast(Runtime, self._send("POST", f"/traders/{trader_id}/heartbeat", body))

    def heartbeats(self, beats: Iterable[Beat]) -> Beats:
        """Of many traders in one request. One that is refused does not stop the others."""
        return cast(Beats, self._send("POST", "/heartbeats", {"heartbeats": list(beats)}))

    def cooldowns(self, trader_id: str) -> list[dict[str, Any]]:
        """Those that hold."""
        return cast(list[dict[str, Any]], self._send("GET", f"/traders/{trader_id}/cooldowns")["cooldowns"])

    def set_cooldown(
        self, trader_id: str, symbol: str, until: datetime, detail: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        body = {"symbol": symbol, "cooldown_until": _moment(until), "detail": dict(detail or {})}
        return cast(dict[str, Any], self._send("PUT", f"/traders/{trader_id}/cooldowns", body))

    # The record: scope write-state

    def positions(self, trader_id: str) -> list[Recorded]:
        """What is open."""
        return cast(list[Recorded], self._send("GET", f"/traders/{trader_id}/positions")["positions"])

    def put_position(
        self, trader_id: str, *, symbol: str, side: str, entry: Mapping[str, Any], **parts: Any
    ) -> Recorded:
        """Opens the position, or adds parts to the open one with this side and moment of entry.

        `entry`: price, quantity, time_ms, leverage. `parts`: exchange, orders, exit_plan, risk, reported, decision_id.
        """
        body = {"symbol": symbol, "side": side, "entry": dict(entry), **_given(**parts)}
        return cast(Recorded, self._send("PUT", f"/traders/{trader_id}/positions", body))

    def close_position(
        self,
        trader_id: str,
        *,
        symbol: str,
        price: Number,
        closed_at_ns: int,
        pnl: Mapping[str, Any],
        fills: Iterable[Mapping[str, Any]] = (),
        decision_id: int | None = None,
    ) -> Recorded:
        """Closes the whole position; its trade is answered. `pnl`: gross, commission, net."""
        body = {
            "symbol": symbol,
            "price": price,
            "closed_at_ns": closed_at_ns,
            "pnl": dict(pnl),
            "fills": [dict(fill) for fill in fills],
            **_given(decision_id=decision_id),
        }
        return cast(Recorded, self._send("POST", f"/traders/{trader_id}/positions/close", body))

    def record_trade(
        self, trader_id: str, *, symbol: str, side: str, closed_at_ns: int, detail: Mapping[str, Any]
    ) -> Recorded:
        """A trade whose position was not recorded. `detail`: time, prices, quantity, pnl and more."""
        body = {"symbol": symbol, "side": side, "closed_at_ns": closed_at_ns, "detail": dict(detail)}
        return cast(Recorded, self._send("PUT", f"/traders/{trader_id}/trades", body))

    def record_equity(self, trader_id: str, points: Iterable[tuple[int, Number]]) -> Counted:
        """Points are (moment in ms, equity in USD): all or none."""
        body = {"points": [{"ts_ms": ts_ms, "equity_usd": equity} for ts_ms, equity in points]}
        return cast(Counted, self._send("PUT", f"/traders/{trader_id}/equity", body))

    # The journal: scope write-journal

    def add_decision(
        self,
        trader_id: str,
        *,
        key: str,
        config_version: int,
        decided_at: datetime,
        success: bool,
        detail: Mapping[str, Any],
        messages: Iterable[Message] = (),
    ) -> RecordedDecision:
        """Once for its `key`, which the engine chooses: one for each decision of the trader."""
        body = {
            "key": key,
            "config_version": config_version,
            "decided_at": _moment(decided_at),
            "success": success,
            "detail": dict(detail),
            "messages": list(messages),
        }
        return cast(RecordedDecision, self._send("POST", f"/traders/{trader_id}/decisions", body))

    # The market: scope write-state, a token for all traders

    def set_prices(self, prices: Mapping[str, Number], *, as_of_ms: int | None = None) -> dict[str, Any]:
        """Last prices by `symbol` or `provider:symbol`."""
        quoted = {symbol: {"price": price, **_given(as_of_ms=as_of_ms)} for symbol, price in prices.items()}
        return cast(dict[str, Any], self._send("PUT", "/prices", {"prices": quoted}))

    def _changes(self, cursor: str, wait_seconds: float, config_ids: Iterable[str], limit: int) -> httpx.Response:
        wait = min(max(wait_seconds, 0.0), LONGEST_WAIT_SECONDS)
        params = [
            *(("config_id", config_id) for config_id in config_ids),
            *(("after", cursor), ("wait", str(wait)), ("limit", str(limit))),
        ]
        return self._answer("GET", "/changes", params=params, silent_seconds=wait)

    def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, params: Sequence[tuple[str, str]] = ()
    ) -> Any:
        return _decoded(self._answer(method, path, body, params))

    def _answer(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        params: Sequence[tuple[str, str]] = (),
        silent_seconds: float = 0.0,
    ) -> httpx.Response:
        """Sends until there is an answer that is final. Raises ControlError."""
        content = None if body is None else _encode(body).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        until = self._clock() + self._retry_seconds
        pause = FIRST_PAUSE_SECONDS
        while True:
            asked_to_wait = 0.0
            try:
                answer = self._http.request(
                    method,
                    path,
                    content=content,
                    headers=headers,
                    params=httpx.QueryParams(list(params)),
                    timeout=self._timeout_seconds + silent_seconds,
                )
            except httpx.TransportError as error:
                failure = Unavailable(0, f"{type(error).__name__}: {error}")
            else:
                if answer.is_success:
                    return answer
                if answer.status_code not in _AGAIN:
                    raise _refusal(answer)
                failure = Unavailable(answer.status_code, _detail(answer), _body(answer))
                asked_to_wait = _retry_after(answer)
            pause_now = max(pause, asked_to_wait)
            if self._clock() + pause_now > until:
                raise failure
            self._sleep(pause_now)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def _refusal(answer: httpx.Response) -> ControlError:
    return _ERRORS.get(answer.status_code, ControlError)(answer.status_code, _detail(answer), _body(answer))


def _detail(answer: httpx.Response) -> str:
    return str(_body(answer).get("detail", answer.reason_phrase))


def _body(answer: httpx.Response) -> dict[str, Any]:
    """Empty where a proxy answered with a page."""
    try:
        found = _decoded(answer)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _decoded(answer: httpx.Response) -> Any:
    return json.loads(answer.content, parse_float=Decimal)


def _retry_after(answer: httpx.Response) -> float:
    """In seconds; 0 where the server does not say."""
    given = answer.headers.get("Retry-After", "")
    return float(given) if given.isdecimal() else 0.0


def _encode(value: Any) -> str:
    """JSON in which a Decimal is a number with all its digits."""
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} is no number in JSON")
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(str(key))}:{_encode(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_encode, value)) + "]"
    return json.dumps(value, allow_nan=False)


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _moment(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError(f"{at} needs a time zone")
    return at.isoformat()


def _flag(is_set: bool) -> str:
    return "true" if is_set else "false"
