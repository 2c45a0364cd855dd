"""What an import did, or would do."""

from __future__ import annotations

from dataclasses import dataclass, field

from trading.record.stored.outcome import WriteOutcome


@dataclass
class TableReport:
    """`conflicts` met a record of the same id with other content; `skipped` is not of any trader; `set_aside`
    of the known count nowhere; `redacted` counts the secrets taken out of texts; `derived` is made of other records."""

    inserted: int = 0
    known: int = 0
    refused: int = 0
    conflicts: int = 0
    skipped: int = 0
    set_aside: int = 0
    redacted: int = 0
    derived: int = 0

    def add(self, outcome: WriteOutcome) -> None:
        self.inserted += outcome.inserted
        self.known += outcome.known
        self.set_aside += outcome.set_aside
        self.conflicts += len(outcome.conflicts_at)


@dataclass
class ImportReport:
    dry_run: bool
    tables: dict[str, TableReport] = field(default_factory=dict)
    traders_created: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0

    def table(self, name: str) -> TableReport:
        return self.tables.setdefault(name, TableReport())

    @property
    def accepted(self) -> int:
        return sum(table.inserted + table.known for table in self.tables.values())

    @property
    def rejected(self) -> int:
        return sum(table.refused + table.conflicts for table in self.tables.values())

    @property
    def redacted(self) -> int:
        return sum(table.redacted for table in self.tables.values())

    @property
    def rows_per_second(self) -> int:
        return round(self.accepted / self.seconds) if self.seconds else 0
