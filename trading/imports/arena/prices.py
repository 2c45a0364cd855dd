"""crypto-prices.json: only its symbols are read. Prices come from the live provider."""

from __future__ import annotations

from traders.schema.jsonio import Json
from traders.schema.messages import _
from trading.imports.arena import fields
from trading.imports.arena.unreadable_file import shown
from trading.record.rules.errors import InvalidRecord

KEY = "prices"


def read_symbol(record: Json) -> str:
    """`record` is (key, price) of the object, or a price of a list. Raises InvalidRecord."""
    key, price = record if isinstance(record, tuple) else (None, record)
    symbol = fields.symbol(fields.require_object(price))
    if key is not None and key != symbol:
        raise InvalidRecord("symbol", _("is %(symbol)s, but its key is %(value)s", symbol=symbol, value=shown(key)))
    return symbol
