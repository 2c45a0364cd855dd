"""A row of `price_ticks` as a price."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from traders.schema.messages import _
from trading.imports.adopt.readers import values
from trading.imports.adopt.readers.values import Row
from trading.imports.arena.unreadable_file import shown
from trading.record.rules.errors import InvalidRecord

LONGEST_NAME = 200
# None would not compare.
NONE = float("-inf")


class PriceTick(NamedTuple):
    """In the order of the arrays of `price_history`. What the source does not say is None."""

    at_ms: int
    price: float
    volume: float | None = None
    open: float | None = None
    high: float | None = None
    low: float | None = None

    def __lt__(self, other: tuple[Any, ...]) -> bool:
        return _order(self) < _order(other)


def _order(tick: tuple[Any, ...]) -> tuple[float, ...]:
    return tuple(NONE if part is None else part for part in tick)


def read_tick(row: Row) -> tuple[str, str, str, PriceTick]:
    """(provider, symbol, interval, price). Raises InvalidRecord."""
    detail = row.get("detail")
    flat: Row = {**detail, **row} if isinstance(detail, dict) else row
    raw = flat.get("raw")
    candle: Mapping[str, Any] = raw if isinstance(raw, dict) else flat
    interval = _name(candle, "interval")
    provider = _name(flat, "provider") or _name(flat, "exchange_provider")
    if not provider:
        raise InvalidRecord("provider", _("is required"))
    priced = "price" if flat.get("price") is not None else "close"
    price = _finite(values.number(flat, priced), priced)
    at = values.moment_ms(flat, "ts_ms" if flat.get("ts_ms") is not None else "event_at")
    volume = flat if flat.get("volume") is not None else candle
    tick = PriceTick(
        at,
        price,
        *(_float(source, name) for source, name in ((volume, "volume"), (candle, "open"))),
        *(_float(candle, name) for name in ("high", "low")),
    )
    return provider, values.symbol(flat), interval, tick


def _name(row: Row, column: str) -> str:
    """Raises InvalidRecord for a text that the key of a day cannot hold."""
    found = values.text_or_none(row, column) or ""
    if len(found) > LONGEST_NAME:
        raise InvalidRecord(
            column, _("must have at most %(most)s characters, was %(count)s", most=LONGEST_NAME, count=len(found))
        )
    return found


def _float(row: Row, name: str) -> float | None:
    value = values.number_or_none(row, name)
    return None if value is None else _finite(value, name)


def _finite(value: Decimal, name: str) -> float:
    """Raises InvalidRecord: JSON has numbers that no float has."""
    found = float(value)
    if not math.isfinite(found):
        raise InvalidRecord(name, _("must be a finite number, was %(value)s", value=shown(value)))
    return found
