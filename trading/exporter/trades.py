"""The last trades of each trader, each read and written out once: a trade never changes."""

from __future__ import annotations

from trading.documents.trades import trade_object
from trading.documents.wire import document, encode
from trading.repositories import export_trades
from trading.schema.trade import Trade

FEWEST_OF_EACH = 25


class TradeRows:
    """`most` is of the whole fleet, shared evenly; of each trader at least what a page about it shows."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._encoded: dict[str, bytes] = {}
        self.ids: tuple[str, ...] = ()
        self.new: list[Trade] = []

    def refresh(self, traders: int) -> None:
        """`new` are the trades that were not there the last time."""
        ids = export_trades.recent_ids(max(FEWEST_OF_EACH, self._most // max(traders, 1)))
        self.new = export_trades.by_ids([one for one in ids if one not in self._encoded])
        fresh = {trade.id: encode(trade_object(trade)) for trade in self.new}
        # Those that fell out are forgotten, so memory is that of the document.
        self._encoded = {one: fresh.get(one) or self._encoded[one] for one in ids}
        self.ids = tuple(ids)

    def render(self, as_of_ms: int) -> bytes:
        return document("trades", self._encoded.values(), serverTime=as_of_ms)
