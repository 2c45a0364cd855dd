"""Row counts as a command prints them."""

from __future__ import annotations

from collections.abc import Mapping

WORDS = {
    "trader_config": "traders",
    "trader_config_versions": "versions",
    "decision_journal": "decisions",
    "conversation_messages": "messages",
    "positions": "positions",
    "trades": "trades",
    "equity_snapshots": "equity snapshots",
    "record_exclusions": "exclusions",
    "version_results": "results of versions",
    "trader_symbol_cooldowns": "cooldowns",
    "trader_runtime_state": "runtime states",
    "prompt_texts": "prompt texts",
    "yaml_base": "synced declarations",
    "sync_conflicts": "sync conflicts",
}


def counted(rows: Mapping[str, int]) -> str:
    """`6 traders, 31 versions`: in the order above, then what has no word."""
    order = [*WORDS, *sorted(rows.keys() - WORDS.keys())]
    return ", ".join(f"{rows[table]:,} {WORDS.get(table, table)}" for table in order if table in rows)
