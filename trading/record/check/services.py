"""Reads every row of the record as readers do: finds rows that they leave out or read in part, and contradictions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import Any

from traders.schema.jsonio import loads_stored
from traders.schema.messages import TranslatableText, _
from traders.schema.moments import EARLIEST_MS, LATEST_MS
from traders.schema.runtime import CooldownDetail, ReportDetail, as_reported
from trading.analytics.queries import equity_problem
from trading.export.documents.conversations import conversation_item
from trading.export.documents.positions import position_object
from trading.export.documents.trades import trade_object
from trading.export.documents.wire import encode
from trading.record.check import queries as record_rules
from trading.record.check.queries import RecordRule
from trading.record.stored import stored_rows
from trading.record.stored.stored_rows import SOURCES, StoredRow
from trading.schema.common import Side
from trading.schema.decision import DecisionDetail, JournalEntry, RecordedDecision
from trading.schema.leaf import LARGEST
from trading.schema.message import MessageRole
from trading.schema.position import PositionDetail, PositionRecord, PositionStatus
from trading.schema.published import PublishedConversation
from trading.schema.tolerant import DetailReading, UnreadableLeaf, read
from trading.schema.trade import TradeDetail, TradeRecord
from trading.schema.unreadable import NO_FIGURE, NO_MOMENT, NO_MOMENT_MS, Unreadable, cannot_be_used

TABLES = tuple(SOURCES)
Problem = tuple[str, TranslatableText]
"""(path, reason)."""


class FindingKind(StrEnum):
    UNREADABLE = "unreadable"  # readers leave the row out
    UNKNOWN = "unknown"  # readers read it without this leaf
    RULE = "rule"  # it contradicts other rows, or a constraint that is younger


@dataclass(frozen=True, slots=True)
class Finding:
    kind: FindingKind
    table: str
    id: str
    path: str
    reason: TranslatableText

    def __str__(self) -> str:
        return " ".join(filter(None, (self.table, f"{self.id}:", self.path, self.reason)))


@dataclass(frozen=True, slots=True)
class CheckedRows:
    """A part of a table that was read, with its findings. `rows` 0: the findings of a rule."""

    table: str
    rows: int
    findings: list[Finding]


def check(tables: Collection[str] = TABLES) -> Iterator[CheckedRows]:
    """Checks every row of these tables, one batch in memory at a time, then the rules between rows."""
    for table in tables:
        for batch in stored_rows.every(SOURCES[table]):
            yield CheckedRows(table, len(batch), [one for row in batch for one in findings(table, row)])
    for rule in rules():
        if rule.table in tables:
            for row in violations(rule):
                yield CheckedRows(rule.table, 0, [Finding(FindingKind.RULE, row.table, row.id, row.path, row.reason)])


def rules() -> list[RecordRule]:
    """The rules between rows, and the constraints that PostgreSQL checks for new rows only."""
    return [*record_rules.RULES, *record_rules.rules_of_spread(), *record_rules.rules_of_constraints()]


def violations(rule: RecordRule) -> Iterator[Unreadable]:
    """The rows that break it. A rule whose query fails gives one row with the error."""
    return record_rules.violations_of(rule)


def repairable() -> int:
    """How many points of equity lack realized P&L that the record tells by now."""
    return record_rules.not_derived()


def validate_constraints() -> list[str]:
    """Validates the constraints of all tables that every row keeps. For each other one returns a line with rows
    that break it; correct them or set them aside first."""
    return [str(one) for one in record_rules.validated()]


def newest_unreadable(limit: int) -> list[Finding]:
    """The unreadable rows among the newest rows of each table."""
    return [
        one
        for table, source in SOURCES.items()
        for row in stored_rows.newest(source, limit)
        for one in findings(table, row)
        if one.kind is FindingKind.UNREADABLE
    ]


def findings(table: str, row: StoredRow) -> Iterator[Finding]:
    """The findings of one row."""
    row_id = row.id
    try:
        for leaf in _READ[table](row_id, **row.values):
            yield Finding(FindingKind.UNKNOWN, table, row_id, leaf, _("is not known to this release and is left out"))
    except UnreadableLeaf as refused:
        yield Finding(FindingKind.UNREADABLE, table, row_id, refused.path, refused.reason)
    except Exception as error:
        # The values are as declared, and a document that is made of them fails all the same.
        yield Finding(FindingKind.UNREADABLE, table, row_id, "", cannot_be_used(error))


def _trade(row_id: str, trader_id: str, symbol: str, side: str, close_ts_ms: int, detail: str) -> Iterator[str]:
    found = read(TradeDetail, loads_stored(detail))
    if found.detail.time.close_ts_ms != close_ts_ms:
        raise UnreadableLeaf("detail.time.close_ts_ms", _("must be close_ts_ms, %(ms)s", ms=close_ts_ms))
    encode(trade_object(TradeRecord(row_id, trader_id, symbol, Side(side), found.detail)))
    return _unknown(found)


def _position(
    row_id: str, trader_id: str, symbol: str, side: str, status: str, opened_ms: int, detail: str
) -> Iterator[str]:
    found = read(PositionDetail, loads_stored(detail))
    if found.detail.entry.time_ms != opened_ms:
        raise UnreadableLeaf("detail.entry.time_ms", _("must be opened_ms, %(ms)s", ms=opened_ms))
    encode(
        position_object(
            PositionRecord(row_id, trader_id, symbol, Side(side), PositionStatus(status), found.detail), None
        )
    )
    return _unknown(found)


def _decision(
    row_id: str,
    trader_id: str,
    config_version: int | None,
    cycle_number: int,
    decided_at: Any,
    success: bool,
    detail: str,
) -> Iterator[str]:
    if decided_at is None:
        raise UnreadableLeaf("decided_at", NO_MOMENT)
    found = read(DecisionDetail, loads_stored(detail))
    entry = JournalEntry(trader_id, config_version, decided_at, success, found.detail)
    conversation = PublishedConversation(trader_id, RecordedDecision(int(row_id), cycle_number, entry))
    encode(conversation_item(conversation, is_withheld=False))
    return _unknown(found)


def _message(row_id: str, role: str, is_dated: bool) -> Iterator[str]:
    if not is_dated:
        raise UnreadableLeaf("sent_at", NO_MOMENT)
    if role not in [*MessageRole]:
        raise UnreadableLeaf(
            "role", _("must be one of %(names)s, is %(value)s", names=", ".join(MessageRole), value=repr(role))
        )
    return iter(())


def _equity(row_id: str, equity_usd: Decimal, **parts: Decimal | None) -> Iterator[str]:
    if problem := equity_problem(int(row_id.rpartition("|")[2]), equity_usd):
        raise UnreadableLeaf(*problem)
    # The equity can be read; a part that is no number is shown as unknown.
    return (name for name, value in parts.items() if value is not None and not _is_figure(value))


def _dated_detail(kind: Any, column: str, row_id: str, is_dated: bool, detail: str) -> Iterator[str]:
    if not is_dated:
        raise UnreadableLeaf(column, NO_MOMENT)
    return _unknown(read(kind, as_reported(loads_stored(detail))))


def _result(
    row_id: str,
    net_pnl: Decimal,
    gross_pnl: Decimal,
    commission: Decimal,
    funding: Decimal,
    first_close_ms: int,
    last_close_ms: int,
) -> Iterator[str]:
    for name, value in (
        *(("net_pnl", net_pnl), ("gross_pnl", gross_pnl)),
        *(("commission", commission), ("funding", funding)),
    ):
        if not value.is_finite():
            raise UnreadableLeaf(name, NO_FIGURE)
    for name, moment in (("first_close_ms", first_close_ms), ("last_close_ms", last_close_ms)):
        if not EARLIEST_MS <= moment <= LATEST_MS:
            raise UnreadableLeaf(name, NO_MOMENT_MS)
    return iter(())


def _unknown(found: DetailReading[Any]) -> Iterator[str]:
    """Any action is accepted, also one that this release does not know."""
    return (leaf.path for leaf in found.unknown if not leaf.path.endswith(".action"))


def _is_figure(value: Decimal) -> bool:
    return value.is_finite() and abs(value) <= LARGEST


_READ: dict[str, Callable[..., Iterator[str]]] = {
    "trades": _trade,
    "positions": _position,
    "decision_journal": _decision,
    "conversation_messages": _message,
    "equity_snapshots": _equity,
    "trader_runtime_state": partial(_dated_detail, ReportDetail, "updated_at"),
    "trader_symbol_cooldowns": partial(_dated_detail, CooldownDetail, "cooldown_until"),
    "version_results": _result,
}
