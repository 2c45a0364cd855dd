"""A fleet's moving data, shaped like real records: as many digits, as many symbols, a hundred trades a trader."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from trading.live import keys
from trading.live.redis.writes import StoreWrites
from trading.schema.live_store import values as live
from trading.schema.live_store.limits import MOST_CONVERSATIONS, MOST_TRADES

PRICES = {"BTC": 111317.5, "ETH": 3951.25, "SOL": 193.545, "BNB": 1115.05, "DOGE": 0.19834, "XRP": 2.5965}
DAY_MS = 86_400_000


def fleet(
    traders: int, *, as_written: bool, trades: int = MOST_TRADES, called: str = "trader_{:05}_momentum"
) -> StoreWrites:
    """The same for the same numbers. `as_written`: all that this site writes, a part of which the old layout has no
    place for; else only what both have."""
    chance = random.Random(traders)
    now_us = time.time_ns() // 1000
    writes = StoreWrites()
    for n in range(traders):
        name = called.format(n)
        writes.add(keys.POSITIONS, {name: _positions(chance, now_us, as_written)})
        writes.add(keys.TRADES_RECENT, {name: _recent(chance, now_us, name, trades, as_written)})
        analytics = _analytics(chance, now_us, trades if as_written else None)
        writes.add(keys.ANALYTICS, {name: analytics})
        writes.add(keys.SINCE_INCEPTION, {name: _inception(chance, analytics, as_written)})
        writes.add(keys.DECISION_LAST, {name: _decision(chance, now_us, as_written)})
        writes.leaders[name] = live.Leader(now_us, analytics.return_pct)
        writes.conversations[name] = tuple(
            _conversation(chance, now_us, 100_000 + n * 50 - back, back, as_written)
            for back in range(MOST_CONVERSATIONS)
        )
    for symbol, price in PRICES.items():
        quote = live.Price(now_us // 1000 * 1000, Decimal(str(price)))
        writes.add(keys.PRICE, {symbol: quote, f"hyperliquid:{symbol}": quote})
        writes.add(keys.MARKET_CTX, {f"hyperliquid:{symbol}": _context(chance, now_us, price)})
    return writes


def _positions(chance: random.Random, now_us: int, as_written: bool) -> live.Positions:
    return live.Positions(
        now_us,
        {
            symbol: live.LivePosition(
                side=chance.choice(["long", "short"]),
                quantity=_digits(1000 / PRICES[symbol] * chance.uniform(0.5, 20), 2),
                entry_price=_price(chance, symbol),
                leverage=Decimal(chance.choice([5, 10, 15, 20])),
                confidence=Decimal(chance.randint(60, 95)),
                risk_usd=_digits(chance.uniform(50, 900), 2),
                opened_ms=now_us // 1000 - chance.randrange(DAY_MS) if as_written else None,
                updated_ms=now_us // 1000 - chance.randrange(DAY_MS),
                exchange="hyperliquid_testnet",
            )
            for symbol in chance.sample(list(PRICES), chance.randint(1, 5))
        },
    )


def _recent(chance: random.Random, now_us: int, name: str, trades: int, as_written: bool) -> live.RecentTrades:
    return live.RecentTrades(now_us, tuple(_trades(chance, now_us // 1000, name, trades, as_written)))


def _trades(chance: random.Random, now_ms: int, name: str, trades: int, as_written: bool) -> Iterator[live.LiveTrade]:
    closed = now_ms
    for _ in range(trades):
        closed -= chance.randrange(60_000, DAY_MS // 8)
        symbol = chance.choice(list(PRICES))
        quantity = _digits(1000 / PRICES[symbol] * chance.uniform(0.5, 20), 2)
        yield live.LiveTrade(
            symbol=symbol,
            side=chance.choice(["long", "short"]),
            quantity=quantity,
            entry_price=_price(chance, symbol),
            exit_price=_price(chance, symbol),
            net_pnl_usd=_digits(chance.gauss(-20, 160), 6),
            closed_ms=closed,
            id=f"{name}|{symbol}|{closed}{chance.randrange(10**6):06}" if as_written else None,
            opened_ms=closed - chance.randrange(60_000, DAY_MS),
            leverage=Decimal(chance.choice([5, 10, 15, 20])),
            confidence=Decimal(chance.randint(60, 95)),
            position_size=None if as_written else quantity,
            exchange="hyperliquid_testnet",
        )


def _analytics(chance: random.Random, now_us: int, trades: int | None) -> live.Analytics:
    """`trades`: None leaves out what only this site keeps."""
    net = chance.gauss(-500, 2500)
    site: dict[str, Any] = {}
    if trades is not None:
        wins = chance.randint(0, trades)
        fees = _digits(trades * chance.uniform(1, 20), 6)
        site = {
            "trades": trades,
            "wins": wins,
            "losses": trades - wins,
            "win_rate_pct": 100 * wins / trades,
            "gross_pnl_usd": _digits(net, 6) + fees,
            "fees_usd": fees,
            "last_close_ms": now_us // 1000 - chance.randrange(DAY_MS),
        }
    return live.Analytics(
        as_of=now_us,
        net_pnl_usd=_digits(net, 6),
        **site,
        return_pct=net / 100,
        sharpe=chance.gauss(0, 1.2),
        max_drawdown_pct=chance.uniform(1, 60),
        executed_share=chance.choice([0.5, 1.0, 0.75]),
        last_actions=chance.randint(1, 6),
    )


def _inception(chance: random.Random, analytics: live.Analytics, as_written: bool) -> live.SinceInception:
    start, net = Decimal(10_000), analytics.net_pnl_usd
    site: dict[str, Any] = {}
    if as_written:
        site = {
            "start_equity_usd": start,
            "equity_usd": start + net,
            "inception_ms": analytics.as_of // 1000 - chance.randrange(DAY_MS, 30 * DAY_MS),
            "decisions": chance.randrange(10**4),
        }
    return live.SinceInception(analytics.as_of, net, analytics.return_pct, analytics.sharpe, **site)


def _conversation(chance: random.Random, now_us: int, number: int, back: int, as_written: bool) -> live.Conversation:
    if not as_written:
        return live.Conversation(now_us, str(number))
    sent_ms = now_us // 1000 - back * 180_000 - chance.randrange(60_000)
    return live.Conversation(now_us, str(number), chance.randint(2, 3), sent_ms)


def _decision(chance: random.Random, now_us: int, as_written: bool) -> live.DecisionLast:
    return live.DecisionLast(
        as_of=now_us,
        decided_ms=now_us // 1000 - chance.randrange(180_000),
        success=True,
        symbol=chance.choice(list(PRICES)),
        action=chance.choice(["open_long", "open_short", "hold", "close_long"]),
        confidence=Decimal(chance.randint(60, 95)),
        config_version=chance.randint(1, 20),
        id=chance.randrange(10**6) if as_written else None,
        cycle=chance.randrange(10**4) if as_written else None,
    )


def _context(chance: random.Random, now_us: int, price: float) -> live.MarketContext:
    return live.MarketContext(
        as_of=now_us // 1000 * 1000,
        price=Decimal(str(price)),
        change_1h=chance.gauss(0, 0.01),
        change_4h=chance.gauss(0, 0.02),
        funding_rate=Decimal("0.0000125"),
        open_interest=_digits(chance.uniform(10_000, 90_000), 2),
        open_interest_average=_digits(chance.uniform(10_000, 90_000), 2),
        ema={"EMA20": price * chance.uniform(0.99, 1.01)},
        macd=chance.gauss(0, 20),
        rsi={"RSI7": chance.uniform(20, 80), "RSI14": chance.uniform(30, 70)},
    )


def _price(chance: random.Random, symbol: str) -> Decimal:
    price = PRICES[symbol]
    return _digits(price * chance.uniform(0.9, 1.1), 1 if price > 1000 else 5 if price < 1 else 3)


def _digits(number: float, places: int) -> Decimal:
    return Decimal(f"{number:.{places}f}")
