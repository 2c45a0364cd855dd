"""A row of the record set aside: what can be, under which name, and what an entry of `record_exclusions` says."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from traders.schema.messages import MomentText, TranslatableText, _

# PostgreSQL's bigint has no longer ones.
_EQUITY_ID = re.compile(r"([^|]+)\|(-?[0-9]{1,18})", re.ASCII)


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
    """A row of the record. `id` is the row's own; of an equity point `{trader_id}|{ts_ms}`. `trader_id` is whose it is,
    where that is known."""

    kind: RecordKind
    id: str
    trader_id: str | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """As pages and commands name it: a decision with its trader, others by their id."""
        is_number = self.kind is RecordKind.DECISION and self.trader_id is not None
        return f"{self.trader_id}|{self.id}" if is_number else self.id

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


def named_key(kind: RecordKind, name: str) -> RecordKey:
    """Of a name as pages and commands have it: the id, of a decision also `{trader_id}|{id}`."""
    if kind is not RecordKind.DECISION:
        return RecordKey(kind, name)
    trader_id, _bar, number = name.rpartition("|")
    return RecordKey(kind, number, trader_id or None)


def key_of_decision(trader_id: str, decision_id: int) -> RecordKey:
    return RecordKey(RecordKind.DECISION, str(decision_id), trader_id)


def equity_id(trader_id: str, ts_ms: int) -> str:
    return f"{trader_id}|{ts_ms}"


def equity_key(name: str) -> tuple[str, int] | None:
    """(trader, milliseconds) of such an id; None for another text."""
    found = _EQUITY_ID.fullmatch(name)
    return (found[1], int(found[2])) if found else None


RECORD_WORDS: dict[RecordKind, TranslatableText] = {
    RecordKind.TRADE: _("trade"),
    RecordKind.POSITION: _("position"),
    RecordKind.DECISION: _("decision"),
    RecordKind.EQUITY: _("equity"),
}


@dataclass(frozen=True, slots=True)
class Exclusion:
    """An entry: who set the row aside or included it again, when, and why. `account_id` None: not from a page."""

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
        return RecordKey(self.kind, self.record_id, self.trader_id)

    @property
    def is_aside(self) -> bool:
        return self.action is ExclusionAction.EXCLUDE


def who_and_why(entry: Exclusion) -> TranslatableText:
    """`by mei on 2026-01-08 10:30 UTC: wrong price`."""
    when = MomentText(entry.at, has_seconds=False)
    return _("by %(who)s on %(when)s: %(why)s", who=entry.actor, when=when, why=entry.reason)
