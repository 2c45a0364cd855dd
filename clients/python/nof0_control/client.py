"""The requests of an engine, by their scopes. A request that the server cannot answer now is sent again, which is safe
for every request."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import quote

import httpx

from .answers import (
    AskedOfTrader,
    Beat,
    Beats,
    Config,
    CorrectedPoint,
    Counted,
    EquityReport,
    ExitPlan,
    Fill,
    HeldThere,
    Message,
    Number,
    PromptText,
    Reconciled,
    Recorded,
    RecordedDecision,
    RestingOrder,
    Runtime,
    Transfer,
)
from .connection import Connection
from .encoding import given, moment
from .errors import ControlError
from .following import FollowingRequests
from .tools import ToolRequests


class Client(FollowingRequests, ToolRequests):
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
        self._prompts: dict[str, PromptText] = {}
        self._connection = Connection(
            base_url,
            token,
            timeout_seconds=timeout_seconds,
            retry_seconds=retry_seconds,
            transport=transport,
            sleep=sleep,
            clock=clock,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    # Configurations: scope read-config

    def config(self, config_id: str, *, at: datetime | None = None) -> Config:
        """One configuration, now or as of a moment."""
        params = [] if at is None else [("at", moment(at))]
        return cast(Config, self._connection.send("GET", f"/configs/{config_id}", params=params))

    def version(self, config_id: str, version: int) -> Config:
        return cast(Config, self._connection.send("GET", f"/configs/{config_id}/versions/{version}"))

    def prompt(self, sha256: str) -> PromptText:
        """A prompt's text; each is requested once. Raises ControlError for a text with another digest."""
        if sha256 not in self._prompts:
            found = cast(PromptText, self._connection.send("GET", f"/prompts/{sha256}"))
            if hashlib.sha256(found["body"].encode()).hexdigest() != sha256:
                raise ControlError(0, f"the prompt {sha256} came with another text")
            self._prompts[sha256] = found
        return self._prompts[sha256]

    # Controls: scope control, or stop for stop, drain and pause

    def ask(self, trader_id: str, kind: str, *, reason: str, **asked: Any) -> AskedOfTrader:
        """Asks for a control: start, stop, drain, pause, resume, close, pin, unpin, cooldown, clear_cooldown. `asked`
        are `until` (a datetime), `version`, `symbol`, `cause`, `keep_trading`, `once`."""
        dated = {name: moment(value) if isinstance(value, datetime) else value for name, value in asked.items()}
        body = {"kind": kind, "reason": reason, **given(**dated)}
        return cast(AskedOfTrader, self._connection.send("POST", f"/traders/{trader_id}/controls", body))

    def ask_fleet(self, kind: str, *, reason: str, close_all: bool = False) -> None:
        """`stop` bans entries of all traders, `release` ends that."""
        self._connection.send("POST", "/fleet/controls", {"kind": kind, "reason": reason, "close_all": close_all})

    # Running traders: scope write-state

    def acknowledge(
        self, trader_id: str, control_id: int, result: str, *, note: str | None = None, at: datetime | None = None
    ) -> None:
        """Tells the server the result of a control: done, partial or refused."""
        said = given(result=result, note=note, at=None if at is None else moment(at))
        self._connection.send("POST", f"/traders/{trader_id}/controls/{control_id}/ack", said)

    def runtime(self, trader_id: str) -> Runtime:
        """The last report, and the wanted state."""
        return cast(Runtime, self._connection.send("GET", f"/traders/{trader_id}/runtime"))

    def report(
        self, trader_id: str, *, active_config_version: int, is_running: bool, detail: Mapping[str, Any] | None = None
    ) -> Runtime:
        """Replaces the last report as a whole."""
        body = {"active_config_version": active_config_version, "is_running": is_running, "detail": dict(detail or {})}
        return cast(Runtime, self._connection.send("PUT", f"/traders/{trader_id}/runtime", body))

    def heartbeat(
        self, trader_id: str, *, active_config_version: int | None = None, is_running: bool | None = None
    ) -> Runtime:
        body = given(active_config_version=active_config_version, is_running=is_running)
        return cast(Runtime, self._connection.send("POST", f"/traders/{trader_id}/heartbeat", body))

    def heartbeats(self, beats: Iterable[Beat]) -> Beats:
        """Sends heartbeats of many traders in one request. A refused one does not stop the others."""
        return cast(Beats, self._connection.send("POST", "/heartbeats", {"heartbeats": list(beats)}))

    def cooldowns(self, trader_id: str) -> list[dict[str, Any]]:
        """The current cooldowns."""
        return cast(list[dict[str, Any]], self._connection.send("GET", f"/traders/{trader_id}/cooldowns")["cooldowns"])

    def set_cooldown(
        self, trader_id: str, symbol: str, until: datetime, detail: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        body = {"symbol": symbol, "cooldown_until": moment(until), "detail": dict(detail or {})}
        return cast(dict[str, Any], self._connection.send("PUT", f"/traders/{trader_id}/cooldowns", body))

    # The record: scope write-state

    def positions(self, trader_id: str) -> list[Recorded]:
        """The open positions."""
        return cast(list[Recorded], self._connection.send("GET", f"/traders/{trader_id}/positions")["positions"])

    def put_position(
        self, trader_id: str, *, symbol: str, side: str, entry: Mapping[str, Any], **parts: Any
    ) -> Recorded:
        """Opens the position, or adds parts to the open one with this side and moment of entry.

        `entry`: price, quantity, time_ms, leverage. `parts`: exchange, orders, exit_plan, risk, reported, decision_id.
        """
        body = {"symbol": symbol, "side": side, "entry": dict(entry), **given(**parts)}
        return cast(Recorded, self._connection.send("PUT", f"/traders/{trader_id}/positions", body))

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
        """Closes the whole position; returns its trade. `pnl`: gross, commission, net."""
        body = {
            "symbol": symbol,
            "price": price,
            "closed_at_ns": closed_at_ns,
            "pnl": dict(pnl),
            "fills": [dict(fill) for fill in fills],
            **given(decision_id=decision_id),
        }
        return cast(Recorded, self._connection.send("POST", f"/traders/{trader_id}/positions/close", body))

    def reduce_position(self, trader_id: str, symbol: str, fill: Fill, *, gross: Number | None = None) -> Recorded:
        """Closes a part; returns the position with the remaining quantity. The whole quantity closes the position, with
        its trade.

        `gross`: P&L of the part in USD; left out, the server computes it against the average entry.
        """
        return self._part(trader_id, symbol, "reduce", {**fill, **given(gross=gross)})

    def increase_position(self, trader_id: str, symbol: str, fill: Fill) -> Recorded:
        """Adds to the position; returns it with its new quantity and average entry price."""
        return self._part(trader_id, symbol, "increase", fill)

    def change_plan(
        self,
        trader_id: str,
        symbol: str,
        exit_plan: ExitPlan,
        *,
        at_ms: int,
        tp_oid: int | str | None = None,
        sl_oid: int | str | None = None,
        decision_id: int | None = None,
    ) -> Recorded:
        """Sets the whole exit plan from `at_ms` on. Orders that are left out stay."""
        more = given(tp_oid=tp_oid, sl_oid=sl_oid, decision_id=decision_id)
        return self._part(trader_id, symbol, "plan", {"exit_plan": dict(exit_plan), "at_ms": at_ms, **more})

    def record_trade(
        self, trader_id: str, *, symbol: str, side: str, closed_at_ns: int, detail: Mapping[str, Any]
    ) -> Recorded:
        """Records a trade whose position was not recorded. `detail`: time, prices, quantity, pnl and more."""
        body = {"symbol": symbol, "side": side, "closed_at_ns": closed_at_ns, "detail": dict(detail)}
        return cast(Recorded, self._connection.send("PUT", f"/traders/{trader_id}/trades", body))

    def record_equity(self, trader_id: str, points: Iterable[EquityReport | tuple[int, Number]]) -> Counted:
        """Records all points or none. A point may be (moment in ms, equity in USD): the server derives the rest."""
        told = [
            {"ts_ms": point[0], "equity_usd": point[1]} if isinstance(point, tuple) else dict(point) for point in points
        ]
        return cast(Counted, self._connection.send("PUT", f"/traders/{trader_id}/equity", {"points": told}))

    def transfers(self, trader_id: str) -> list[Transfer]:
        """The transfers into or out of the account, in order of time."""
        return cast(list[Transfer], self._connection.send("GET", f"/traders/{trader_id}/transfers")["transfers"])

    def record_transfer(
        self,
        trader_id: str,
        *,
        id: str,
        kind: str,
        amount_usd: Number,
        ts_ms: int,
        reason: str,
        to_trader_id: str = "",
    ) -> Transfer:
        """Records a transfer once for its `id`, which the engine chooses. `amount_usd` is the size of a deposit, a
        withdrawal or an internal transfer (`to_trader_id` is paid); of a correction it has a sign."""
        body = {"id": id, "kind": kind, "amount_usd": amount_usd, "ts_ms": ts_ms, "reason": reason}
        more = {"to_trader_id": to_trader_id} if to_trader_id else {}
        return cast(Transfer, self._connection.send("PUT", f"/traders/{trader_id}/transfers", body | more))

    # What was wrong: scope write-corrections

    def correct_trade(self, trader_id: str, *, id: str, set: Mapping[str, Any], reason: str) -> Recorded:
        """Records a trade that replaces the wrong one, which is set aside. `set`: right values by path below `detail`,
        such as `pnl.net`, and `side`; None removes a leaf. `id` names the wrong trade, or its last correction."""
        return cast(Recorded, self._correction(trader_id, "trades", set, reason, id=id))

    def correct_position(self, trader_id: str, *, id: str, set: Mapping[str, Any], reason: str) -> Recorded:
        """As `correct_trade`, for a position. Its trade needs a correction of its own."""
        return cast(Recorded, self._correction(trader_id, "positions", set, reason, id=id))

    def correct_decision(self, trader_id: str, *, id: int, set: Mapping[str, Any], reason: str) -> RecordedDecision:
        """As `correct_trade`, for a decision; `set` may also hold `config_version`, `decided_at` and `success`. The
        messages move to the new row."""
        return cast(RecordedDecision, self._correction(trader_id, "decisions", set, reason, id=id))

    def correct_equity(self, trader_id: str, *, ts_ms: int, set: Mapping[str, Any], reason: str) -> CorrectedPoint:
        """`set`: `equity_usd`, `realized_pnl_usd`, `unrealized_pnl_usd`. `ts_ms` is the moment of the wrong point, or
        of its last correction."""
        return cast(CorrectedPoint, self._correction(trader_id, "equity", set, reason, ts_ms=ts_ms))

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
        """Records a decision once for its `key`, which the engine chooses: one key for each decision of the trader."""
        body = {
            "key": key,
            "config_version": config_version,
            "decided_at": moment(decided_at),
            "success": success,
            "detail": dict(detail),
            "messages": list(messages),
        }
        return cast(RecordedDecision, self._connection.send("POST", f"/traders/{trader_id}/decisions", body))

    # The exchange's account: scope write-state

    def reconcile(
        self,
        trader_id: str,
        positions: Iterable[HeldThere],
        *,
        orders: Iterable[RestingOrder] | None = None,
        equity: Number | None = None,
        at_ms: int | None = None,
    ) -> Reconciled:
        """Compares the whole account with the record. Orders and equity that are left out are not compared. While a
        difference is not settled by a person, entries are banned."""
        listed = None if orders is None else [dict(order) for order in orders]
        body = {"positions": [dict(one) for one in positions], **given(orders=listed, equity=equity, at_ms=at_ms)}
        return cast(Reconciled, self._connection.send("POST", f"/traders/{trader_id}/reconcile", body))

    def differences(self, trader_id: str) -> Reconciled:
        """Those that are not settled, oldest first."""
        return cast(Reconciled, self._connection.send("GET", f"/traders/{trader_id}/differences"))

    # The market: scope write-state, a token for all traders

    def set_prices(self, prices: Mapping[str, Number], *, as_of_ms: int | None = None) -> dict[str, Any]:
        """Sends last prices by `symbol` or `provider:symbol`."""
        quoted = {symbol: {"price": price, **given(as_of_ms=as_of_ms)} for symbol, price in prices.items()}
        return cast(dict[str, Any], self._connection.send("PUT", "/prices", {"prices": quoted}))

    def _correction(self, trader_id: str, what: str, right: Mapping[str, Any], reason: str, **row: Any) -> Any:
        body = {**row, "set": dict(right), "reason": reason}
        return self._connection.send("POST", f"/traders/{trader_id}/{what}/correct", body)

    def _part(self, trader_id: str, symbol: str, what: str, body: Mapping[str, Any]) -> Recorded:
        """`symbol` may hold slashes and colons: BTC/USDT:USDT."""
        path = f"/traders/{trader_id}/positions/{quote(symbol, safe='')}/{what}"
        return cast(Recorded, self._connection.send("POST", path, body))
