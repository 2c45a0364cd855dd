"""What a filter of the record's lists matches, newest first, without counting rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q, QuerySet
from django.db.models.functions import Cast

from trading.models import COUNTED, SET_ASIDE
from trading.record.stored.bounded import time_limit

BATCH = 2_000
BATCH_LIMIT_MS = 60_000
ONLY_ASIDE, WITH_ASIDE = "only", "all"


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Empty means any. `version` 0 stands for before the first one; the period is [since, until).

    `outcome` is gain or loss of a position or trade, done or failed of a decision. `aside` is empty for rows that count
    (an `id` names its row in any case), `only` for those set aside, `all` for both.
    """

    id: str = ""
    trader: str = ""
    symbol: str = ""
    side: str = ""
    status: str = ""
    outcome: str = ""
    version: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    aside: str = ""

    @property
    def given(self) -> frozenset[str]:
        """The names of what is asked for."""
        return frozenset(name for name in self.__dataclass_fields__ if getattr(self, name) not in ("", None))


@dataclass(frozen=True)
class RecordTable:
    """How a table is browsed. `rows` are its rows without any filter; `order` begins with the column of time, newest
    first, and ends with the primary key; `in_ms` tells that the time is milliseconds since 1970.

    `conditions` are by the filter's names; a name with several conditions has them by value.
    """

    rows: QuerySet[Any]
    order: tuple[str, str]
    conditions: Mapping[str, Callable[[Any], Q] | Mapping[str, Q]]
    in_ms: bool = True

    @property
    def at(self) -> str:
        """The column of time."""
        return self.order[0].removeprefix("-")

    @property
    def name(self) -> str:
        return str(self.rows.model._meta.db_table)

    def matching(self, where: RecordFilter) -> QuerySet[Any]:
        """In no order. Names that the table has no condition for are ignored."""
        condition = _aside(where)
        for name in where.given & self.conditions.keys():
            tests, value = self.conditions[name], self._value(getattr(where, name))
            condition &= tests(value) if callable(tests) else tests[value]
        return self.rows.filter(condition)

    def _value(self, given: Any) -> Any:
        if isinstance(given, datetime) and self.in_ms:
            return round(given.timestamp() * 1000)
        return given


def batches(table: RecordTable, columns: Sequence[str], where: RecordFilter) -> Iterator[list[tuple[Any, ...]]]:
    """All matching rows, newest first, as (time, id, *columns, `detail` as JSON text). Each batch is a statement of its
    own, so that no cursor stays open while a browser reads. Raises TookTooLong."""
    ordered = table.matching(where).order_by(*table.order).annotate(detail_text=Cast("detail", models.TextField()))
    rows = ordered.values_list(table.at, "pk", *columns, "detail_text")
    found: list[tuple[Any, ...]] = []
    while True:
        following = rows.filter(_after(table, *found[-1][:2])) if found else rows
        with time_limit(BATCH_LIMIT_MS):
            found = list(following[:BATCH])
        if found:
            yield found
        if len(found) < BATCH:
            return


def _after(table: RecordTable, at: Any, pk: Any) -> Q:
    """The rows behind this one. An index can begin at the first condition."""
    behind = "lt" if table.order[1].startswith("-") else "gt"
    return Q(**{f"{table.at}__lte": at}) & (Q(**{f"{table.at}__lt": at}) | Q(**{f"pk__{behind}": pk}))


def _aside(where: RecordFilter) -> Q:
    if where.aside == ONLY_ASIDE:
        return SET_ASIDE
    return Q() if where.aside or where.id else COUNTED
