"""The trades of one trader, symbol and close (ms), found again by their content.

An engine may close thousands of trades in one millisecond. A newcomer is compared with those alone that can be it, or
can contradict it: `identity.likeness` says which those are, and this index finds them without looking at the others.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import product

from trading.record.rules.identity import RELATIVE, Likeness, ids_of, likeness
from trading.schema.trade import FillType, TradeRecord

IdKind = tuple[FillType, str]
"""An end of a trade, and `fill_id` or `order_id`."""
Ids = dict[IdKind, set[str]]
Cell = tuple[int, ...]

# Two figures that are near lie in one cell or in two beside each other: cells are wider than the tolerance.
_TOLERANCE = float(RELATIVE) * 1.01
_WIDTH = 2 * _TOLERANCE


class AlikeRecords:
    """Grows with what an import adds."""

    def __init__(self, trades: Sequence[TradeRecord] = ()) -> None:
        # By the kinds of ids that a trade has: which ids decide depends on what both have.
        self._groups: dict[frozenset[IdKind], _Group] = {}
        # Indexed at the first question: most trades are alone in their millisecond, and nobody asks about them.
        self._not_indexed = list(trades)

    def add(self, trade: TradeRecord) -> None:
        self._not_indexed.append(trade)

    def like(self, new: TradeRecord) -> tuple[Likeness, str]:
        """The same one, else one that contradicts, and its id: of a trade and its corrections one may say the same."""
        self._index()
        contradicted = None
        for known in self._candidates(new):
            found = likeness(known, new)
            if found is Likeness.SAME:
                return found, known.id
            if found is Likeness.CONTRADICTION and contradicted is None:
                contradicted = known.id
        return (Likeness.OTHER, "") if contradicted is None else (Likeness.CONTRADICTION, contradicted)

    def _index(self) -> None:
        for trade in self._not_indexed:
            ids = ids_of(trade)
            self._groups.setdefault(frozenset(ids), _Group()).add(trade, ids)
        self._not_indexed.clear()

    def _candidates(self, new: TradeRecord) -> Iterator[TradeRecord]:
        if not self._groups:
            return
        ids = ids_of(new)
        for kinds, group in self._groups.items():
            deciding = [kind for end in FillType if (kind := _deciding(end, kinds, ids))]
            if not deciding:
                yield from group.without_ids(new)
            elif len(deciding) == 1:
                yield from group.by_one_kind(new, deciding[0], ids)
            else:
                yield from min((group.sharing(kind, ids) for kind in deciding), key=len)


class _Group:
    """Trades with ids of the same kinds."""

    def __init__(self) -> None:
        self._sharing: defaultdict[tuple[IdKind, str], list[TradeRecord]] = defaultdict(list)
        self._near: defaultdict[object, list[TradeRecord]] = defaultdict(list)
        self._first: dict[object, TradeRecord] = {}

    def add(self, trade: TradeRecord, ids: Ids) -> None:
        entry = trade.side, trade.detail.time.open_ts_ms
        cell = tuple(math.floor(figure / _WIDTH) for figure in _figures(trade))
        self._near[*entry, cell].append(trade)
        self._first.setdefault((*entry, bool(trade.detail.fills)), trade)
        for kind, values in ids.items():
            for value in values:
                self._sharing[kind, value].append(trade)
                self._near[kind, value, cell].append(trade)

    def sharing(self, kind: IdKind, ids: Ids) -> list[TradeRecord]:
        return [trade for value in ids[kind] for trade in self._sharing.get((kind, value), ())]

    def by_one_kind(self, new: TradeRecord, kind: IdKind, ids: Ids) -> Iterator[TradeRecord]:
        """Any that shares an id is this one or contradicts it; the same one has near figures."""
        for value in ids[kind]:
            for cell in _cells(new):
                yield from self._near.get((kind, value, cell), ())
            yield from self._sharing.get((kind, value), ())[:1]

    def without_ids(self, new: TradeRecord) -> Iterator[TradeRecord]:
        """The same one has the side, the entry and near figures; of two of one entry that do not both have fills, one
        is the other or contradicts it."""
        entry = new.side, new.detail.time.open_ts_ms
        for cell in _cells(new):
            yield from self._near.get((*entry, cell), ())
        for has_fills in (False, True):
            known = self._first.get((*entry, has_fills))
            if known is not None and not (has_fills and new.detail.fills):
                yield known


def _deciding(end: FillType, kinds: frozenset[IdKind], ids: Ids) -> IdKind | None:
    """The first kind of id that both have at this end."""
    common = ((end, name) for name in ("fill_id", "order_id") if (end, name) in kinds and (end, name) in ids)
    return next(common, None)


def _figures(trade: TradeRecord) -> list[float]:
    """Logarithms, in which a relative tolerance is the same everywhere."""
    detail = trade.detail
    return [_log(value) for value in (detail.quantity.total, detail.prices.avg_entry, detail.prices.avg_exit)]


def _log(value: Decimal) -> float:
    return math.log(value) if value > 0 else 0.0


def _cells(trade: TradeRecord) -> Iterator[Cell]:
    """In which trades with near figures lie: at most two a figure."""
    sides = (
        sorted({math.floor((figure - _TOLERANCE) / _WIDTH), math.floor((figure + _TOLERANCE) / _WIDTH)})
        for figure in _figures(trade)
    )
    return product(*sides)
