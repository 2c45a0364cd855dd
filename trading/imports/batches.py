"""The way of every record of the arena into its table: read, owned, copied, counted, or refused with its reason."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Generic, TypeVar

from traders.schema.jsonio import Json
from traders.schema.messages import _
from trading.imports.owners import Owners
from trading.imports.report import ImportReport
from trading.record.rules.errors import InvalidRecord, StrictImport
from trading.record.stored import symbols
from trading.record.stored.outcome import WriteOutcome
from trading.record.writing.clean import clean
from trading.schema.contract import TRADER
from trading.schema.reject import OnReject, Reject
from trading.schema.spelling import Spellings

BENCHMARKS = ("buynhold_btc",)
CONFLICT = "is recorded already with other content; nothing was changed"

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Candidate(Generic[Row]):
    """A record that was read; `index` is its place in the file, or the id of its row in a table; `field` is its place
    within the record of the file, where it is only a part."""

    index: int | str
    record: Json
    trader_id: str
    row: Row
    field: str = ""


class ImportContext:
    """What one import knows and counts while it goes on."""

    def __init__(
        self, *, report: ImportReport, owners: Owners, known: Collection[str], on_reject: OnReject, strict: bool
    ) -> None:
        self.report, self.owners = report, owners
        self.symbols = set(known)
        self.spell = Spellings(self.symbols, self.symbols)
        self.on_reject, self.strict = on_reject, strict
        # Traders of which equity came: what they had realized is derived once all files are read.
        self.with_equity: set[str] = set()
        # Whether account-totals.json is among the files.
        self.has_totals = False
        # When the files were served, as soon as one of them has said so.
        self.served_ms: int | None = None

    def record_symbols(self, names: Collection[str]) -> int:
        """How many were new."""
        new = symbols.add(names)
        if not self.symbols.issuperset(names):
            self.symbols |= set(names)
            self.spell = Spellings(self.symbols, self.symbols)
        self.report.table("symbols").inserted += new
        return new

    def learn(self, names: Collection[str]) -> None:
        """Records may name these; they are recorded once one does."""
        self.symbols |= set(names)
        self.spell = Spellings(self.symbols, self.symbols)

    def require_symbol(self, symbol: str) -> None:
        if symbol not in self.symbols:
            raise InvalidRecord(
                "symbol",
                _("is %(symbol)s, which is not known; if it is right, give --add-symbols %(symbol)s", symbol=symbol),
            )

    def is_benchmark(self, table: str, record: Json, field: str = TRADER) -> bool:
        """It is no trader: the owner of these records takes no decisions."""
        found = isinstance(record, dict) and record.get(field) in BENCHMARKS
        self.report.table(table).skipped += found
        return found

    def refuse(self, table: str, file: Path, index: int | str, error: InvalidRecord, record: Json) -> None:
        self.report.table(table).refused += 1
        self._reject(Reject(file.name, error.reason, index, error.field, record))

    def take(
        self,
        table: str,
        file: Path,
        candidates: Iterable[Candidate[Row]],
        copy: Callable[[Sequence[Row]], WriteOutcome],
        *,
        size: int,
        check: Callable[[Row], Row] = lambda row: row,
    ) -> None:
        """In batches; `check` looks at each row once its trader exists, and may raise InvalidRecord."""
        waiting = iter(candidates)
        while batch := list(islice(waiting, size)):
            good = list(self._checked(table, file, batch, check))
            outcome = copy([candidate.row for candidate in good])
            self.report.table(table).add(outcome)
            for place, name in zip(outcome.conflicts_at, outcome.conflicts, strict=True):
                at = good[place]
                self._reject(Reject(file.name, f"{name} {CONFLICT}".strip(), at.index, at.field, at.record))

    def _reject(self, reject: Reject) -> None:
        self.on_reject(reject)
        if self.strict:
            raise StrictImport(str(reject))

    def _checked(
        self, table: str, file: Path, batch: Sequence[Candidate[Row]], check: Callable[[Row], Row]
    ) -> Iterator[Candidate[Row]]:
        foreign = self.owners.refusals([candidate.trader_id for candidate in batch])
        for candidate in batch:
            try:
                if candidate.trader_id in foreign:
                    raise InvalidRecord(TRADER, foreign[candidate.trader_id])
                row, found = clean(check(candidate.row))
                self.report.table(table).redacted += len(found)
                yield replace(candidate, row=row)
            except InvalidRecord as error:
                where = InvalidRecord(".".join(filter(None, (candidate.field, error.field))), error.reason)
                self.refuse(table, file, candidate.index, where, candidate.record)
