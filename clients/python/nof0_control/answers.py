"""The answers of the engine API, and parts of its requests. Numbers are `decimal.Decimal`, digit for digit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal, NotRequired, TypedDict

Number = Decimal | int


class Version(TypedDict):
    """A version of a configuration; `config_id` is a trader's id or "@manager"."""

    config_id: str
    version: int
    change_set: int
    changed_at: str
    changed_by: str
    account_id: int | None
    reason: str
    source: str
    changed_fields: list[str]


class Config(Version):
    """`config` is the whole configuration."""

    kind: Literal["config"]
    pinned: bool
    config: dict[str, Any]


class Desired(TypedDict):
    """The wanted state of a trader: `state` is "running", "entries_banned" or "stopped", `causes` say why. `closes` are
    the positions to be closed, each until its `until`."""

    state: str
    by: str | None
    at: str | None
    reason: str | None
    run: str | None
    causes: list[dict[str, Any]]
    version: int | None
    closes: list[dict[str, Any]]
    control_id: int | None


class Wanted(TypedDict):
    """`version` is the version to run. Positions may be opened for `entries_allowed_for_s` seconds."""

    desired: Desired
    version: int
    entries_allowed_for_s: int


class HeldThere(TypedDict):
    """A position as the exchange says it; of a hedge each side is one."""

    symbol: str
    side: Literal["long", "short"]
    quantity: Number
    entry_price: NotRequired[Number]
    mark_price: NotRequired[Number]
    entry_time_ms: NotRequired[int]
    leverage: NotRequired[Number]


class RestingOrder(TypedDict):
    """`kind`: "entry", "stop" or "target"."""

    symbol: str
    id: int | str
    kind: Literal["entry", "stop", "target"]
    side: NotRequired[Literal["long", "short"]]
    quantity: NotRequired[Number]
    price: NotRequired[Number]


class ExchangeDifference(TypedDict):
    """What the record (`ours`) and the exchange (`theirs`) hold otherwise."""

    id: int
    kind: str
    symbol: str | None
    side: str | None
    ours: dict[str, Any]
    theirs: dict[str, Any]
    found_at: str
    seen_at: str
    agreed_at: str | None
    reported_by: str


class Reconciled(Wanted):
    """The differences that no person has settled yet; while there are any, entries are banned."""

    differences: list[ExchangeDifference]


class Control(TypedDict):
    """A control of a trader, or (`trader_id` None) of the fleet."""

    kind: Literal["control"]
    control_id: int
    trader_id: str | None
    control: str
    until: str | None
    version: int | None
    symbol: str | None
    cause: str | None
    reason: str
    actor: str
    at: str
    detail: dict[str, Any]


class WrittenControl(TypedDict):
    """`is_new` false: the control stood already, and nothing was written."""

    control: Control
    is_new: bool


class AskedOfTrader(Wanted):
    """`controls` is empty where there was nothing to end, as for a resume without a pause."""

    controls: list[WrittenControl]


class ControlChange(Control):
    """A control among the changes. A pin and an unpin bring the version to run."""

    config: Config | None


class Versions(TypedDict):
    """`next_before` is where the next page begins, None on the last."""

    versions: list[Version]
    next_before: int | None


class Altered(TypedDict):
    """A setting that an edit changes, by its path."""

    path: str
    old: Any
    new: Any
    raises_risk: bool


class Effect(TypedDict):
    """`version` is the version after the edit. No `changes`: nothing differed. `allocated_pct` is the sum of the whole
    fleet, None for a token that is limited to traders; `change_set` None: nothing was written."""

    config_id: str
    version: int
    change_set: int | None
    changes: list[Altered]
    allocated_pct: Number | None


class Configs(TypedDict):
    cursor: str
    configs: list[Config]


class Changes(TypedDict):
    """Ask again with `cursor`, at once where `more` is true."""

    cursor: str
    more: bool
    changes: list[Config | ControlChange]
    wanted: dict[str, Wanted]


class PromptText(TypedDict):
    sha256: str
    path: str
    version: str
    body: str


class Runtime(Wanted):
    """`config_version` is the newest version; `version` is the version to run."""

    trader_id: str
    active_config_version: int | None
    is_running: bool
    detail: dict[str, Any]
    updated_at: str
    config_version: int
    retired: bool
    redacted: list[str]
    kept: list[str]


class Beat(TypedDict):
    """A trader's heartbeat; fields that are left out stay as reported."""

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
    """A position or a trade as it is stored. `kept` are fields that the server does not know, under `detail.extra`;
    `contradictions` says where a trade contradicts itself; `set_aside` is not None where an operator set it aside."""

    id: str
    symbol: str
    side: str
    detail: dict[str, Any]
    redacted: list[str]
    kept: list[str]
    contradictions: list[str]
    set_aside: dict[str, Any] | None


class RecordedDecision(TypedDict):
    """`kept` as in `Recorded`."""

    id: int
    cycle_number: int
    redacted: list[str]
    kept: list[str]
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


class Fill(TypedDict):
    """A fill of an open position. It is known again by `fill_id`, else by `at_ms` and `order_id`."""

    quantity: Number
    price: Number
    at_ms: int
    order_id: NotRequired[int | str]
    fill_id: NotRequired[int | str]
    commission: NotRequired[Number]
    funding: NotRequired[Number]
    is_funding_unknown: NotRequired[bool]
    decision_id: NotRequired[int]


class ExitPlan(TypedDict):
    """A price that is left out is not in the plan."""

    tp_price: NotRequired[Number]
    sl_price: NotRequired[Number]
    trailing_stop_pct: NotRequired[Number]
    invalidation_condition: NotRequired[str]


class EquityReport(TypedDict):
    """In USD at a moment. `realized_pnl` is the P&L of all closed quantities, less commission, plus funding;
    `total_unrealized_pnl` that of all open positions. The server derives fields that are left out."""

    ts_ms: int
    equity_usd: Number
    realized_pnl: NotRequired[Number]
    total_unrealized_pnl: NotRequired[Number]


class Transfer(TypedDict):
    """`amount_usd` is positive into the account, negative out of it. `kind` is initial, deposit, withdrawal, internal
    or correction."""

    id: str
    trader_id: str
    kind: str
    amount_usd: Decimal
    ts_ms: int
    reason: str
    actor: str


class CorrectedPoint(TypedDict):
    """Equity in place of the wrong point at `corrects_ts_ms`: `ts_ms` is the first free millisecond after it."""

    id: str
    trader_id: str
    ts_ms: int
    corrects_ts_ms: int | None
    equity_usd: Decimal
    realized_pnl_usd: Decimal | None
    unrealized_pnl_usd: Decimal | None


class ControlLog(TypedDict):
    """Newest first. `next_before` is where the next page begins, None on the last."""

    desired: Desired
    controls: list[Control]
    next_before: int | None


class Alarm(TypedDict):
    """`figures` are by name; `ended_by` is "@cause" if the cause was gone."""

    id: int
    rule: str
    subject: str
    severity: str
    state: str
    message: str
    figures: dict[str, Any]
    traders: list[str]
    first_at: str
    last_at: str
    count: int
    acknowledged_by: str | None
    acknowledged_at: str | None
    acknowledged_until: str | None
    acknowledged_reason: str | None
    ended_at: str | None
    ended_by: str | None


class Alarms(TypedDict):
    """Newest first. `next_before` is where the next page begins, None on the last."""

    alarms: list[Alarm]
    next_before: int | None


class TokenHolder(TypedDict):
    """`actor` is what history calls the token; `traders` None: all."""

    name: str
    actor: str
    scopes: list[str]
    traders: list[str] | None
