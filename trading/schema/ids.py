"""Ids of positions and trades. Each is a pure function of the record, so importing twice changes nothing."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from traders.schema.jsonio import canonical
from traders.schema.messages import _
from trading.schema.common import NANOSECONDS_PER_MS
from trading.schema.position import PositionDetail

DIGEST_DIGITS = 12
_CORRECTION = re.compile(r"\|c([1-9][0-9]{0,3})$")
# Of a bigint.
LARGEST_ID = 2**63 - 1


def trader_named_by(record_id: str) -> str:
    """The trader that the id of a trade or a position begins with. A trader's id holds no `|`."""
    return record_id.partition("|")[0]


def decision_name(trader_id: str, decision_id: int) -> str:
    """A decision with its trader, as addresses and commands name it: `steady_long|7`."""
    return f"{trader_id}|{decision_id}"


def read_decision_name(name: str) -> tuple[str | None, int]:
    """(trader, id of the decision); the trader is None where the number stands alone. Raises ValueError."""
    trader_id, bar, number = name.rpartition("|")
    if not (number.isascii() and number.isdigit()) or len(number) > len(str(LARGEST_ID)) or (bar and not trader_id):
        raise ValueError(_("must be the number of a decision, or TRADER|NUMBER, was %(name)s", name=repr(name)))
    return trader_id or None, int(number)


def open_position_id(trader_id: str, symbol: str) -> str:
    return f"{trader_id}|{symbol}"


def closed_position_id(trader_id: str, symbol: str, detail: PositionDetail) -> str:
    """Where a closed position goes when its symbol reopens. Raises ValueError for one that is not closed."""
    if detail.close is None:
        raise ValueError(_("the position is not closed"))
    order = detail.orders.entry_oid if detail.orders else None
    last = order if order is not None else short_digest(detail.stored())
    return f"{trader_id}|{symbol}|{detail.close.time_ms}|{last}"


def aside_position_id(trader_id: str, symbol: str, opened_ms: int, side: str) -> str:
    """Where an open position goes when it is set aside, so that its symbol can be opened again. The database builds
    the same text (`nof0_apply_exclusions`)."""
    return f"{trader_id}|{symbol}|{opened_ms}|{side}"


def trade_id(trader_id: str, symbol: str, closed_at_ns: int) -> str:
    """Of a trade that an engine records; it knows its close to the nanosecond."""
    return f"{trader_id}|{symbol}|{closed_at_ns}"


def imported_trade_id(
    trader_id: str, symbol: str, close_ts_ms: int, entry_fill_id: int | str | None, record: Any
) -> str:
    """In real data two trades of one trader and symbol close with the same fill at the same instant: the entry's
    fill tells them apart, and where there is none the record's digest."""
    last = entry_fill_id if entry_fill_id is not None else short_digest(record)
    return f"{trade_id(trader_id, symbol, close_ts_ms * NANOSECONDS_PER_MS)}|{last}"


def next_correction_id(name: str) -> str:
    """Of the row that replaces the one of this id (or key): `{id}|c1`, then `{id}|c2`."""
    return f"{corrected_root(name)}|c{correction_number(name) + 1}"


def corrected_root(name: str) -> str:
    """The id of the row that was wrong at first."""
    return _CORRECTION.sub("", name)


def correction_number(name: str) -> int:
    """0 of a row that corrects none."""
    found = _CORRECTION.search(name)
    return int(found[1]) if found else 0


def short_digest(record: Any) -> str:
    return hashlib.sha256(canonical(record).encode()).hexdigest()[:DIGEST_DIGITS]
