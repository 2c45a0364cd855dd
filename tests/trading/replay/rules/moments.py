"""A decision that passes every rule, with its settings and its moment; each part may be overridden."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tests.factories import make_trader
from traders.schema.settings.trader import TraderDetail
from trading.replay.rules.checks.moment import DecisionMoment
from trading.schema.common import Side
from trading.schema.decision import Account, Action, Decision, HeldPosition, Quote

DECIDED_AT = datetime(2026, 1, 8, 10, 30, tzinfo=UTC)


def settings(**changed: Any) -> TraderDetail:
    """Paths below `detail` with __ for the dots."""
    return make_trader(**{f"detail__{path}": value for path, value in changed.items()}).detail


def decision(**changed: Any) -> Decision:
    values = {
        "symbol": "SOL",
        "action": Action.OPEN_LONG,
        "leverage": Decimal(5),
        "position_size_usd": Decimal(400),
        "entry_price": Decimal(100),
        "stop_loss": Decimal(98),
        "take_profit": Decimal(107),
        "confidence": Decimal(80),
    }
    return Decision(**{**values, **changed})


def held(symbol: str = "BTC", side: Side = Side.LONG) -> HeldPosition:
    return HeldPosition(symbol=symbol, side=side, quantity=Decimal(1))


def moment(**changed: Any) -> DecisionMoment:
    values = {
        "account": Account(equity_usd=Decimal(1000), used_margin_usd=Decimal(100), sharpe_ratio=Decimal("0.5")),
        "positions": (held(),),
        "market": (Quote(symbol="SOL", price=Decimal(100), open_interest=Decimal(5000)),),
        "candidates": ("BTC", "SOL"),
        "cooldowns": (),
    }
    return DecisionMoment(DECIDED_AT, **{**values, **changed})
