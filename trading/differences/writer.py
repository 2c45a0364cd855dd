"""Stores differences, and settles them: with what the exchange says written into the record, or left as it is."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from trading.differences import queries
from trading.differences.rules import DifferenceKind, FoundDifference, Settlement, is_same
from trading.models import ExchangeDifference
from trading.record.writing.locks import lock_record


@contextmanager
def at_once(trader_id: str) -> Iterator[None]:
    """While the block runs nothing else is recorded of the trader, and no other report is compared."""
    with transaction.atomic():
        lock_record([trader_id])
        yield


def keep(
    trader_id: str, found: Sequence[FoundDifference], *, compared: Collection[DifferenceKind], reported_by: str
) -> int:
    """Stores what a report found, inside `at_once`; how many are new. What a person dismissed and is the same still
    comes up no more. What the report lacks has agreed, of the kinds that it `compared`, and waits for a person all the
    same."""
    before, seen, new = queries.newest(trader_id), [], 0
    for one in found:
        row = before.get((one.kind, one.subject))
        if row is not None and row.settled_at is None:
            ExchangeDifference.objects.filter(pk=row.pk).update(detail=one.detail, seen_at=Now(), agreed_at=None)
        elif row is not None and row.settlement == Settlement.DISMISSED and is_same(row.detail, one):
            ExchangeDifference.objects.filter(pk=row.pk).update(seen_at=Now(), agreed_at=None)
        else:
            row, new = _insert(trader_id, one, reported_by), new + 1
        seen.append(row.pk)
    kinds = [kind.value for kind in compared]
    gone = ExchangeDifference.objects.filter(trader=trader_id, agreed_at__isnull=True, kind__in=kinds)
    gone.exclude(pk__in=seen).update(agreed_at=Now())
    return new


@contextmanager
def settling(difference_id: int, *, is_preview: bool = False) -> Iterator[ExchangeDifference]:
    """The row, locked with the record of its trader; a preview is rolled back. Raises UnknownDifference."""
    with at_once(queries.existing(difference_id).trader_id):
        yield queries.existing(difference_id, lock=True)
        if is_preview:
            transaction.set_rollback(True)


def settle(row: ExchangeDifference, how: Settlement, *, reason: str, actor: str, account_id: int | None) -> None:
    """Inside `settling`."""
    ExchangeDifference.objects.filter(pk=row.pk).update(
        settlement=how.value, settled_at=Now(), settled_by=actor, account_id=account_id, reason=reason
    )


def _insert(trader_id: str, one: FoundDifference, reported_by: str) -> ExchangeDifference:
    given: dict[str, Any] = {"symbol": one.symbol, "side": one.side.value if one.side else None, "detail": one.detail}
    kind = DifferenceKind(one.kind).value
    return ExchangeDifference.objects.create(
        trader_id=trader_id, kind=kind, subject=one.subject, reported_by=reported_by, **given
    )
