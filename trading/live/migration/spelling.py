"""The exchange's spelling of the symbols that the old engine writes in capitals: KPEPE is kPEPE.

Symbols of prices and market data are spelled as their provider does, those of positions and decisions as the trader's
exchange does.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from django.db import Error
from msgspec import structs

from trading.live import queries as projection
from trading.live.migration import legacy
from trading.live.migration.legacy import OldKey
from trading.live.redis.store import OF_PROVIDERS
from trading.record.stored import symbols
from trading.schema.live_store import values as live
from trading.schema.live_store.quotes import Providers, names_of, read_field
from trading.schema.spelling import Spell, Spellings, as_it_came

# A new name is known so soon; the mirror looks a few times a second.
REFRESH_SECONDS = 10.0


@dataclass
class ExchangeSpelling:
    """Asks the database at most once in REFRESH_SECONDS; while it is away, known spellings stay."""

    _traders: dict[str, Providers] = field(default_factory=dict)
    _spellings: dict[str | None, Spellings] = field(default_factory=dict)
    _asked_at: float = float("-inf")

    def refresh(self) -> None:
        if time.monotonic() - self._asked_at < REFRESH_SECONDS:
            return
        self._asked_at = time.monotonic()
        try:
            traders = projection.providers()
            providers = (None, *sorted(names_of(traders)))
            self._spellings = {provider: symbols.spellings(provider) for provider in providers}
            self._traders = traders
        except Error:
            return

    def field(self, old: OldKey, name: str) -> str:
        """The field of a price or of market data; ids of traders stay."""
        if old.key not in OF_PROVIDERS:
            return name
        read = read_field(name, [provider for provider in self._spellings if provider is not None])
        symbol = self._of(read.provider)(read.symbol)
        return symbol if read.provider is None else f"{read.provider}:{symbol}"

    def value(self, old: OldKey, trader_id: str, value: Any) -> Any:
        """The value with the symbols in it respelled; the same object where the old layout names none."""
        if old is legacy.POSITIONS:
            held = {self._of_trader(trader_id, one)(symbol): one for symbol, one in value.positions.items()}
            return structs.replace(value, positions=held)
        if old is legacy.TRADES:
            trades = tuple(
                structs.replace(one, symbol=self._of_trader(trader_id, one)(one.symbol)) for one in value.trades
            )
            return structs.replace(value, trades=trades)
        if old is legacy.DECISION and value.symbol:
            return structs.replace(value, symbol=self._of_trader(trader_id)(value.symbol))
        return value

    def _of_trader(self, trader_id: str, one: live.LivePosition | live.LiveTrade | None = None) -> Spell:
        """The spelling of the exchange that the position or trade names, else of the trader's exchange."""
        if one is not None and one.exchange is not None and one.exchange in self._spellings:
            return self._of(one.exchange)
        standing = self._traders.get(trader_id)
        return self._of(standing.exchange if standing else None)

    def _of(self, provider: str | None) -> Spell:
        return self._spellings.get(provider, as_it_came)
