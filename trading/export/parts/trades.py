"""The last trades of each trader, each read and written out once: a trade never changes."""

from __future__ import annotations

from functools import partial

from trading.export.documents.trades import trade_object
from trading.export.documents.wire import document, encode
from trading.export.parts.published import published
from trading.export.queries import trades as export_trades
from trading.record.stored.unreadable import attempt, collected, note
from trading.schema.trade import TradeRecord
from trading.schema.unreadable import Unreadable

FEWEST_OF_EACH = 25
# Readings in a row that may find further unreadable trades in the place of those just left out.
MOST_READINGS = 20


class TradeRows:
    """`most` is of the whole fleet, shared evenly; of each trader at least what a page about it shows."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._encoded: dict[str, bytes] = {}
        self._unreadable: dict[str, Unreadable] = {}
        self.ids: tuple[str, ...] = ()
        self.new: list[TradeRecord] = []

    def look_again(self) -> None:
        """At those that could not be read: they may have been set aside."""
        self._unreadable = {}

    def refresh(self, traders: int) -> None:
        """`new` are the trades that were not there the last time. Those that cannot be read are noted each time, and
        older ones take their place."""
        of_each = max(FEWEST_OF_EACH, self._most // max(traders, 1))
        self.new = []
        fresh: dict[str, bytes] = {}
        for _ in range(MOST_READINGS):
            ids = export_trades.recent_ids(of_each, but=self._unreadable)
            with collected() as found:
                new = export_trades.by_ids([one for one in ids if one not in self._encoded and one not in fresh])
                made = {trade.id: attempt("trades", trade.id, partial(_encoded, trade)) for trade in new}
            self.new += new
            fresh |= {one: row for one, row in made.items() if row is not None}
            self._unreadable |= {row.id: row for row in found.values()}
            if not found:
                break
        # Those that fell out are forgotten, so memory is that of the document.
        self._encoded = {one: row for one in ids if (row := fresh.get(one) or self._encoded.get(one)) is not None}
        self.ids = tuple(self._encoded)
        for left_out in self._unreadable.values():
            note(left_out)
        export_trades.note_misdated()

    def render(self, as_of_ms: int) -> bytes:
        return document("trades", self._encoded.values(), serverTime=as_of_ms)


def _encoded(trade: TradeRecord) -> bytes:
    return encode(published(trade_object(trade), f"trade {trade.id}"))
