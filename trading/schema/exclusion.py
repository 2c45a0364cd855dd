"""A row of the record set aside: what can be, under which name, and what an entry of `record_exclusions` says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


class RecordKind(StrEnum):
    TRADE = "trade"
    POSITION = "position"
    DECISION = "decision"
    EQUITY = "equity"

    @property
    def table(self) -> str:
        return TABLES[self]


TABLES = {
    RecordKind.TRADE: "trades",
    RecordKind.POSITION: "positions",
    RecordKind.DECISION: "decision_journal",
    RecordKind.EQUITY: "equity_snapshots",
}
KIND_OF_TABLE = {table: kind for kind, table in TABLES.items()}


class ExclusionAction(StrEnum):
    """EXCLUDE: the row no longer counts. INCLUDE: it counts again."""

    EXCLUDE = "exclude"
    INCLUDE = "include"


@dataclass(frozen=True, slots=True, order=True)
class RecordKey:
    """A row of the record. `id` is the row's own; of an equity point `{trader_id}|{ts_ms}`."""

    kind: RecordKind
    id: str

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


def equity_id(trader_id: str, ts_ms: int) -> str:
    return f"{trader_id}|{ts_ms}"


@dataclass(frozen=True, slots=True)
class Exclusion:
    """An entry: who set the row aside or took it back in, when, and why. `account_id` None: not from a page."""

    id: int
    kind: RecordKind
    record_id: str
    trader_id: str
    action: ExclusionAction
    reason: str
    actor: str
    account_id: int | None
    at: datetime

    @property
    def key(self) -> RecordKey:
        return RecordKey(self.kind, self.record_id)

    @property
    def is_aside(self) -> bool:
        return self.action is ExclusionAction.EXCLUDE


def who_and_why(entry: Exclusion) -> str:
    """`by mei on 2026-01-08 10:30 UTC: wrong price`."""
    return f"by {entry.actor} on {entry.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC: {entry.reason}"
