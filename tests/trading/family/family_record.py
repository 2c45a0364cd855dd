"""A trader, its paper variant, and what both did at the same time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tests.factories import make_trader, save_edit, sync_traders
from tests.trading.bad_rows import add_equity
from tests.trading_factories import HOUR_MS, make_entry, make_trade
from traders.versions.lifecycle.services import paper_variant
from trading.record.writing.decisions import record_decision
from trading.record.writing.trades import record_trade
from trading.schema.decision import Action, ActionTaken, Usage

BEGAN_MS = 1_760_000_000_000
BEGAN = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=BEGAN_MS)
REFUSED = ActionTaken(symbol="BTC", action=Action.OPEN_LONG, ok=False, refused_by=("max_positions",), error="full")


def make_family() -> None:
    """The original has run four hours longer; in the last six both rose from 1,000: it by 2 %, the variant by 5 %."""
    sync_traders(make_trader(), make_trader("other", allocation_pct=Decimal(5)))
    save_edit("steady_long", detail__risk__max_positions=4)
    make_variant("bolder")
    save_edit("bolder", detail__risk__max_positions=8, detail__exec_guards__candidate_limit=3)
    for hour in range(-4, 7):
        add_equity("steady_long", str(900 if hour < 0 else 1000 + Decimal(20) * hour / 6), ts_ms=at(hour))
    for hour in range(7):
        add_equity("bolder", str(1000 + Decimal(50) * hour / 6), ts_ms=at(hour))
    record_trade(make_trade(open_ms=at(-3), close_ms=at(-2), net="-100"))
    record_trade(make_trade(open_ms=at(1), close_ms=at(2), net="8", entry_version=1))
    record_trade(make_trade(open_ms=at(3), close_ms=at(4), net="12", entry_version=2, exit_version=2))
    record_trade(make_trade("bolder", open_ms=at(1), close_ms=at(5), net="50", entry_version=2, exit_version=2))
    cost = Usage(prompt_tokens=100, completion_tokens=10, cost_usd=Decimal("0.25"))
    for hour in (1, 3):
        record_decision(make_entry(config_version=2, decided_at=BEGAN + timedelta(hours=hour), usage=cost))
    for hour, actions in ((1, ()), (2, (REFUSED,)), (3, (REFUSED,))):
        record_decision(
            make_entry("bolder", config_version=2, decided_at=BEGAN + timedelta(hours=hour), actions=actions)
        )


def make_variant(new_id: str, trader_id: str = "steady_long") -> None:
    paper_variant(
        trader_id=trader_id,
        version=1,
        new_id=new_id,
        exchange_provider="paper_trading",
        paper_capital_usd=Decimal(1000),
        reason="bolder",
        actor="mei",
    )


def at(hour: int) -> int:
    return BEGAN_MS + hour * HOUR_MS
