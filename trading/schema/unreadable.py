"""A stored row that cannot be read by this release: which one, where in it, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from traders.schema.messages import TranslatableText, _, verbatim
from trading.schema.leaf import LARGEST

# A reason or a path may quote a stored value, which may be of any length.
MOST_CHARACTERS = 300
# The tables whose rows are read one by one.
TABLES = (
    *("trades", "positions", "decision_journal", "conversation_messages", "equity_snapshots"),
    *("trader_runtime_state", "trader_symbol_cooldowns", "version_results"),
)
# The range of Python's datetime, less a day at each end for time zones. PostgreSQL has a wider range, and infinity.
EARLIEST, LATEST = datetime(2, 1, 1, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
NO_FIGURE = _("must be a number of at most %(most)s", most=f"{LARGEST:,}")
NO_MOMENT_MS = _("must be milliseconds since 1970, of a year from 2010 to 2099")
NO_MOMENT = _("must be a moment of a year from 2 to 9999")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """`id` is the key of the row as text (`trader|time` for a key of two columns). `path` begins with the column
    (`detail.pnl.net`). `reason` completes '<path> ...'."""

    table: str
    id: str
    path: str
    reason: TranslatableText

    def __str__(self) -> str:
        return f"{self.table} {self.id}: {self.path} {self.reason}"


def cut(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"


def cut_message(text: TranslatableText) -> TranslatableText:
    """A text that is too long keeps its beginning in English."""
    return text if len(text) <= MOST_CHARACTERS else verbatim(cut(str(text)))


def cannot_be_used(error: Exception) -> TranslatableText:
    """For a row whose values are as declared and whose document or figures fail all the same."""
    return cut_message(_("cannot be used: %(error)s", error=f"{type(error).__name__}: {error}"))
