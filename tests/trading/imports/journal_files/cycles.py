"""Cycle files as an engine writes them; each field may be overridden, None leaves it out."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

DECISIONS = (
    '[{"Symbol":"BTC","Action":"open_long","Leverage":10,"PositionSizeUSD":450.50,"EntryPrice":45000.5,'
    '"StopLoss":44500,"TakeProfit":46600,"Confidence":85,"RiskUSD":5,"Reasoning":"breakout",'
    '"InvalidationCondition":"below 44 000"}]'
)
ACTION = {
    "symbol": "BTC",
    "action": "open_long",
    "leverage": 10,
    "position_size_usd": 450.5,
    "entry_price": 45000.5,
    "stop_loss": 44500,
    "take_profit": 46600,
    "confidence": 85,
    "result": "ok",
}
POSITION = {
    "symbol": "ETH",
    "side": "long",
    "qty": 0.5,
    "lev": 5,
    "entry": 3000,
    "mark": 3010.5,
    "upnl": 5.25,
    "liq": 0,
}
QUOTE = {"price": 45000.5, "chg1h": 0.002, "chg4h": -0.0101, "oi_latest": 12345.678, "funding": 0.0000125}
CYCLE: dict[str, Any] = {
    "timestamp": "2026-01-08T18:30:00.123456789+08:00",
    "trader_id": "steady_long",
    "config_version": 1,
    "cycle_number": 1,
    "prompt_digest": "ab" * 32,
    "decisions_json": DECISIONS,
    "account_snapshot": {"equity": 1000.10, "available": 900, "used_margin": 100.1, "used_pct": 10.01, "positions": 1},
    "positions_snapshot": [POSITION],
    "candidates": ["BTC", "SOL"],
    "market_snap_digest": {"BTC": QUOTE, "SOL": {"price": 150, "chg1h": 0, "chg4h": 0}},
    "actions": [ACTION],
    "success": True,
}


def cycle(**changed: Any) -> dict[str, Any]:
    return {name: value for name, value in {**CYCLE, **changed}.items() if value is not None}


def at(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


def write(directory: Path, name: str = "cycle_20260108_103000_00001.json", **changed: Any) -> Path:
    path = directory / name
    path.write_text(json.dumps(cycle(**changed), indent=2))
    return path


def write_many(directory: Path, count: int, *, since: datetime, **changed: Any) -> None:
    for number in range(count):
        moment = since + timedelta(minutes=3 * number)
        write(directory, f"cycle_{moment:%Y%m%d_%H%M%S}_{number:05}.json", timestamp=at(moment), **changed)
