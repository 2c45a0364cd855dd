"""The old layout: its keys, their times to live, and its JSON <-> the values of `trading.schema.live_store.values`.

Its names mislead: `win_rate` is the share of the last cycle's actions that were executed, `total_trades` their number.
Unknown numbers are 0 there. It has no `as_of`; the moment of a write follows from the rest of its time to live.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from trading.live import keys
from trading.live.keys import MINUTE, Key
from trading.schema.contract import TRADER
from trading.schema.live_store import values as live
from trading.schema.live_store.values import US_PER_MS, US_PER_SECOND

_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(float_hook=Decimal)
PRICES_OF_ALL = "nof0:crypto_prices"
LEADER = "nof0:leaderboard:cache"
PRICE_SECONDS, LEADER_SECONDS = 10, MINUTE
# Of a value whose age does not matter, in microseconds.
NO_MOMENT = 10**15
# Written by no version of the old engine, but named by it: the clean-up takes them too.
UNUSED = ("nof0:analytics:all", "nof0:lock:positions:*", "nof0:trades:stream", "nof0:ingest:trade:*")

Json = Any
"""As `msgspec` reads it, with Decimal for every number that has a fraction."""


@dataclass(frozen=True, slots=True)
class OldKey:
    """`prefix` + trader id, symbol or `{provider}:{symbol}` is a String with `seconds` to live."""

    key: Key
    prefix: str
    seconds: int
    to_old: Callable[[str, Any], Json]
    from_old: Callable[[Json, int], live.Value]

    def name(self, field: str) -> str:
        return self.prefix + field

    def field(self, name: str) -> str:
        return name.removeprefix(self.prefix)

    def text(self, field: str, value: Any) -> bytes:
        return _encoder.encode(self.to_old(field, value))

    def value(self, raw: bytes, as_of: int) -> Any:
        """`as_of` (microseconds) is when it was written. Raises ValueError for text that is no value of this key. A
        null is the same as a name that is left out; of a list or an object it is an empty one."""
        try:
            return self.from_old(parsed(raw), as_of)
        except (msgspec.MsgspecError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
            raise ValueError(f"{type(error).__name__}: {error}") from error

    def as_of(self, left_ms: int, now: int) -> int:
        """When a value was written that has `left_ms` to live (-1: without end, treated as about to end)."""
        return now - max(0, self.seconds * 1000 - max(0, left_ms)) * US_PER_MS


def parsed(raw: bytes) -> Json:
    """Raises ValueError."""
    try:
        return _decoder.decode(raw)
    except (ArithmeticError, RecursionError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def text(value: Json) -> bytes:
    return _encoder.encode(value)


def same(old: Json, other: Json) -> bool:
    """1.5, 1.50 and Decimal('1.5') are the same; so is a number that went through a double."""
    return bool(_plain(old) == _plain(other))


def conversation_ids(items: Iterable[live.Conversation]) -> list[int | str]:
    """Ids as the old layout has them: whole numbers where they are such."""
    return [
        int(item.conversation) if item.conversation.isdecimal() and len(item.conversation) < 20 else item.conversation
        for item in items
    ]


def conversations(raw: bytes, as_of: int) -> tuple[live.Conversation, ...]:
    """Raises ValueError."""
    ids = parsed(raw)
    if ids is None:
        return ()
    if not isinstance(ids, list):
        raise ValueError("no list of ids")
    return tuple(live.Conversation(as_of, str(conversation)) for conversation in ids if conversation is not None)


def leader(trader_id: str, score: float, as_of: int) -> bytes:
    return text({TRADER: trader_id, "score": score, "updated_at": as_of // US_PER_MS})


def _plain(value: Json) -> Json:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list) else value


def _given(**parts: Json) -> Json:
    """The values without null, zero and the empty text, which the old engine left out."""
    return {name: part for name, part in parts.items() if part}


def _decimal(value: Json) -> Decimal | None:
    return None if value is None else Decimal(value)


def _float(value: Json) -> float | None:
    return None if value is None else float(value)


def _indicators(old: Json) -> dict[str, float] | None:
    return {name: float(value) for name, value in (old or {}).items() if value is not None} or None


def _price_to_old(field: str, price: live.Price) -> Json:
    return {"price": price.price, "ts": price.as_of // US_PER_MS}


def _price_from_old(old: Json, as_of: int) -> live.Price:
    return live.Price(int(old["ts"]) * US_PER_MS, Decimal(old["price"]))


def _context_to_old(field: str, context: live.MarketContext) -> Json:
    return {
        "price": context.price,
        "change": {"OneHour": context.change_1h or 0, "FourHour": context.change_4h or 0},
        "funding": {"Rate": context.funding_rate or 0},
        "oi": {"Latest": context.open_interest or 0, "Average": context.open_interest_average or 0},
        "indicators": {"EMA": context.ema or {}, "MACD": context.macd or 0, "RSI": context.rsi or {}},
        "timestamp_ms": context.as_of // US_PER_MS,
    }


def _context_from_old(old: Json, as_of: int) -> live.MarketContext:
    change, funding, interest, indicators = (old.get(part) or {} for part in ("change", "funding", "oi", "indicators"))
    return live.MarketContext(
        as_of=int(old["timestamp_ms"]) * US_PER_MS,
        price=Decimal(old["price"]),
        change_1h=_float(change.get("OneHour")),
        change_4h=_float(change.get("FourHour")),
        funding_rate=_decimal(funding.get("Rate")),
        open_interest=_decimal(interest.get("Latest")),
        open_interest_average=_decimal(interest.get("Average")),
        ema=_indicators(indicators.get("EMA")),
        macd=_float(indicators.get("MACD")),
        rsi=_indicators(indicators.get("RSI")),
    )


def _positions_to_old(field: str, held: live.Positions) -> Json:
    return {
        symbol: {
            "symbol": symbol,
            "side": one.side,
            "quantity": one.quantity,
            "entry_price": one.entry_price,
            "leverage": one.leverage or 0,
            "updated_at_ms": one.updated_ms or 0,
            **_given(confidence=one.confidence, risk_usd=one.risk_usd, exchange=one.exchange),
        }
        for symbol, one in held.positions.items()
    }


def _positions_from_old(old: Json, as_of: int) -> live.Positions:
    return live.Positions(
        as_of,
        {
            symbol: live.LivePosition(
                side=str(one["side"]),
                quantity=Decimal(one["quantity"]),
                entry_price=Decimal(one["entry_price"]),
                leverage=_decimal(one.get("leverage") or None),
                confidence=_decimal(one.get("confidence")),
                risk_usd=_decimal(one.get("risk_usd")),
                updated_ms=one.get("updated_at_ms") or None,
                exchange=one.get("exchange"),
            )
            for symbol, one in ({} if old is None else old).items()
        },
    )


def _trades_to_old(trader_id: str, recent: live.RecentTrades) -> Json:
    return [
        {
            TRADER: trader_id,
            "symbol": trade.symbol,
            "side": trade.side,
            "quantity": trade.quantity,
            "entry_price": trade.entry_price,
            "exit_price": trade.exit_price,
            "realized_pnl": trade.net_pnl_usd,
            "closed_at_ms": trade.closed_ms,
            **_given(
                confidence=trade.confidence,
                exchange=trade.exchange,
                entry_time_ms=trade.opened_ms,
                leverage=trade.leverage,
                position_size=trade.position_size,
            ),
        }
        for trade in recent.trades
    ]


def _trades_from_old(old: Json, as_of: int) -> live.RecentTrades:
    return live.RecentTrades(
        as_of,
        tuple(
            live.LiveTrade(
                symbol=str(one["symbol"]),
                side=str(one["side"]),
                quantity=Decimal(one["quantity"]),
                entry_price=Decimal(one["entry_price"]),
                exit_price=Decimal(one["exit_price"]),
                net_pnl_usd=Decimal(one["realized_pnl"]),
                closed_ms=int(one["closed_at_ms"]),
                opened_ms=one.get("entry_time_ms"),
                leverage=_decimal(one.get("leverage")),
                confidence=_decimal(one.get("confidence")),
                position_size=_decimal(one.get("position_size")),
                exchange=one.get("exchange"),
            )
            for one in ([] if old is None else old)
        ),
    )


def _analytics_to_old(field: str, found: live.Analytics) -> Json:
    return {
        "total_pnl_usd": found.net_pnl_usd,
        "total_pnl_pct": found.return_pct or 0,
        "sharpe_ratio": found.sharpe or 0,
        "win_rate": found.executed_share or 0,
        "total_trades": found.last_actions or 0,
        "max_drawdown_pct": found.max_drawdown_pct or 0,
        "updated_at_rfc3339": f"{datetime.fromtimestamp(found.as_of // US_PER_SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}",
    }


def _analytics_from_old(old: Json, as_of: int) -> live.Analytics:
    return live.Analytics(
        as_of=as_of,
        net_pnl_usd=Decimal(old["total_pnl_usd"]),
        return_pct=_float(old.get("total_pnl_pct")),
        sharpe=_float(old.get("sharpe_ratio")),
        max_drawdown_pct=_float(old.get("max_drawdown_pct")),
        executed_share=_float(old.get("win_rate")),
        last_actions=old.get("total_trades"),
    )


def _inception_to_old(field: str, found: live.SinceInception) -> Json:
    return {
        "total_pnl_usd": found.net_pnl_usd,
        "total_pnl_pct": found.return_pct or 0,
        "sharpe_ratio": found.sharpe or 0,
    }


def _inception_from_old(old: Json, as_of: int) -> live.SinceInception:
    return live.SinceInception(
        as_of=as_of,
        net_pnl_usd=Decimal(old["total_pnl_usd"]),
        return_pct=_float(old.get("total_pnl_pct")),
        sharpe=_float(old.get("sharpe_ratio")),
    )


def _decision_to_old(trader_id: str, last: live.DecisionLast) -> Json:
    return {
        TRADER: trader_id,
        "success": last.success,
        "timestamp_ms": last.decided_ms,
        "symbol": last.symbol or "",
        "action": last.action or "",
        "confidence": last.confidence or 0,
        **_given(error=last.error, config_version=last.config_version),
    }


def _decision_from_old(old: Json, as_of: int) -> live.DecisionLast:
    return live.DecisionLast(
        as_of=as_of,
        decided_ms=int(old["timestamp_ms"]),
        success=bool(old["success"]),
        symbol=old.get("symbol") or None,
        action=old.get("action") or None,
        confidence=_decimal(old.get("confidence") or None),
        error=old.get("error"),
        config_version=old.get("config_version"),
    )


PRICE = OldKey(keys.PRICE, "nof0:price:latest:", PRICE_SECONDS, _price_to_old, _price_from_old)
CONTEXT = OldKey(keys.MARKET_CTX, "nof0:market:ctx:", MINUTE, _context_to_old, _context_from_old)
POSITIONS = OldKey(keys.POSITIONS, "nof0:positions:", 30, _positions_to_old, _positions_from_old)
TRADES = OldKey(keys.TRADES_RECENT, "nof0:trades:recent:", MINUTE, _trades_to_old, _trades_from_old)
ANALYTICS = OldKey(keys.ANALYTICS, "nof0:analytics:", 10 * MINUTE, _analytics_to_old, _analytics_from_old)
INCEPTION = OldKey(keys.SINCE_INCEPTION, "nof0:since_inception:", 5 * MINUTE, _inception_to_old, _inception_from_old)
DECISION = OldKey(keys.DECISION_LAST, "nof0:decision:last:", MINUTE, _decision_to_old, _decision_from_old)
CONVERSATIONS_PREFIX, CONVERSATIONS_SECONDS = "nof0:conversations:", 5 * MINUTE

# A key that both layouts share by name and type (`nof0:market:asset:{provider}`) is in neither list.
STRINGS = (PRICE, CONTEXT, POSITIONS, TRADES, ANALYTICS, INCEPTION, DECISION)
OF_KEY = {old.key.name: old for old in STRINGS}
# What the clean-up removes; conversations and assets are settled apart.
PATTERNS = (*(f"{old.prefix}*" for old in STRINGS), PRICES_OF_ALL, LEADER, *UNUSED, "nof0:market:asset:*:*")
