"""The three tables of the record as they are browsed: their order and their filters."""

from __future__ import annotations

from trading.record.browse.queries import Table
from trading.record.stored.safe_sql import number

_OF_TRADER = {
    "trader": "r.trader_id = %(trader)s",
    "symbol": "r.symbol = %(symbol)s",
    "side": "r.side = %(side)s",
    "version": "r.entry_version = %(version)s",
    "version=0": "r.entry_version IS NULL",
}
CLOSED_PNL = number("r.detail", "close.pnl")

TRADES = Table(
    "trades",
    "close_ts_ms",
    {
        **_OF_TRADER,
        "id": "r.id = %(id)s",
        "outcome=gain": "r.net_pnl > 0",
        "outcome=loss": "r.net_pnl < 0",
        "since": "r.close_ts_ms >= %(since)s",
        "until": "r.close_ts_ms < %(until)s",
    },
)
POSITIONS = Table(
    "positions",
    "opened_ms",
    {
        **_OF_TRADER,
        "id": "r.id = %(id)s",
        # Literals: a generic plan with a parameter could not use the partial index.
        "status=open": "r.status = 'open'",
        "status=closed": "r.status = 'closed'",
        "outcome=gain": f"{CLOSED_PNL} > 0",
        "outcome=loss": f"{CLOSED_PNL} < 0",
        "since": "r.opened_ms >= %(since)s",
        "until": "r.opened_ms < %(until)s",
    },
)
DECISIONS = Table(
    "decision_journal",
    "decided_at",
    {
        "id": "r.id = %(id)s::bigint",
        "trader": _OF_TRADER["trader"],
        "version": "r.config_version = %(version)s",
        "version=0": "r.config_version IS NULL",
        "outcome=done": "r.success",
        "outcome=failed": "NOT r.success",
        "since": "r.decided_at >= %(since)s",
        "until": "r.decided_at < %(until)s",
    },
    in_ms=False,
)
