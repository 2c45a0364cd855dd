"""Whether two trades of one trader and symbol, closed in the same millisecond, are one.

A trade may come twice by different ways: from the engine, from an export of our own, from an arena's files. Each way
keeps other leaves, so a trade is known by its fills and orders where both have them, else by side, moments, quantity
and prices. What else they say of P&L must then agree.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum, auto

from trading.schema.trade import FillType, TradeRecord

# Clocks of an exchange and of an engine differ by so much about one order.
ENTRY_TOLERANCE_MS = 1_000
# Sources round averages of several fills.
RELATIVE = Decimal("1e-6")
# P&L of one trade may differ by a cent, or by a millionth of what was traded.
_CENT = Decimal("0.01")


class Likeness(Enum):
    SAME = auto()
    CONTRADICTION = auto()
    OTHER = auto()


def likeness(known: TradeRecord, new: TradeRecord) -> Likeness:
    """Of two trades of one trader, symbol and close (ms)."""
    by_ids = _by_ids(known, new)
    if by_ids is Likeness.OTHER:
        return Likeness.OTHER
    if _has_same_figures(known, new, by_order=by_ids is Likeness.SAME):
        return Likeness.SAME if _has_same_pnl(known, new) else Likeness.CONTRADICTION
    if by_ids is Likeness.SAME or known.id == new.id:
        return Likeness.CONTRADICTION
    if known.side is not new.side or known.detail.time.open_ts_ms != new.detail.time.open_ts_ms:
        return Likeness.OTHER
    return Likeness.OTHER if known.detail.fills and new.detail.fills else Likeness.CONTRADICTION


def have_same_fills(known: TradeRecord, new: TradeRecord) -> bool | None:
    """By the ids of fills and orders; None where they share no kind of id."""
    found = _by_ids(known, new)
    return None if found is None else found is Likeness.SAME


def ids_of(trade: TradeRecord) -> dict[tuple[FillType, str], set[str]]:
    """{(end, fill_id or order_id): the ids}, without those that it has none of."""
    found = {(end, name): _ids(trade, end, name) for end in FillType for name in ("fill_id", "order_id")}
    return {kind: ids for kind, ids in found.items() if ids}


def _by_ids(known: TradeRecord, new: TradeRecord) -> Likeness | None:
    """OTHER as soon as one end has ids in common kinds but none in common; None where no end can be compared."""
    found = None
    for end in FillType:
        for name in ("fill_id", "order_id"):
            one, other = _ids(known, end, name), _ids(new, end, name)
            if not one or not other:
                continue
            if one.isdisjoint(other):
                return Likeness.OTHER
            found = Likeness.SAME
            break
    return found


def _ids(trade: TradeRecord, end: FillType, name: str) -> set[str]:
    """As texts: one source writes a number where another writes a text."""
    found = (getattr(fill, name) for fill in trade.detail.fills if fill.type is end)
    return {str(value) for value in found if value is not None}


def _has_same_figures(known: TradeRecord, new: TradeRecord, *, by_order: bool) -> bool:
    one, other = known.detail, new.detail
    apart_ms = abs(one.time.open_ts_ms - other.time.open_ts_ms)
    return (
        known.side is new.side
        and apart_ms <= (ENTRY_TOLERANCE_MS if by_order else 0)
        and is_near(one.quantity.total, other.quantity.total)
        and is_near(one.prices.avg_entry, other.prices.avg_entry)
        and is_near(one.prices.avg_exit, other.prices.avg_exit)
    )


def _has_same_pnl(known: TradeRecord, new: TradeRecord) -> bool:
    one, other = known.detail, new.detail
    allowed = max(_CENT, RELATIVE * one.prices.avg_entry * one.quantity.total)
    pairs = [(one.pnl.gross, other.pnl.gross), (one.pnl.net, other.pnl.net)]
    # A commission of 0 is also what stands where the source named none.
    if one.pnl.commission and other.pnl.commission:
        pairs.append((one.pnl.commission, other.pnl.commission))
    return all(abs(left - right) <= allowed for left, right in pairs)


def is_near(one: Decimal, other: Decimal) -> bool:
    """Whether two sources may mean one figure."""
    return abs(one - other) <= RELATIVE * max(abs(one), abs(other))
