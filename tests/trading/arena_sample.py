"""A small arena of our own: its files as the arena serves them. Each record's fields may be overridden."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

OPENED, CLOSED = 1_750_000_000.123, 1_750_003_600.456
SERVED_MS = 1_750_100_000_000
# Of the first row of account-totals, in seconds.
STARTED = 1_750_000_000


def trade(number: int = 1, model_id: str = "amber-7b", **changed: Any) -> dict[str, Any]:
    """A long that gained; all 33 fields of the arena. Trades of other numbers have other fills."""
    record = {
        "id": f"{model_id}_{number:08d}-0000-4000-8000-000000000000",
        "model_id": model_id,
        "symbol": "BTC",
        "side": "long",
        "trade_type": "long",
        "trade_id": f"{OPENED}_BTC_{CLOSED}_{model_id}",
        "quantity": 0.25,
        "leverage": 1,
        "confidence": 0,
        "entry_price": 100000.5,
        "entry_time": OPENED,
        "entry_human_time": "2025-06-15 15:06:40.123000",
        "entry_sz": 0.25,
        "entry_tid": 7000 + number,
        "entry_oid": 5000 + number,
        "entry_crossed": True,
        "entry_liquidation": None,
        "entry_commission_dollars": 1.25,
        "entry_closed_pnl": -1.25,
        "exit_price": 100100.25,
        "exit_time": CLOSED,
        "exit_human_time": "2025-06-15 16:06:40.456000",
        "exit_sz": 0.25,
        "exit_tid": 8000 + number,
        "exit_oid": 6000 + number,
        "exit_crossed": False,
        "exit_liquidation": None,
        "exit_commission_dollars": 1.3,
        "exit_closed_pnl": 23.5,
        "exit_plan": {},
        "realized_gross_pnl": 24.9375,
        "realized_net_pnl": 22.25,
        "total_commission_dollars": 2.55,
    }
    return record | changed


def short(number: int = 2, **changed: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {"side": "short", "trade_type": "short", "quantity": -0.25, "realized_net_pnl": -27.5}
    return trade(number, **(fields | changed))


def position(symbol: str = "ETH", **changed: Any) -> dict[str, Any]:
    record = {
        "entry_oid": 9001,
        "risk_usd": 120,
        "confidence": 0.62,
        "exit_plan": {
            "profit_target": 2400.5,
            "stop_loss": 2600,
            "invalidation_condition": "Close above 2650 on the 4 h chart.",
        },
        "entry_time": 1_750_001_000,
        "symbol": symbol,
        "entry_price": 2500.1,
        "margin": 310.25,
        "leverage": 15,
        "quantity": -1.75,
        "current_price": 2490.4,
        "unrealized_pnl": 16.975,
        "closed_pnl": -2.5,
    }
    return record | changed


def account(*positions: dict[str, Any], model_id: str = "amber-7b") -> dict[str, Any]:
    return {"model_id": model_id, "positions": {str(held["symbol"]): held for held in positions}}


def account_row(hour: int = 0, model_id: str = "amber-7b", **changed: Any) -> dict[str, Any]:
    """Of account-totals."""
    record = {
        "id": f"{model_id}_{hour}",
        "model_id": model_id,
        "timestamp": STARTED + 3600 * hour + 0.25,
        "realized_pnl": 1.5 * hour,
        "total_unrealized_pnl": -0.5,
        "dollar_equity": 10_000 + 7 * hour,
        "sharpe_ratio": None,
        "cum_pnl_pct": 0.07 * hour,
        "since_inception_minute_marker": 60 * hour,
        "since_inception_hourly_marker": hour,
        "positions": {},
    }
    return record | changed


def message(role: str = "system", content: str = "Trade well.", timestamp: Any = 1_750_000_100) -> dict[str, Any]:
    return {"role": role, "content": content, "timestamp": timestamp}


def conversation(*messages: dict[str, Any], model_id: str = "amber-7b") -> dict[str, Any]:
    said = messages or (
        message(),
        message("user", "Now?", 1_750_000_200),
        message("assistant", "Hold.\n\té", 1_750_000_300),
    )
    return {"model_id": model_id, "messages": list(said)}


def write(directory: Path, name: str, key: str, records: Any, server_time: Any = SERVED_MS) -> Path:
    path = directory / name
    path.write_text(json.dumps({key: records, "serverTime": server_time}, indent=1))
    return path


def write_trades(directory: Path, *records: Any) -> Path:
    return write(directory, "trades.json", "trades", list(records))


def write_all(directory: Path) -> Path:
    """Two traders and the benchmark, each kind of file."""
    prices = {name: {"symbol": name, "price": 1.5, "timestamp": SERVED_MS} for name in ("BTC", "ETH", "HYPE")}
    write(directory, "crypto-prices.json", "prices", prices)
    write_trades(directory, trade(1), short(2), trade(3, "basalt.2"))
    accounts = [account(position()), account(position("BTC", entry_oid=5003, quantity=0.25), model_id="basalt.2")]
    write(directory, "positions.json", "accountTotals", accounts)
    write(directory, "conversations.json", "conversations", [conversation()])
    began = [
        {"id": "u", "nav_since_inception": 10000, "inception_date": OPENED, "num_invocations": 0, "model_id": name}
        for name in ("amber-7b", "basalt.2", "buynhold_btc")
    ]
    write(directory, "since-inception-values.json", "sinceInceptionValues", began)
    standing = [{"id": "amber-7b", "num_trades": 2, "sharpe": 0, "equity": 9994.75, "return_pct": -0.05}]
    (directory / "leaderboard.json").write_text(json.dumps({"leaderboard": standing}))
    (directory / "analytics.json").write_text("{}")
    return directory
