"""A small record in the database, for exports."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.factories import make_trader, sync_traders
from tests.trading_factories import HOUR_MS, OPENED_MS, make_entry, make_position, make_trade
from trading.models import EquitySnapshot
from trading.record.writing.decisions import record_decision
from trading.record.writing.positions import open_position
from trading.record.writing.trades import record_trade
from trading.schema.common import ExitPlan, Side
from trading.schema.decision import ModelAnswer, Prompt
from trading.schema.position import Orders, PositionRisk

TRADERS = ("ann", "bob", "cyd")
EQUITY_HOURS = 30


def fill_record() -> None:
    """`ann` and `bob` trade, `cyd` has done nothing yet; only of `ann` equity is recorded."""
    sync_traders(*(make_trader(name, allocation_pct=Decimal(10)) for name in TRADERS))
    for number in range(4):
        opened = OPENED_MS + number * 2 * HOUR_MS
        record_trade(make_trade("ann", open_ms=opened, net=["4.5", "-3.25", "0", "10"][number]))
        record_trade(make_trade("bob", symbol="ETH", side=Side.SHORT, open_ms=opened, net=["-4.5", "2"][number % 2]))
    for hour in range(EQUITY_HOURS):
        add_equity("ann", OPENED_MS + hour * HOUR_MS, 1000 + hour)
        add_equity("ann", OPENED_MS + hour * HOUR_MS + 60_000, 1200 + hour)
    open_position(
        trader_id="ann",
        symbol="BTC",
        side=Side.SHORT,
        detail=make_position(
            orders=Orders(entry_oid=12, tp_oid=13),
            exit_plan=ExitPlan(tp_price=Decimal(40000), sl_price=Decimal("46000.5"), invalidation_condition="Up."),
            risk=PositionRisk(confidence=Decimal(62), risk_usd=Decimal(30)),
        ),
    )
    record_decision(
        make_entry(
            "bob",
            decided_at=datetime(2025, 10, 9, 12, tzinfo=UTC),
            prompt=Prompt(system_text="You trade.", user_text="Now?"),
            answer=ModelAnswer(text='{"BTC": "long"}', reasoning="It rises."),
        )
    )


def add_equity(trader_id: str, ts_ms: int, equity: Any) -> None:
    EquitySnapshot.objects.create(trader_id=trader_id, ts_ms=ts_ms, equity_usd=Decimal(equity), source="engine")


def read(root: Path, name: str) -> Any:
    return json.loads((root / "current" / f"{name}.json").read_text(), parse_float=Decimal)
