"""The public contract: every field of every document with its type. `None` beside a type: may be null."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

NUMBER: tuple[Any, ...] = (int, Decimal)
NUMBER_OR_NULL = (*NUMBER, type(None))
TEXT_OR_NULL = (str, type(None))
ID_OR_NULL = (int, str, type(None))

# Beside each trader's id, in addition to the contract's fields.
LABEL = {"display_name": str, "llm_model": TEXT_OR_NULL, "version": (int, type(None)), "color": str}
PRICE = {"symbol": str, "price": NUMBER, "timestamp": int}
POSITION = {
    "entry_oid": ID_OR_NULL,
    "risk_usd": NUMBER_OR_NULL,
    "confidence": NUMBER_OR_NULL,
    "index_col": (int, type(None)),
    "exit_plan": (dict, str),
    "entry_time": NUMBER,
    "symbol": str,
    "entry_price": NUMBER,
    "tp_oid": ID_OR_NULL,
    "margin": NUMBER_OR_NULL,
    "wait_for_fill": bool,
    "sl_oid": ID_OR_NULL,
    "oid": ID_OR_NULL,
    "current_price": NUMBER_OR_NULL,
    "closed_pnl": NUMBER_OR_NULL,
    "liquidation_price": NUMBER_OR_NULL,
    "commission": NUMBER_OR_NULL,
    "leverage": NUMBER_OR_NULL,
    "slippage": NUMBER_OR_NULL,
    "quantity": NUMBER,
    "unrealized_pnl": NUMBER_OR_NULL,
}
STALE_PRICE = {"price_is_stale": bool, "price_timestamp": int}
ACCOUNT = {
    "id": str,
    "model_id": str,
    "timestamp": NUMBER,
    "dollar_equity": NUMBER_OR_NULL,
    "realized_pnl": NUMBER_OR_NULL,
    "total_unrealized_pnl": NUMBER_OR_NULL,
    "cum_pnl_pct": NUMBER_OR_NULL,
    "sharpe_ratio": NUMBER_OR_NULL,
    "since_inception_hourly_marker": int,
    "since_inception_minute_marker": int,
    "positions": dict,
}
_END = {
    "price": NUMBER,
    "time": NUMBER,
    "human_time": str,
    "sz": NUMBER,
    "tid": ID_OR_NULL,
    "oid": ID_OR_NULL,
    "crossed": (bool, type(None)),
    "liquidation": object,
    "commission_dollars": NUMBER_OR_NULL,
    "closed_pnl": NUMBER_OR_NULL,
}
TRADE = {
    **dict.fromkeys(("id", "model_id", "symbol", "side", "trade_type", "trade_id"), str),
    "quantity": NUMBER,
    "leverage": NUMBER_OR_NULL,
    "confidence": NUMBER_OR_NULL,
    **{f"{end}_{name}": kind for end in ("entry", "exit") for name, kind in _END.items()},
    "exit_plan": dict,
    "realized_gross_pnl": NUMBER,
    "realized_net_pnl": NUMBER,
    "total_commission_dollars": NUMBER,
}
INCEPTION = {
    "id": str,
    "nav_since_inception": NUMBER_OR_NULL,
    "inception_date": NUMBER_OR_NULL,
    "num_invocations": int,
    "model_id": str,
}
LEADER = {
    "id": str,
    "num_trades": int,
    "sharpe": NUMBER_OR_NULL,
    "win_dollars": NUMBER,
    "num_losses": int,
    "lose_dollars": NUMBER,
    "return_pct": NUMBER_OR_NULL,
    "equity": NUMBER_OR_NULL,
    "num_wins": int,
}
TABLES = {
    "fee_pnl_moves_breakdown_table": 12,
    "winners_losers_breakdown_table": 13,
    "signals_breakdown_table": 34,
    "invocation_breakdown_table": 5,
    "longs_shorts_breakdown_table": 15,
    "overall_trades_overview_table": 13,
}
ANALYTICS = {
    "id": str,
    "model_id": str,
    "updated_at": NUMBER,
    "last_trade_exit_time": NUMBER_OR_NULL,
    "last_convo_timestamp": NUMBER_OR_NULL,
    "last_convo_doc_id": TEXT_OR_NULL,
    "last_trade_doc_id": TEXT_OR_NULL,
    **dict.fromkeys(TABLES, dict),
}
# `messages` and `model_id` are the contract's; dashboards read the others.
CONVERSATION = {
    "id": str,
    "model_id": str,
    "timestamp": NUMBER_OR_NULL,
    "inserted_at": NUMBER_OR_NULL,
    "cycle": (int, type(None)),
    "summary": TEXT_OR_NULL,
    "cot_trace_summary": TEXT_OR_NULL,
    "user_prompt": TEXT_OR_NULL,
    "cot_trace": TEXT_OR_NULL,
    "llm_response": dict,
    "messages": list,
    "decision": (dict, type(None)),
}
TAKEN = {
    "decided_at": str,
    "config_version": (int, type(None)),
    "success": bool,
    "messages": int,
    "has_reasoning": bool,
    "error": TEXT_OR_NULL,
    "decisions": list,
}
ANSWER = {
    "coin": str,
    "signal": str,
    **dict.fromkeys(("leverage", "profit_target", "stop_loss", "risk_usd", "confidence", "quantity"), NUMBER_OR_NULL),
    "invalidation_condition": TEXT_OR_NULL,
}


def assert_is(row: dict[str, Any], shape: dict[str, Any], *, but: frozenset[str] = frozenset()) -> None:
    """Exactly these fields, each of its type; `but` may be missing."""
    assert set(row) | but == set(shape) | but
    for name, value in row.items():
        kinds = shape[name] if isinstance(shape[name], tuple) else (shape[name],)
        assert isinstance(value, kinds), (name, value)
        assert not (isinstance(value, bool) and bool not in kinds and object not in kinds), (name, value)


def assert_documents(documents: dict[str, Any]) -> None:
    """`documents` is {name: decoded}, with numbers that have a fraction as Decimal."""
    prices, totals = documents["crypto-prices"], documents["account-totals"]
    assert set(prices) == {"prices", "serverTime"}
    for symbol, price in prices["prices"].items():
        assert_is(price, PRICE)
        assert price["symbol"] == symbol

    assert set(totals) == {"accountTotals", "lastHourlyMarkerRead", "serverTime"}
    rows = totals["accountTotals"]
    newest = {row["model_id"]: row for row in rows}
    for row in rows:
        is_benchmark = row["model_id"] == "buynhold_btc"
        is_newest = row is newest[row["model_id"]]
        shape = ACCOUNT | (LABEL if is_newest else {}) | ({"derived": bool} if "derived" in row else {})
        assert_is(row, shape, but=frozenset({"sharpe_ratio"} if is_benchmark else ()))
        _assert_held(row["positions"])
    assert [row["timestamp"] for row in rows] == sorted(row["timestamp"] for row in rows)
    markers = [row["since_inception_hourly_marker"] for row in rows]
    assert markers == sorted(markers)
    assert len({row["id"] for row in rows}) == len(rows)
    assert totals["lastHourlyMarkerRead"] == (markers[-1] if markers else 0)

    assert set(documents["positions"]) == {"accountTotals", "serverTime"}
    for row in documents["positions"]["accountTotals"]:
        assert_is(row, {"model_id": str, "positions": dict} | LABEL)
        _assert_held(row["positions"])

    assert set(documents["trades"]) == {"trades", "serverTime"}
    trades = documents["trades"]["trades"]
    for row in trades:
        assert_is(row, TRADE | LABEL, but=frozenset(set(row) - set(TRADE | LABEL)))
    assert [row["exit_time"] for row in trades] == sorted(row["exit_time"] for row in trades)

    assert set(documents["since-inception-values"]) == {"sinceInceptionValues", "serverTime"}
    for row in documents["since-inception-values"]["sinceInceptionValues"]:
        assert_is(row, INCEPTION | LABEL)

    assert set(documents["leaderboard"]) == {"leaderboard"}
    for row in documents["leaderboard"]["leaderboard"]:
        assert_is(row, LEADER | LABEL)
        assert row["lose_dollars"] <= 0 <= row["win_dollars"]

    assert set(documents["analytics"]) == {"analytics", "serverTime"}
    for row in documents["analytics"]["analytics"]:
        _assert_analytics(row)
        alone = documents[f"analytics/{row['model_id']}"]
        assert set(alone) == {"analytics", "serverTime"}
        assert alone["analytics"] == row

    assert set(documents["conversations"]) == {"conversations", "serverTime"}
    for row in documents["conversations"]["conversations"]:
        assert_is(row, CONVERSATION | LABEL)
        if row["decision"] is not None:
            assert_is(row["decision"], TAKEN)
        for symbol, answer in row["llm_response"].items():
            assert_is(answer, ANSWER)
            assert answer["coin"] == symbol
        for message in row["messages"]:
            assert {"role", "content"} <= set(message) <= {"role", "content", "timestamp"}


def _assert_held(held: dict[str, Any]) -> None:
    for symbol, position in held.items():
        shape = POSITION | (STALE_PRICE if "price_is_stale" in position else {})
        assert_is(position, shape)
        assert position["symbol"] == symbol
        assert position["confidence"] is None or 0 <= position["confidence"] <= 1


def _assert_analytics(row: dict[str, Any]) -> None:
    assert_is(row, ANALYTICS | LABEL)
    for name, fields in TABLES.items():
        assert len(row[name]) == fields
        assert all(isinstance(value, NUMBER_OR_NULL) for value in row[name].values())
