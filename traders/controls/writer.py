"""Writes controls and acknowledgements. The database gives each its place, copies what is wanted, and announces it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction

from traders.controls.queries import as_control, by_once
from traders.database import sql
from traders.models import TraderControl, TraderControlAck
from traders.schema.actors import RESTORE
from traders.schema.controls.rows import AckResult, Control, NewControl

# More than any history loses between a backup and its restoration.
_LEAP = "SELECT setval('config_position_seq', last_value + 1000000) FROM config_position_seq"
STOP_OF_A_RESTORE = f"""
DO $stop$ BEGIN
    IF to_regclass('public.trader_controls') IS NOT NULL THEN
        INSERT INTO trader_controls (kind, reason, actor)
        VALUES ('stop', 'a backup was restored: compare open positions with the exchange, then release', '{RESTORE}');
    END IF;
END $stop$;
"""
"""For the transaction of a restore, so that no program reads the data without the stop. A backup of an old release has
no such table."""
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('nof0.controls'))"


@contextmanager
def locked_controls() -> Iterator[None]:
    """One transaction in which no other session writes controls. Who also needs `locked_fleet` takes that first; the
    lock is not the fleet's, so that a stop never waits for a sync."""
    with transaction.atomic():
        sql.values(_LOCK)
        yield


def leave_room_for_lost_positions() -> None:
    """No position that was given after the backup is given again: a cursor that holds one is refused from now on."""
    sql.values(_LEAP)


def write(control: NewControl) -> tuple[Control, bool]:
    """The row, and whether it is new: one of the same trader with the same `once` stands instead."""
    if control.once is not None and (before := by_once(control.trader_id, control.once)):
        return before, False
    row = TraderControl.objects.create(
        trader_id=control.trader_id,
        kind=control.kind.value,
        until=control.until,
        version=control.version,
        symbol=control.symbol,
        cause=control.cause,
        reason=control.reason,
        actor=control.actor,
        account_id=control.account_id,
        once=control.once,
        detail=dict(control.detail),
    )
    row.refresh_from_db()
    return as_control(row), True


def acknowledge(
    control_id: int, trader_id: str, *, result: AckResult, note: str, at: datetime, actor: str
) -> TraderControlAck:
    """The same said twice by the same engine is one row."""
    last = TraderControlAck.objects.filter(control=control_id, trader=trader_id).order_by("-id").first()
    if last is not None and (last.result, last.note, last.actor) == (result, note, actor):
        return last
    row = TraderControlAck.objects.create(
        control_id=control_id, trader_id=trader_id, result=result.value, note=note, at=at, actor=actor
    )
    row.refresh_from_db()
    return row


def acknowledge_done(done: Collection[tuple[int, str]], *, at: datetime, actor: str) -> None:
    rows = [
        TraderControlAck(control_id=control_id, trader_id=trader_id, result=AckResult.DONE.value, at=at, actor=actor)
        for control_id, trader_id in done
    ]
    TraderControlAck.objects.bulk_create(rows, batch_size=1000)
