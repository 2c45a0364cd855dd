"""What the description of the engine API says of operations: their names, and an example of each body by that name.

Each example is accepted by the server as it stands.
"""

from __future__ import annotations

from typing import Any

OPENED_MS = 1_767_225_600_000
CLOSED_MS = OPENED_MS + 5_400_000
NANOSECONDS_PER_MS = 1_000_000

# A function is named within its module, an operation within the whole API. A name that reads well there stays.
OPERATION_IDS = {
    "append": "add_decision",
    "held": "list_positions",
    "hold": "put_position",
    "close": "close_position",
    "reduce": "reduce_position",
    "increase": "increase_position",
    "plan": "change_plan",
    "traded": "record_trade",
    "correct": "correct_trade",
    "equity": "record_equity",
    "listed": "list_transfers",
    "reconcile": "reconcile_account",
    "moved": "record_transfer",
    "quoted": "set_prices",
    "open_alarms": "list_alarms",
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "ask_trader": {"kind": "stop", "reason": "it loses in this market", "once": "2026-01-08T10:30 stop"},
    "ask_fleet": {"kind": "stop", "reason": "the exchange halts its markets", "close_all": False},
    "reconcile_account": {
        "positions": [
            {
                "symbol": "BTC",
                "side": "long",
                "quantity": 0.5,
                "entry_price": 64000.5,
                "mark_price": 64210,
                "entry_time_ms": 1767866400000,
                "leverage": 5,
            }
        ],
        "orders": [{"symbol": "BTC", "id": "1004", "kind": "stop", "side": "long", "quantity": 0.5, "price": 62000}],
        "equity": 10250.5,
        "at_ms": 1767866460000,
    },
    "acknowledge_control": {"result": "done", "note": "no cycle runs any more", "at": "2026-01-08T10:30:01Z"},
    "replace_config": {
        "expected_version": 0,
        "reason": "a second trader for ETH",
        "config": {
            "exchange_provider": "paper_trading",
            "market_provider": "hyperliquid_testnet",
            "allocation_pct": 10,
            "detail": {
                "display_name": "ETH swing",
                # Prompts of etc/, stored by the first sync.
                "prompts": {
                    "system_template": "prompts/manager/majors_momentum.tmpl",
                    "system_version": "v1.0.0",
                    "system_sha256": "805783040afe4c1bae089a6b426b89edaa9e58bca23d7ca1118cb939ca3f9d13",
                    "executor_template": "prompts/executor/default_prompt.tmpl",
                    "executor_version": "v1.0.0",
                    "executor_sha256": "97c23aff4f131d442b8f869aa039204c7346d965b87ef469594a5f1c3f3ea042",
                },
                "llm": {"model": "deepseek-chat", "decision_interval_seconds": 180},
                "risk": {
                    "max_positions": 2,
                    "max_position_size_usd": 500,
                    "max_margin_usage_pct": 60,
                    "major_coin_leverage": 10,
                    "altcoin_leverage": 5,
                    "min_risk_reward_ratio": 2.5,
                    "min_confidence": 75,
                    "stop_loss_enabled": True,
                    "take_profit_enabled": True,
                },
            },
        },
    },
    "change_config": {
        "expected_version": 1,
        "reason": "calmer",
        "set": {"detail.risk.max_positions": 2},
    },
    "restore_version": {"expected_version": 2, "reason": "the change lost money", "version": 1, "keep": []},
    "report_runtime": {
        "active_config_version": 1,
        "is_running": True,
        "detail": {
            "decision": {"last_at": "2026-01-01T00:00:00Z", "next_at": "2026-01-01T00:03:00Z"},
            "allocation": {"equity_usd": 10250.5, "used_margin_usd": 1200, "available_margin_usd": 9050.5},
            "performance": {"sharpe_ratio": 1.25, "total_pnl_usd": 250.5},
        },
    },
    "send_heartbeat": {"active_config_version": 1, "is_running": True},
    "send_heartbeats": {
        "heartbeats": [
            {"trader_id": "majors_momentum", "active_config_version": 1, "is_running": True},
            {"trader_id": "range_reversion"},
        ]
    },
    "set_cooldown": {
        "symbol": "DOGE",
        "cooldown_until": "2026-01-01T06:00:00Z",
        "detail": {"reason": "three losses in a row", "consecutive_losses": 3, "last_loss_pnl": -12.5},
    },
    "add_decision": {
        "key": "2026-01-01T00:00:00Z-1",
        "config_version": 1,
        "decided_at": "2026-01-01T00:00:00Z",
        "success": True,
        "detail": {
            "answer": {"model": "deepseek-chat", "reasoning": "The uptrend holds above the 4 h average."},
            "decisions": [
                {
                    "symbol": "BTC",
                    "action": "open_long",
                    "leverage": 10,
                    "position_size_usd": 500,
                    "entry_price": 64000.5,
                    "stop_loss": 63000,
                    "take_profit": 67000,
                    "confidence": 80,
                    "risk_usd": 8,
                    "reasoning": "Higher lows since yesterday.",
                    "invalidation_condition": "A close below 63,000.",
                }
            ],
            "account": {"equity_usd": 10250.5, "available_usd": 9050.5, "positions": 0},
        },
        "messages": [
            {"role": "user", "content": "BTC 64000.5, funding 0.01 %. Decide."},
            {"role": "assistant", "content": "Open a long in BTC.", "sent_at": "2026-01-01T00:00:05Z"},
        ],
    },
    "put_position": {
        "symbol": "BTC",
        "side": "long",
        "entry": {"price": 64000.5, "quantity": 0.078, "time_ms": OPENED_MS, "leverage": 10},
        "exchange": {"provider": "paper_trading"},
        "orders": {"entry_oid": 1001, "tp_oid": 1002, "sl_oid": 1003},
        "exit_plan": {"tp_price": 67000, "sl_price": 63000, "invalidation_condition": "A close below 63,000."},
        "risk": {"confidence": 80, "risk_usd": 78},
    },
    "close_position": {
        "symbol": "BTC",
        "price": 65000,
        "closed_at_ns": CLOSED_MS * NANOSECONDS_PER_MS,
        "pnl": {"gross": 77.961, "commission": 4.5, "net": 73.461},
        "fills": [
            {
                "type": "exit",
                "order_id": 1004,
                "fill_id": 5004,
                "price": 65000,
                "quantity": 0.078,
                "commission": 4.5,
                "ts_ms": CLOSED_MS,
            }
        ],
    },
    "reduce_position": {"quantity": 0.02, "price": 64500, "at_ms": OPENED_MS + 600_000, "order_id": 1005},
    "increase_position": {"quantity": 0.02, "price": 63900, "at_ms": OPENED_MS + 600_000, "order_id": 1006},
    "change_plan": {"exit_plan": {"tp_price": 68000, "sl_price": 63500}, "at_ms": OPENED_MS + 600_000},
    "correct_trade": {
        "id": f"steady_long|ETH|{CLOSED_MS * NANOSECONDS_PER_MS}",
        "set": {"pnl.commission": 6.9, "pnl.net": 93.1},
        "reason": "the exchange's statement",
    },
    "correct_position": {
        "id": "steady_long|BTC",
        "set": {"entry.price": 64010.5, "entry.leverage": 5},
        "reason": "the exchange's statement",
    },
    # Its number is the answer of the request that added it.
    "correct_decision": {
        "id": 1,
        "set": {"success": False, "error": "the order was lost"},
        "reason": "the engine's log",
    },
    "correct_equity": {"ts_ms": CLOSED_MS, "set": {"equity_usd": 10160}, "reason": "the exchange's statement"},
    "record_transfer": {
        "id": "deposit-1",
        "kind": "deposit",
        "amount_usd": 500,
        "ts_ms": CLOSED_MS,
        "reason": "more capital",
    },
    "record_trade": {
        "symbol": "ETH",
        "side": "short",
        "closed_at_ns": CLOSED_MS * NANOSECONDS_PER_MS,
        "detail": {
            "time": {"open_ts_ms": OPENED_MS, "close_ts_ms": CLOSED_MS, "duration_seconds": 5400},
            "prices": {"avg_entry": 3300, "avg_exit": 3250},
            "quantity": {"total": 2},
            "pnl": {"gross": 100, "commission": 5.9, "net": 94.1},
            "risk": {"leverage": 5, "confidence": 70},
        },
    },
    "record_equity": {
        "points": [{"ts_ms": OPENED_MS, "equity_usd": 10000}, {"ts_ms": CLOSED_MS, "equity_usd": 10167.561}],
    },
    "acknowledge_alarm": {"until": "2030-01-01T00:00:00Z"},
    "set_prices": {
        "prices": {"BTC": {"price": 65000, "as_of_ms": CLOSED_MS}, "hyperliquid:ETH": {"price": 3250}},
    },
}
