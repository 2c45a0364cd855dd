"""Money moved into or out of a trader's account, followed by the live store."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from decimal import Decimal

from traders.schema import moments
from traders.schema.messages import _
from traders.versions.reason import required_reason
from trading.analytics import queries as facts
from trading.live import services as live
from trading.record.followers import RecordedFact, RecordedKind, followed
from trading.record.rules.errors import InvalidRecord, UnknownTrader
from trading.record.transfers import writer
from trading.schema.facts import Transfer, TransferKind

_INTO = (TransferKind.INITIAL, TransferKind.DEPOSIT)


def transfer(
    *,
    trader_id: str,
    kind: TransferKind,
    amount: Decimal,
    ts_ms: int,
    reason: str,
    actor: str,
    transfer_id: str = "",
    to_trader_id: str = "",
    account_id: int | None = None,
) -> Transfer:
    """Records a transfer; the same id again changes nothing. Without an id the transfer's own content names it.

    `amount` in USD: of a deposit, a withdrawal and an internal transfer its size, of a correction with its sign. An
    internal transfer goes from `trader_id` to `to_trader_id`. Raises InvalidRecord, InvalidConfig for the reason,
    RecordConflict, UnknownTrader, ConcurrentRecord.
    """
    reason = required_reason(reason)
    for name in filter(None, (trader_id, to_trader_id)):
        if not facts.existing([name]):
            raise UnknownTrader(name)
    _require_moment(ts_ms)
    signed = _signed(kind, amount)
    if (kind is TransferKind.INTERNAL) is not bool(to_trader_id) or to_trader_id == trader_id:
        raise InvalidRecord("to_trader_id", _("must be another trader for an internal transfer, and for no other kind"))
    own_id = transfer_id or _id_of(trader_id, kind, signed, ts_ms, to_trader_id)
    made = Transfer(own_id, trader_id, ts_ms, signed, kind, reason, actor)
    rows = [made]
    if to_trader_id:
        rows.append(replace(made, trader_id=to_trader_id, amount=-signed))
    with followed() as tell:
        writer.add(rows, account_id)
        for row in rows:
            tell(RecordedFact(RecordedKind.TRANSFER, row.trader_id, row.ts_ms))
    live.changed(*(row.trader_id for row in rows))
    return made


def _signed(kind: TransferKind, amount: Decimal) -> Decimal:
    if not amount:
        raise InvalidRecord("amount_usd", _("must not be 0"))
    if kind is TransferKind.CORRECTION:
        return amount
    if amount < 0 and kind in _INTO:
        raise InvalidRecord("amount_usd", _("must be above 0 for this kind, was %(value)s", value=f"{amount:f}"))
    return abs(amount) if kind in _INTO else -abs(amount)


def _require_moment(ts_ms: int) -> None:
    """Raises InvalidRecord: a transfer that is yet to come would stand in every sum before it is made."""
    if not moments.EARLIEST_MS <= ts_ms <= moments.LATEST_MS:
        years = moments.YEARS
        raise InvalidRecord(
            "ts_ms", _("must be milliseconds since 1970, %(years)s, was %(value)s", years=years, value=ts_ms)
        )
    if (found := moments.ahead("ts_ms", ts_ms, moments.iso(ts_ms))) is not None:
        raise InvalidRecord("ts_ms", found.message)


def _id_of(trader_id: str, kind: TransferKind, amount: Decimal, ts_ms: int, to_trader_id: str) -> str:
    content = f"{trader_id}|{kind}|{amount.normalize():f}|{ts_ms}|{to_trader_id}"
    return hashlib.sha256(content.encode()).hexdigest()[:12]
