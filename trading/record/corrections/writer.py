"""A trade corrected by a new row, in one transaction with the entry that sets the old one aside.

Locks as `exclusions.writer` does, then the trader's record.
"""

from __future__ import annotations

from dataclasses import replace

from traders.schema.messages import _
from trading.models import Trade as TradeRow
from trading.record.exclusions import writer as exclusions
from trading.record.rules.errors import InvalidRecord, UnknownRecord
from trading.record.stored import rows
from trading.record.writing import trades
from trading.record.writing.locks import lock_record
from trading.schema.exclusion import ExclusionAction, RecordKey, RecordKind
from trading.schema.ids import corrected_root, correction_id
from trading.schema.trade import TradeRecord


def write(
    old_id: str, right: TradeRecord, *, reason: str, actor: str, account_id: int | None
) -> tuple[TradeRecord, bool]:
    """(the new row, whether it is new). The same correction again changes nothing. Raises UnknownRecord, RecordBusy,
    InvalidRecord where a later correction stands or nothing would change."""
    key = RecordKey(RecordKind.TRADE, old_id)
    with exclusions.locked():
        found = exclusions.lock_rows([key])
        if key not in found:
            raise UnknownRecord([str(key)])
        lock_record([right.trader_id])
        later = corrections_of(old_id)
        if later and later[-1].detail.model_copy(update={"corrects": None}) == right.detail:
            return later[-1], False
        if later and later[-1].id != old_id:
            raise InvalidRecord("id", _("was corrected already; correct %(id)s", id=later[-1].id))
        if trades.stored(old_id) == right:
            raise InvalidRecord("set", _("must change something"))
        new = replace(
            right,
            id=correction_id(old_id, len([one for one in later if one.detail.corrects]) + 1),
            detail=right.detail.model_copy(update={"corrects": old_id}),
        )
        trades.add(new)
        if found[key].exclusion_id is None:
            exclusions.write([found[key]], ExclusionAction.EXCLUDE, reason=reason, actor=actor, account_id=account_id)
    return new, True


def corrections_of(trade_id: str) -> list[TradeRecord]:
    """The corrections of a trade and of its corrections, in order."""
    root = corrected_root(trade_id)
    found = TradeRow.objects.filter(pk__startswith=f"{root}|c").values_list("pk", flat=True)
    ids = [one for one in found if corrected_root(one) == root and one != root]
    return sorted(rows.trades(rows.TRADES.filter(pk__in=ids)), key=lambda one: int(one.id.rpartition("|c")[2]))
