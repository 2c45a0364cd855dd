"""A stored row that cannot be read by this release: which one, where in it, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from trading.schema.leaf import LARGEST

# A reason or a path may quote what is stored, and that has no bound.
MOST_CHARACTERS = 300
# The tables whose rows are read one by one.
TABLES = (
    *("trades", "positions", "decision_journal", "conversation_messages", "equity_snapshots"),
    *("trader_runtime_state", "trader_symbol_cooldowns", "version_results"),
)
# What Python's datetime holds, a day off at either end for the zones; PostgreSQL holds more, and infinity.
EARLIEST, LATEST = datetime(2, 1, 1, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
NO_FIGURE = f"must be a number of at most {LARGEST:,}"
NO_MOMENT_MS = "must be milliseconds since 1970, of a year from 2010 to 2099"
NO_MOMENT = "must be a moment of a year from 2 to 9999"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """`id` is the row's key as text (`trader|time` where it has several columns), `path` is dotted from the column on
    (`detail.pnl.net`), `reason` completes '<path> ...'."""

    table: str
    id: str
    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.table} {self.id}: {self.path} {self.reason}"


def cut(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"
