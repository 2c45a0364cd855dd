"""Looking rows of the record up by their ids: with their trader, never by the id alone.

Where the tables are spread over servers by `trader_id`, a look by the id alone asks every server, and an index that
begins with the trader serves no other. `tests/architecture/test_lookups.py` holds that no other code does it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Self, TypeVar

from django.db import models

from trading.schema.ids import LARGEST_ID, trader_named_by

Id = str | int
M = TypeVar("M", bound=models.Model)


class RecordQuerySet(models.QuerySet[M]):
    """Of a table of the record whose rows have a trader and an id."""

    def named(self, ids: Collection[Id], trader_ids: Collection[str] | None = None) -> Self:
        """The rows of these ids, of `trader_ids` where the caller knows whose they are, else of their owners."""
        return self.filter(self.naming(ids, trader_ids))

    def one(self, record_id: Id, trader_id: str | None = None) -> M | None:
        """The row, or None; otherwise as `named`."""
        return self.named([record_id], None if trader_id is None else [trader_id]).first()

    def naming(self, ids: Collection[Id], trader_ids: Collection[str] | None = None) -> models.Q:
        """The condition of `named`."""
        possible = [one for one in ids if _is_possible(one)]
        owners = set(self.owners(possible).values()) if trader_ids is None else set(trader_ids)
        return models.Q(trader__in=owners, pk__in=possible)

    def owners(self, ids: Collection[Id]) -> dict[Id, str]:
        """{id: its trader} of the rows that exist. The id of a trade or position names its trader. A number does not,
        nor does an id that another program made in SQL: those alone are looked for among all traders."""
        possible = [one for one in ids if _is_possible(one)]
        every = self.model._base_manager
        named = {trader_named_by(one) for one in possible if isinstance(one, str)}
        found: dict[Id, str] = {}
        if named:
            found = dict(every.filter(trader__in=named, pk__in=possible).values_list("pk", "trader"))
        if rest := [one for one in possible if one not in found]:
            found |= dict(every.filter(pk__in=rest).values_list("pk", "trader"))
        return found


class RecordManager(models.Manager[M]):
    """The same of the whole table. Written out, because the type checker loses a manager that is made of a queryset."""

    def get_queryset(self) -> RecordQuerySet[M]:
        return RecordQuerySet(self.model, using=self._db)

    def named(self, ids: Collection[Id], trader_ids: Collection[str] | None = None) -> RecordQuerySet[M]:
        return self.get_queryset().named(ids, trader_ids)

    def one(self, record_id: Id, trader_id: str | None = None) -> M | None:
        return self.get_queryset().one(record_id, trader_id)

    def naming(self, ids: Collection[Id], trader_ids: Collection[str] | None = None) -> models.Q:
        return self.get_queryset().naming(ids, trader_ids)

    def owners(self, ids: Collection[Id]) -> dict[Id, str]:
        return self.get_queryset().owners(ids)


def _is_possible(record_id: Id) -> bool:
    """No text of the database holds a NUL, and no number is beyond eight bytes."""
    return "\0" not in record_id if isinstance(record_id, str) else abs(record_id) <= LARGEST_ID
