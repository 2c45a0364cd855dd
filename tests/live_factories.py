"""Values of the live store for tests: plain functions that make valid ones, each part of which may be overridden."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

from trading.schema.live_store import values as live
from trading.schema.live_store.values import US_PER_SECOND


def now_us() -> int:
    return time.time_ns() // 1000


def ago(seconds: float) -> int:
    return now_us() - int(seconds * US_PER_SECOND)


def make_price(price: Any = "111317.50", **parts: Any) -> live.Price:
    return live.Price(**{"as_of": now_us(), "price": Decimal(price), "provider": "hyperliquid", **parts})


def make_context(**parts: Any) -> live.MarketContext:
    return live.MarketContext(
        **{
            "as_of": now_us() // 1000 * 1000,
            "price": Decimal("111317.5"),
            "change_1h": 0.0012,
            "change_4h": -0.0034,
            "funding_rate": Decimal("0.0000125"),
            "open_interest": Decimal("28123.4"),
            "open_interest_average": Decimal("28000.1"),
            "ema": {"EMA20": 111200.1},
            "macd": 12.3,
            "rsi": {"RSI7": 61.2},
            **parts,
        }
    )


def make_positions(*symbols: str, as_of: int | None = None, **parts: Any) -> live.Positions:
    one = live.LivePosition(
        **{
            "side": "long",
            "quantity": Decimal("0.010"),
            "entry_price": Decimal("45000.50"),
            "leverage": Decimal(10),
            "confidence": Decimal(85),
            "risk_usd": Decimal(50),
            "updated_ms": 1_760_000_000_000,
            "exchange": "hyperliquid_testnet",
            **parts,
        }
    )
    return live.Positions(as_of or now_us(), dict.fromkeys(symbols or ("BTC",), one))


def make_recent(count: int = 3, as_of: int | None = None) -> live.RecentTrades:
    trades = tuple(
        live.LiveTrade(
            symbol=("BTC", "ETH", "SOL")[n % 3],
            side="long" if n % 2 else "short",
            quantity=Decimal("0.01") + n,
            entry_price=Decimal("45000.5") + n,
            exit_price=Decimal("45500.25") - n,
            net_pnl_usd=Decimal("4.5") - n,
            closed_ms=1_760_000_300_000 - 60_000 * n,
            opened_ms=1_760_000_000_000 - 60_000 * n,
            leverage=Decimal(10),
            confidence=Decimal(85),
            position_size=Decimal("0.01"),
            exchange="hyperliquid_testnet",
        )
        for n in range(count)
    )
    return live.RecentTrades(as_of or now_us(), trades)


def make_analytics(net: Any = "150.25", **parts: Any) -> live.Analytics:
    return live.Analytics(
        **{
            "as_of": now_us(),
            "net_pnl_usd": Decimal(net),
            "return_pct": 1.5,
            "sharpe": 1.25,
            "max_drawdown_pct": 4.2,
            "executed_share": 0.5,
            "last_actions": 12,
            **parts,
        }
    )


def make_inception(net: Any = "150.25", **parts: Any) -> live.SinceInception:
    return live.SinceInception(
        **{"as_of": now_us(), "net_pnl_usd": Decimal(net), "return_pct": 1.5, "sharpe": 1.25, **parts}
    )


def make_last_decision(**parts: Any) -> live.DecisionLast:
    return live.DecisionLast(
        **{
            "as_of": now_us(),
            "decided_ms": 1_760_000_000_000,
            "success": True,
            "symbol": "BTC",
            "action": "open_long",
            "confidence": Decimal(85),
            **parts,
        }
    )


def make_conversations(*ids: int, as_of: int | None = None) -> tuple[live.Conversation, ...]:
    moment = as_of or now_us()
    return tuple(live.Conversation(moment, str(number)) for number in ids or (42, 41, 40))
