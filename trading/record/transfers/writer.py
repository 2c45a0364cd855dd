"""Transfers are added, never changed: the one writer of `equity_transfers`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.db import IntegrityError, transaction

from traders.schema.messages import _
from trading.models import EquityTransfer
from trading.record.rules.errors import ConcurrentRecord, InitialTransferConflict, RecordConflict
from trading.record.stored.constraints import checked
from trading.record.stored.spread import judging
from trading.schema.facts import Transfer, TransferKind


def add(transfers: Sequence[Transfer], account_id: int | None = None) -> bool:
    """All of them or none; False when they are recorded already. The two rows of an internal transfer come together.

    Raises RecordConflict when an id is taken by another transfer, or the trader has its initial one already,
    UnknownTrader, ConcurrentRecord.
    """
    try:
        with transaction.atomic():
            return _added(transfers, account_id)
    except IntegrityError as error:
        raise ConcurrentRecord(
            _("the transfer %(id)s was recorded at the same moment", id=transfers[0].transfer_id)
        ) from error


def _added(transfers: Sequence[Transfer], account_id: int | None) -> bool:
    known = [_stored(one.transfer_id, one.trader_id) for one in transfers]
    for one, found in zip(transfers, known, strict=True):
        if found is not None and found != replace(one, actor=found.actor, reason=found.reason):
            raise RecordConflict(_("transfer"), one.transfer_id)
        if found is None and one.kind is TransferKind.INITIAL and _has_initial(one.trader_id):
            raise InitialTransferConflict(one.trader_id)
    if None not in known:
        return False
    for one in transfers:
        with checked(one.trader_id):
            EquityTransfer.objects.create(
                transfer_id=one.transfer_id,
                trader_id=one.trader_id,
                ts_ms=one.ts_ms,
                amount_usd=one.amount,
                kind=one.kind,
                reason=one.reason,
                actor=one.actor,
                account_id=account_id,
            )
    judging.explained({one.trader_id: [one.ts_ms] for one in transfers})
    return True


def _has_initial(trader_id: str) -> bool:
    return bool(EquityTransfer.objects.filter(trader=trader_id, kind=TransferKind.INITIAL).exists())


def _stored(transfer_id: str, trader_id: str) -> Transfer | None:
    row = EquityTransfer.objects.filter(transfer_id=transfer_id, trader=trader_id).first()
    if row is None:
        return None
    return Transfer(
        row.transfer_id, row.trader_id, row.ts_ms, row.amount_usd, TransferKind(row.kind), row.reason, row.actor
    )
