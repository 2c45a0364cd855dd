"""What a filter of the record's lists matches, newest first, without counting rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q, QuerySet
from django.db.models.functions import Cast

from traders.database.apart import TookTooLong, time_limit
from traders.pages.keyset import stored_moment
from trading.models import COUNTED, SET_ASIDE

BATCH = 2_000
BATCH_LIMIT_MS = 60_000
NEIGHBOURS_LIMIT_MS = 500
ONLY_ASIDE, WITH_ASIDE = "only", "all"
NO_FUNDING = "no-funding"
"""The outcome of trades whose P&L is without funding that was due."""


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Empty means any. `version` 0 stands for before the first one; the period is [since, until).

    `trader` are ids. `outcome` is gain or loss of a position or trade, or NO_FUNDING of a trade; of a decision it is
    order, refused, failed or held, or `did`: none that held. `asked` are pairs that one of a decision's orders has,
    such as ("symbol", "BTC").
    `is_current` asks for the version that its trader has now, `person` for those that this actor made. `aside` is
    empty for rows that count (an `id` names its row in any case), `only` for those set aside, `all` for both.
    """

    id: str = ""
    trader: tuple[str, ...] = ()
    symbol: str = ""
    side: str = ""
    status: str = ""
    outcome: str = ""
    asked: tuple[tuple[str, str], ...] = ()
    version: int | None = None
    is_current: bool = False
    person: str = ""
    since: datetime | None = None
    until: datetime | None = None
    aside: str = ""

    @property
    def given(self) -> frozenset[str]:
        """The names of what is asked for."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return frozenset(name for name, value in values.items() if value not in ("", None, ()) and value is not False)


@dataclass(frozen=True)
class RecordTable:
    """How a table is browsed. `rows` are its rows without any filter; `order` begins with the column of time, newest
    first, and ends with the primary key; `in_ms` tells that the time is milliseconds since 1970.

    `conditions` are by the filter's names; a name with several conditions has them by value. `in_order` are the columns
    that an index keeps in order, for all traders and for one; by any other only the newest rows are sorted. `leaves`
    are the numbers of `detail` that rows can be sorted by.
    """

    rows: QuerySet[Any]
    order: tuple[str, str]
    conditions: Mapping[str, Callable[[Any], Q] | Mapping[str, Q]]
    in_ms: bool = True
    in_order: frozenset[str] = frozenset()
    leaves: Mapping[str, Any] = field(default_factory=dict)

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


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The names of the rows just after and just before in time; empty where there is none."""

    newer: str = ""
    older: str = ""


def neighbours(table: RecordTable, where: RecordFilter, row: Any) -> Neighbours:
    """Of the same trader, among the rows that match. None of them where that takes too long."""
    own = table.matching(replace(where, trader=(row.trader_id,), id="")).only("pk", "trader_id")
    at = getattr(row, table.at)
    try:
        with time_limit(NEIGHBOURS_LIMIT_MS):
            older = own.filter(_after(table, at, row.pk)).order_by(*table.order).first()
            newer = own.filter(_until(table, at, row.pk)).exclude(pk=row.pk).order_by(*table.order).last()
    except TookTooLong:
        return Neighbours()
    return Neighbours(newer.name if newer else "", older.name if older else "")


def newest(table: RecordTable, where: RecordFilter, most: int) -> Q | None:
    """The condition of the newest `most` rows that match; None where no more match."""
    last = table.matching(where).order_by(*table.order).values_list(table.at, "pk")[most - 1 : most + 1]
    found = list(last)
    return _until(table, *found[0]) if len(found) > 1 else None


def _after(table: RecordTable, at: Any, pk: Any) -> Q:
    """The rows behind this one. An index can begin at the first condition."""
    at = stored_moment(table.rows.model, table.at, at, pk)
    behind = "lt" if table.order[1].startswith("-") else "gt"
    return Q(**{f"{table.at}__lte": at}) & (Q(**{f"{table.at}__lt": at}) | Q(**{f"pk__{behind}": pk}))


def _until(table: RecordTable, at: Any, pk: Any) -> Q:
    """This row and those before it."""
    at = stored_moment(table.rows.model, table.at, at, pk)
    before = "gte" if table.order[1].startswith("-") else "lte"
    return Q(**{f"{table.at}__gte": at}) & (Q(**{f"{table.at}__gt": at}) | Q(**{f"pk__{before}": pk}))


def _aside(where: RecordFilter) -> Q:
    if where.aside == ONLY_ASIDE:
        return SET_ASIDE
    return Q() if where.aside or where.id else COUNTED
