"""What one move knows while it goes on: the other database, how its rows are read, and the import that they go to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from traders.schema.messages import TranslatableText, _
from trading.imports.adopt.generations import DETAIL, LEGACY, SQUASHED
from trading.imports.adopt.readers import detail, legacy, squashed
from trading.imports.adopt.readers.values import Row, as_json
from trading.imports.adopt.source import Source
from trading.imports.adopt.statements import STATEMENTS, Statements
from trading.imports.batches import ImportContext
from trading.imports.report import ImportReport
from trading.record.rules.errors import InvalidRecord

Item = TypeVar("Item")

READERS: Mapping[str, ModuleType] = {LEGACY.code: legacy, DETAIL.code: detail, SQUASHED.code: squashed}
# What rows of trades are ordered by, whichever of the columns there are.
ORDER = ("exit_ts_ms", "close_ts_ms", "event_at", "id")


@dataclass
class MoveReport(ImportReport):
    """`closed` counts positions that were open here and are closed there; `repeated` rows that say again what another
    row of the source says, by table; `left_behind` is what has no place here; `traders_moved` came with their versions,
    of which `phantoms` changed nothing; `price_days` counts the days of prices of a symbol that were written."""

    source: str = ""
    generation: str = ""
    closed: int = 0
    repeated: Counter[str] = field(default_factory=Counter)
    left_behind: list[LeftColumn] = field(default_factory=list)
    traders_moved: list[str] = field(default_factory=list)
    phantoms: int = 0
    price_days: int = 0


@dataclass(frozen=True, slots=True)
class LeftColumn:
    """`rows` hold something in it."""

    table: str
    column: str
    rows: int
    reason: TranslatableText


@dataclass
class Move:
    """`ids` is {id there: id here} of the traders that are renamed; `with_history` are those whose versions here are
    the versions there. `apart` counts the rows whose column has a place with a decision alone, and that have none."""

    source: Source
    context: ImportContext
    report: MoveReport
    ids: Mapping[str, str]
    with_history: Collection[str] = ()
    apart: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def reader(self) -> Any:
        return READERS[self.source.generation.code]

    @property
    def statements(self) -> Statements:
        return STATEMENTS[self.source.generation.code]

    @property
    def has_conversations(self) -> bool:
        return all(self.source.has(table) for table in self.statements.tables)

    def refuse(self, table: str, row: Row, error: InvalidRecord, *, there: str = "") -> None:
        """A row of `there`, the table of the other database, where it has another name than `table` here."""
        self.context.refuse(table, Path(there or table), row_id(row), error, row)


class Repeated:
    """Trades whose `trade_id` more than one row has: the first one stands, equal ones are the same trade."""

    def __init__(self, source: Source) -> None:
        self._twice: frozenset[str] = frozenset()
        if source.has("trades", "trade_id"):
            found = source.rows(
                "SELECT trade_id FROM trades WHERE trade_id <> '' GROUP BY trade_id HAVING count(*) > 1"
            )
            self._twice = frozenset(row["trade_id"] for row in found)
        self._first: dict[tuple[Any, str], Mapping[str, Any]] = {}

    def is_repeated(self, row: Row) -> bool:
        """Raises InvalidRecord for another trade with the same `trade_id`."""
        name = row.get("trade_id")
        if name not in self._twice:
            return False
        content = {column: value for column, value in row.items() if column not in ("created_at", "updated_at")}
        first = self._first.setdefault((row.get("model_id"), str(name)), content)
        if first is content:
            return False
        if {**first, "id": None} == {**content, "id": None}:
            return True
        raise InvalidRecord(
            "trade_id", _("is that of another row, %(id)s, which says something else", id=repr(first.get("id")))
        )


def row_id(row: Row) -> str:
    return str(row.get("id", ""))


def whole(row: Row) -> dict[str, Any]:
    """A refused row as JSON can write it."""
    return {name: as_json(value) for name, value in row.items()}


def batches(items: Iterable[Item], size: int) -> Iterator[Sequence[Item]]:
    waiting = iter(items)
    while batch := list(islice(waiting, size)):
        yield batch
