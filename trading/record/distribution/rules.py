"""The spread form of the record, as facts: its tables, their keys, and what stands in for each trigger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FIRST = "trades"
"""The other tables are kept beside it: the rows of one trader are on one server."""
KEYS: Mapping[str, tuple[str, ...]] = {
    FIRST: ("trader_id", "id"),
    "positions": ("trader_id", "id"),
    "decision_journal": ("trader_id", "id"),
    "conversation_messages": ("trader_id", "id"),
    "equity_snapshots": ("trader_id", "ts_ms"),
    "version_results": ("trader_id", "entry_version"),
}
TABLES = tuple(KEYS)
# What stays on the first server, and whose triggers write rows of the spread tables.
LOCAL_TRIGGERS: Mapping[str, tuple[str, ...]] = {
    "record_exclusions": ("record_exclusions_apply",),
    "equity_transfers": ("equity_transfers_explain_equity",),
}
# The sums by which each table is proved the same before and after.
SUMS: Mapping[str, tuple[str, ...]] = {
    "trades": ("sum(net_pnl)", "sum(close_ts_ms)", "count(exclusion_id)"),
    "positions": ("sum(closed_pnl)", "sum(opened_ms)", "count(*) FILTER (WHERE status = 'open')"),
    "decision_journal": ("sum(cycle_number)", "sum(config_version)", "count(exclusion_id)"),
    "conversation_messages": ("sum(length(content))", "sum(decision_id)"),
    "equity_snapshots": ("sum(equity_usd)", "sum(ts_ms)", "count(*) FILTER (WHERE is_suspect)"),
    "version_results": ("sum(trades)", "sum(net_pnl)", "sum(entry_version)"),
}


@dataclass(frozen=True, slots=True)
class Twin:
    """What holds a trigger's rule where the trigger is gone. `writer` is a function of this program, as module and
    name; `check` a rule of `check_record`. Without a check the rule is about a change, which no row shows later."""

    writer: str = ""
    check: str = ""


# The functions of triggers that refuse a new row for what it holds. The second one lets a trade through that tells a
# moment of its position again; no position with such a moment is left in a record that is spread.
ROW_FUNCTIONS = ("nof0_refuse_row", "nof0_refuse_trade_ahead")
PRIVILEGES = "nof0site.hardening.rules"
MARKS = "marks are what the entries of record_exclusions say"
SUMS_RULE = "results of versions are the sums of their trades"
JUDGED = "suspect equity is judged as it stands"
# A trigger that refuses what a new row holds becomes a constraint of its table, and so a rule of `check_record` by its
# own name. Every other one has an entry here.
TWINS: Mapping[str, Twin] = {
    **{
        f"{table}_append_only": Twin(PRIVILEGES)
        for table in ("trades", "decision_journal", "conversation_messages", "record_exclusions", "equity_transfers")
    },
    **{f"{table}_never_updated": Twin(PRIVILEGES) for table in ("trades", "decision_journal")},
    "positions_never_deleted": Twin(PRIVILEGES),
    **{
        f"{table}_born_counted": Twin("trading.record.stored.spread.marks.entries_added", MARKS)
        for table in ("trades", "positions", "decision_journal", "equity_snapshots")
    },
    "record_exclusions_apply": Twin("trading.record.stored.spread.marks.entries_added", MARKS),
    "positions_set_aside": Twin("trading.record.writing.positions.rewrite", MARKS),
    "equity_snapshots_set_aside": Twin("trading.record.stored.spread.marks.entries_added", MARKS),
    "positions_stay_closed": Twin("trading.record.writing.positions.rewrite"),
    "positions_keep_events": Twin("trading.record.writing.positions.rewrite"),
    **{
        name: Twin("trading.record.stored.spread.results.trades_added", SUMS_RULE)
        for name in ("trades_version_results", "trades_version_results_funding")
    },
    **{
        name: Twin("trading.record.stored.spread.results.trade_marked", SUMS_RULE)
        for name in ("trades_move_version_results", "trades_move_version_results_funding")
    },
    "equity_snapshots_judged": Twin("trading.record.stored.spread.judging.equity_added", JUDGED),
    "equity_snapshots_judged_again": Twin("trading.record.stored.spread.judging.equity_changed", JUDGED),
    **{
        name: Twin("trading.record.stored.spread.judging.explained", JUDGED)
        for name in (
            "trades_explain_equity",
            "positions_explain_equity",
            "positions_changed_explain_equity",
            "equity_transfers_explain_equity",
        )
    },
}


@dataclass(frozen=True, slots=True)
class RowRule:
    """A rule that a trigger holds for new rows, as a condition of the row that breaks it. `name` is the constraint's.
    `is_update`: the trigger of the same rule for changed rows, for which the constraint stands in too."""

    table: str
    name: str
    trigger: str
    breaks: str


class NotSpreadable(Exception):
    """The record cannot be spread as this database is. The text says what to do."""
