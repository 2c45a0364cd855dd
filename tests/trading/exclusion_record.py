"""A small record with something of each kind, and short ways to set rows of it aside."""

from __future__ import annotations

from decimal import Decimal

from tests.factories import make_trader, sync_traders
from tests.trading_factories import HOUR_MS, OPENED_MS, make_entry, make_position, make_trade
from trading.record.exclusions import services as exclusions
from trading.record.exclusions.services import ExclusionChange
from trading.record.stored import symbols
from trading.record.stored.copying import bulk_load
from trading.record.writing import positions, trades
from trading.record.writing.decisions import record_decision
from trading.record.writing.equity import copy_equity
from trading.schema.common import Side
from trading.schema.exclusion import RecordKey, RecordKind
from trading.schema.facts import EquityPoint
from trading.schema.message import DecisionMessage, MessageRole

ALPHA = "alpha"
POSITION = RecordKey(RecordKind.POSITION, "alpha|BTC")


def trade_key(n: int) -> RecordKey:
    """The trade that closed in the n-th hour."""
    return RecordKey(RecordKind.TRADE, f"alpha|BTC|{(OPENED_MS + (n + 1) * HOUR_MS) * 1_000_000}")


def equity_key(n: int) -> RecordKey:
    return RecordKey(RecordKind.EQUITY, f"alpha|{OPENED_MS + n * HOUR_MS}")


def record_alpha(nets: tuple[str, ...] = ("4.5", "-2.25", "10")) -> RecordKey:
    """Trades of an hour each, an open position, equity each hour, and a decision, whose key is answered."""
    sync_traders(make_trader(ALPHA), make_trader("beta"))
    symbols.add(["BTC"])
    for n, net in enumerate(nets):
        trades.record_trade(make_trade(ALPHA, open_ms=OPENED_MS + n * HOUR_MS, net=net))
    positions.open_position(trader_id=ALPHA, symbol="BTC", side=Side.LONG, detail=make_position())
    with bulk_load(name="equity"):
        copy_equity([EquityPoint(ALPHA, OPENED_MS + n * HOUR_MS, Decimal(10_000 - 100 * (n % 3))) for n in range(30)])
    made = record_decision(make_entry(ALPHA), [DecisionMessage(MessageRole.USER, "What now?", None)])
    return RecordKey(RecordKind.DECISION, str(made.id))


def aside(*keys: RecordKey, reason: str = "wrong price", actor: str = "mei") -> ExclusionChange:
    return exclusions.set_aside(keys, reason=reason, actor=actor)


def undone(*keys: RecordKey, reason: str = "it was right", actor: str = "mei") -> ExclusionChange:
    return exclusions.set_aside(keys, reason=reason, actor=actor, undo=True)
