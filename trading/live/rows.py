"""Rows of PostgreSQL as values of the live store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from trading.schema.live_store import values as live


def positions_of(as_of: int, rows: Iterable[Any]) -> live.Positions:
    return live.Positions(as_of, {row.symbol: position_of(row) for row in rows})


def position_of(row: Any) -> live.LivePosition:
    return live.LivePosition(
        side=row.side,
        quantity=row.quantity,
        entry_price=row.entry_price,
        leverage=row.leverage,
        confidence=row.confidence,
        risk_usd=row.risk_usd,
        opened_ms=row.opened_ms,
        updated_ms=row.updated_ms,
        exchange=row.exchange,
    )


def trade_of(row: Any) -> live.LiveTrade:
    return live.LiveTrade(
        symbol=row.symbol,
        side=row.side,
        quantity=row.quantity,
        entry_price=row.entry_price,
        exit_price=row.exit_price,
        net_pnl_usd=row.net_pnl_usd,
        closed_ms=row.closed_ms,
        id=row.id,
        opened_ms=row.opened_ms,
        leverage=row.leverage,
        confidence=row.confidence,
        exchange=row.exchange,
    )


def decision_of(as_of: int, row: Any) -> live.DecisionLast:
    return live.DecisionLast(
        as_of=as_of,
        decided_ms=row.decided_ms,
        success=row.success,
        symbol=row.symbol,
        action=row.action,
        confidence=row.confidence,
        error=row.error,
        config_version=row.config_version,
        id=row.id,
        cycle=row.cycle_number,
    )


def conversation_of(as_of: int, row: Any) -> live.Conversation:
    return live.Conversation(as_of, conversation=row.conversation, messages=row.messages, sent_ms=row.sent_ms)
