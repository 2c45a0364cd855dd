"""A trader's positions and profit at a moment, read forward in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from demo.sample.prices import PricePath
from demo.sample.trips import Trip

STARTING_EQUITY = Decimal(10_000)


@dataclass
class Ledger:
    """`advance` to a moment, then read. `trips` are in order of their entries."""

    trips: Sequence[Trip]
    paths: Mapping[str, PricePath]
    realized: Decimal = Decimal(0)
    held: dict[str, Trip] = field(default_factory=dict)
    now_ms: int = 0
    _next: int = 0

    def advance(self, ts_ms: int) -> None:
        """Moves to a moment, before its events."""
        self.now_ms = ts_ms
        while self._next < len(self.trips) and self.trips[self._next].entry_ms < ts_ms:
            trip = self.trips[self._next]
            self._leave(trip.entry_ms)
            self.held[trip.symbol] = trip
            self.realized -= trip.entry_commission
            self._next += 1
        self._leave(ts_ms)

    @property
    def unrealized(self) -> Decimal:
        return sum(
            (trip.unrealized(self.paths[symbol].price(self.now_ms)) for symbol, trip in self.held.items()), Decimal(0)
        )

    @property
    def equity(self) -> Decimal:
        return STARTING_EQUITY + self.realized + self.unrealized

    @property
    def used_margin(self) -> Decimal:
        return sum((trip.notional / trip.leverage for trip in self.held.values()), Decimal(0))

    def _leave(self, ts_ms: int) -> None:
        for symbol, trip in list(self.held.items()):
            if trip.exit is not None and trip.exit.ts_ms < ts_ms:
                self.realized += trip.net + trip.entry_commission
                del self.held[symbol]
