"""The third generation (everything in one 001_initial_schema): rows in the columns of the first one.

No engine was ever adapted to it. Details follow those of the second generation, and those of equity the columns of the
first.
"""

from __future__ import annotations

from typing import Any

from traders.schema.messages import _
from trading.imports.adopt.readers import detail
from trading.imports.adopt.readers.values import Row
from trading.record.rules.errors import InvalidRecord

_OWN = frozenset({"detail", "trader_id", "provider", "event_at", "symbol_id"})
_EQUITY = ("dollar_equity", "equity_usd", "equity")


def position(row: Row) -> Row:
    return detail.position(_core(row))


def trade(row: Row) -> Row:
    return detail.trade(_core(row) | {"close_ts_ms": row.get("event_at")})


def decision(row: Row) -> Row:
    """A cycle with an error message failed, one without did not, unless its detail says so."""
    known = _detail(row)
    said = {
        name: known[name] for name in ("prompt_digest", "cot_trace", "decisions", "config_version") if name in known
    }
    success = known.get("success")
    is_done = success if isinstance(success, bool) else not row.get("error_message")
    return _core(row) | said | {"model_id": row.get("trader_id"), "success": is_done}


def equity(row: Row) -> Row:
    """Raises InvalidRecord for the account of a whole exchange, which is no trader's."""
    if row.get("is_trader") is not True:
        raise InvalidRecord("is_trader", _("is false: the account of an exchange has no trader"))
    known = _detail(row)
    name = next((name for name in _EQUITY if known.get(name) is not None), _EQUITY[0])
    return {
        "id": row.get("id"),
        "model_id": row.get("provider"),
        "ts_ms": row.get("event_at"),
        "dollar_equity": known.get(name),
        "realized_pnl": known.get("realized_pnl"),
        "total_unrealized_pnl": known.get("total_unrealized_pnl", known.get("unrealized_pnl_usd")),
        "metadata": {"available_balance_usd": known.get("available_balance_usd")},
    }


def _core(row: Row) -> dict[str, Any]:
    found = {name: value for name, value in row.items() if name not in _OWN}
    found |= {"trader_id": row.get("trader_id"), "detail": dict(_detail(row))}
    if provider := row.get("exchange_provider"):
        exchange = found["detail"].get("exchange")
        found["detail"]["exchange"] = {"provider": provider} | (exchange if isinstance(exchange, dict) else {})
    return found


def _detail(row: Row) -> dict[str, Any]:
    value = row.get("detail")
    return value if isinstance(value, dict) else {}
