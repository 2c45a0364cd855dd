"""A cycle as engines write it into a file: the fields of their journal, so that `import_journal` reads it again."""

from __future__ import annotations

import hashlib
from typing import Any

from traders.schema import jsonio
from trading.schema.decision import Account, ActionTaken, Decision, DecisionDetail, HeldPosition, JournalEntry, Quote


def file_name(entry: JournalEntry, number: int) -> str:
    """The files of a trader sort by time."""
    return f"cycle_{entry.decided_at:%Y%m%d_%H%M%S}_{number:05d}.json"


def cycle_file(entry: JournalEntry, number: int) -> dict[str, Any]:
    """What is not known is left out."""
    detail = entry.detail
    found = {
        "timestamp": entry.decided_at.isoformat(),
        "trader_id": entry.trader_id,
        "config_version": entry.config_version,
        "cycle_number": number,
        "prompt_digest": _digest(detail),
        "cot_trace": detail.answer.reasoning if detail.answer else None,
        "decisions_json": jsonio.dumps([_decision(one) for one in detail.decisions]) if detail.decisions else None,
        "account_snapshot": _account(detail.account) if detail.account else None,
        "positions_snapshot": [_position(one) for one in detail.positions or ()],
        "candidates": list(detail.candidates or ()),
        "market_snap_digest": {one.symbol: _quote(one) for one in detail.market or ()},
        "actions": [_action(one) for one in detail.actions],
        "success": entry.success,
        "error_message": detail.error,
    }
    return {name: value for name, value in found.items() if value is not None}


def _digest(detail: DecisionDetail) -> str | None:
    text = detail.prompt.user_text if detail.prompt else None
    return hashlib.sha256(text.encode()).hexdigest() if text else None


def _decision(one: Decision) -> dict[str, Any]:
    """Spelled as engines spell it."""
    values = {
        "Symbol": one.symbol,
        "Action": one.action.value,
        "Leverage": one.leverage,
        "PositionSizeUSD": one.position_size_usd,
        "EntryPrice": one.entry_price,
        "StopLoss": one.stop_loss,
        "TakeProfit": one.take_profit,
        "Confidence": one.confidence,
        "RiskUSD": one.risk_usd,
        "Reasoning": one.reasoning,
        "InvalidationCondition": one.invalidation_condition,
    }
    return _known(values)


def _account(account: Account) -> dict[str, Any]:
    return _known(
        {
            "equity": account.equity_usd,
            "available": account.available_usd,
            "used_margin": account.used_margin_usd,
            "used_pct": account.used_margin_pct,
            "positions": account.positions,
        }
    )


def _position(held: HeldPosition) -> dict[str, Any]:
    return _known(
        {
            "symbol": held.symbol,
            "side": held.side.value,
            "qty": held.quantity,
            "lev": held.leverage,
            "entry": held.entry_price,
            "mark": held.mark_price,
            "upnl": held.unrealized_pnl,
            "liq": held.liquidation_price,
        }
    )


def _quote(quote: Quote) -> dict[str, Any]:
    return _known(
        {
            "price": quote.price,
            "chg1h": quote.change_1h,
            "chg4h": quote.change_4h,
            "oi_latest": quote.open_interest,
            "funding": quote.funding,
        }
    )


def _action(action: ActionTaken) -> dict[str, Any]:
    return _known(
        {
            "symbol": action.symbol,
            "action": action.action.value,
            "leverage": action.leverage,
            "position_size_usd": action.position_size_usd,
            "entry_price": action.entry_price,
            "stop_loss": action.stop_loss,
            "take_profit": action.take_profit,
            "confidence": action.confidence,
            "order_id": action.order_id,
            "result": "ok" if action.ok else "error",
            "error": action.error,
        }
    )


def _known(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
