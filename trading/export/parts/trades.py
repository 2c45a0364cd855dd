"""The last trades of each trader, each read and written out once: a trade never changes."""

from __future__ import annotations

from functools import partial

from trading.export.documents.trades import trade_object
from trading.export.documents.wire import document, encode, labelled
from trading.export.parts.labels import Labels
from trading.export.parts.published import published
from trading.export.queries import trades as export_trades
from trading.record.stored.unreadable import attempt, collected, note
from trading.schema.published import without_label
from trading.schema.trade import TradeRecord
from trading.schema.unreadable import Unreadable

FEWEST_OF_EACH = 25
# Readings in a row that may find further unreadable trades after some were left out.
MOST_READINGS = 20


class TradeRows:
    """`most` limits the whole fleet and is shared evenly; each trader has at least as many as a page about it shows."""

    def __init__(self, most: int) -> None:
        self._most = most
        # {trade: (its trader, its row)}
        self._encoded: dict[str, tuple[str, bytes]] = {}
        self._unreadable: dict[str, Unreadable] = {}
        self.ids: tuple[str, ...] = ()
        self.new: list[TradeRecord] = []

    def look_again(self) -> None:
        """Tries unreadable rows again: they may have been set aside."""
        self._unreadable = {}

    def refresh(self, traders: int) -> None:
        """`new` are the trades since the last call. Unreadable trades are noted each time, and older ones replace
        them."""
        of_each = max(FEWEST_OF_EACH, self._most // max(traders, 1))
        self.new = []
        fresh: dict[str, tuple[str, bytes]] = {}
        for _ in range(MOST_READINGS):
            ids = export_trades.recent_ids(of_each, but=self._unreadable)
            with collected() as found:
                new = export_trades.by_ids(
                    {one: owner for one, owner in ids.items() if one not in self._encoded and one not in fresh}
                )
                made = {trade.id: attempt("trades", trade.id, partial(_encoded, trade)) for trade in new}
            self.new += new
            fresh |= {trade.id: (trade.trader_id, row) for trade in new if (row := made[trade.id]) is not None}
            self._unreadable |= {row.id: row for row in found.values()}
            if not found:
                break
        # Those that fell out are forgotten, so memory is that of the document.
        self._encoded = {one: kept for one in ids if (kept := fresh.get(one) or self._encoded.get(one)) is not None}
        self.ids = tuple(self._encoded)
        for left_out in self._unreadable.values():
            note(left_out)
        export_trades.note_misdated()

    def render(self, labels: Labels, as_of_ms: int) -> bytes:
        rows = (labelled(row, labels[trader_id]) for trader_id, row in self._encoded.values())
        return document("trades", rows, serverTime=as_of_ms)


def _encoded(trade: TradeRecord) -> bytes:
    return encode(published(without_label(trade_object(trade)), f"trade {trade.id}"))
