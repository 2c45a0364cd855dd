"""The declared hot queries: for each index of the record the query that it was made for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from trading.record.stored.safe_sql import is_funding_unknown
from trading.record.writing import trades


@dataclass(frozen=True)
class Served:
    """A query with its parameters, and whether its index alone answers it."""

    query: str
    parameters: list[Any] = field(default_factory=list)
    from_index_alone: bool = False


def served(trader: str) -> dict[str, Served]:
    """{index: its query}, with this trader in the place of any."""
    return {
        "idx_differences_trader": Served(
            "SELECT * FROM exchange_differences WHERE trader_id = %s ORDER BY id DESC LIMIT 50", [trader]
        ),
        "exchange_differences_one_unsettled": Served(
            "SELECT id FROM exchange_differences WHERE trader_id = %s AND settled_at IS NULL", [trader]
        ),
        "idx_manager_orders_moving": Served(
            "SELECT * FROM manager_orders WHERE trader_id = %s AND NOT is_recorded", [trader]
        ),
        "idx_positions_trader_status": Served(
            "SELECT detail FROM positions WHERE trader_id = %s AND status = 'closed'", [trader]
        ),
        "idx_positions_symbol_open": Served(
            "SELECT id, trader_id, side FROM positions WHERE symbol = %s AND status = 'open' AND exclusion_id IS NULL",
            ["BTC"],
        ),
        "idx_positions_open_covering": Served(
            "SELECT symbol, side, quantity, entry_price, leverage FROM positions"
            " WHERE trader_id = %s AND status = 'open' AND exclusion_id IS NULL ORDER BY symbol",
            [trader],
            from_index_alone=True,
        ),
        "idx_positions_opened": Served("SELECT * FROM positions ORDER BY opened_ms DESC, id LIMIT 50"),
        "idx_positions_pnl": Served(
            "SELECT * FROM positions WHERE exclusion_id IS NULL AND closed_pnl IS NOT NULL"
            " ORDER BY closed_pnl DESC, id DESC LIMIT 51"
        ),
        "positions_one_open": Served(
            "SELECT id FROM positions"
            " WHERE trader_id = %s AND symbol = %s AND status = 'open' AND exclusion_id IS NULL",
            [trader, "ETH"],
        ),
        "idx_transfers_trader_time": Served(
            "SELECT amount_usd FROM equity_transfers WHERE trader_id = %s ORDER BY ts_ms", [trader]
        ),
        "idx_trades_recent_covering": Served(trades.RECENT, [trader, 100], from_index_alone=True),
        "idx_trades_version_results": Served(
            "SELECT close_ts_ms, net_pnl FROM trades"
            " WHERE trader_id = %s AND entry_version = %s AND exclusion_id IS NULL ORDER BY close_ts_ms",
            [trader, 4],
            from_index_alone=True,
        ),
        "idx_trades_pnl": Served(
            "SELECT * FROM trades WHERE exclusion_id IS NULL AND net_pnl IS NOT NULL"
            " ORDER BY net_pnl DESC, id DESC LIMIT 51"
        ),
        "idx_trades_time": Served("SELECT * FROM trades ORDER BY close_ts_ms DESC, id LIMIT 50"),
        "idx_trades_symbol_time": Served(
            "SELECT * FROM trades WHERE symbol = %s ORDER BY close_ts_ms DESC LIMIT 50", ["SOL"]
        ),
        "idx_version_results_net": Served("SELECT * FROM version_results ORDER BY net_pnl LIMIT 50"),
        "idx_journal_trader_time": Served(
            "SELECT detail FROM decision_journal WHERE trader_id = %s ORDER BY decided_at DESC LIMIT 50", [trader]
        ),
        "idx_journal_time": Served("SELECT detail FROM decision_journal ORDER BY decided_at DESC, id DESC LIMIT 50"),
        "idx_journal_did": Served(
            "SELECT id FROM decision_journal WHERE (has_order OR has_refusal OR NOT success) AND exclusion_id IS NULL"
            " ORDER BY decided_at DESC, id DESC LIMIT 51"
        ),
        "idx_journal_version": Served(
            "SELECT detail FROM decision_journal WHERE trader_id = %s AND config_version = %s", [trader, 2]
        ),
        "decision_journal_one_cycle": Served(
            "SELECT max(cycle_number) FROM decision_journal WHERE trader_id = %s", [trader]
        ),
        "decision_journal_one_entry_a_key": Served(
            "SELECT detail FROM decision_journal WHERE trader_id = %s AND entry_key = %s", [trader, "77"]
        ),
        "idx_messages_trader_time": Served(
            "SELECT content FROM conversation_messages WHERE trader_id = %s ORDER BY sent_at DESC LIMIT 50", [trader]
        ),
        "messages_one_a_place": Served(
            "SELECT content FROM conversation_messages WHERE trader_id = %s AND conversation = %s ORDER BY sequence",
            [trader, "cycle-1"],
        ),
        "idx_equity_time": Served(
            "SELECT equity_usd FROM equity_snapshots WHERE ts_ms >= %s", [1700000000000 + 29_900_000]
        ),
        "idx_equity_not_above_zero": Served(
            "SELECT ts_ms FROM equity_snapshots WHERE trader_id = %s AND equity_usd <= 0 ORDER BY ts_ms", [trader]
        ),
        "idx_equity_suspect": Served(
            "SELECT ts_ms FROM equity_snapshots"
            " WHERE trader_id = %s AND is_suspect AND ts_ms >= %s ORDER BY ts_ms LIMIT 1",
            [trader, 1700000000000],
        ),
        "idx_trades_set_aside": Served(
            "SELECT count(*) FROM trades WHERE trader_id = %s AND exclusion_id IS NOT NULL",
            [trader],
            from_index_alone=True,
        ),
        "idx_trades_funding_unknown": Served(
            "SELECT count(*) FROM trades WHERE trader_id = %s AND exclusion_id IS NULL AND"
            f" {is_funding_unknown('detail')} AND close_ts_ms >= %s",
            [trader, 1700000000000],
        ),
        "idx_positions_set_aside": Served(
            "SELECT count(*) FROM positions WHERE trader_id = %s AND exclusion_id IS NOT NULL", [trader]
        ),
        "idx_journal_set_aside": Served(
            "SELECT count(*) FROM decision_journal WHERE trader_id = %s AND exclusion_id IS NOT NULL", [trader]
        ),
        "idx_equity_set_aside": Served(
            "SELECT count(*) FROM equity_snapshots WHERE trader_id = %s AND exclusion_id IS NOT NULL", [trader]
        ),
        "idx_exclusions_record": Served(
            "SELECT * FROM record_exclusions WHERE kind = 'equity' AND record_id = %s ORDER BY id DESC",
            [f"{trader}|1700000060000"],
        ),
        "idx_deliveries_waiting": Served(
            "SELECT id FROM alarm_deliveries WHERE channel = %s AND status = 'waiting' ORDER BY next_at, id LIMIT 1",
            ["office"],
        ),
        "idx_deliveries_alarm": Served(
            "SELECT * FROM alarm_deliveries WHERE alarm_id = (SELECT min(id) FROM alarms) ORDER BY id"
        ),
        "idx_exclusions_trader": Served(
            "SELECT * FROM record_exclusions WHERE trader_id = %s ORDER BY id DESC", [trader]
        ),
    }
