"""What the record knows and controls need: open positions, the moment of the last equity, and differences with the
exchange. The record lies above this app and registers its functions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class PositionNow:
    """An open position that counts. `has_live_stop`: an order that stops its loss is known at the exchange.
    `is_against_control`: it was entered, or added to, while entries were banned."""

    id: str
    trader_id: str
    symbol: str
    side: str
    entry_time_ms: int
    notional_usd: Decimal | None
    has_live_stop: bool
    is_against_control: bool = False

    def named(self) -> dict[str, Any]:
        """As a close names it."""
        return {name: value for name, value in asdict(self).items() if name in ("id", "symbol", "entry_time_ms")}


Holding = Callable[[Collection[str] | None], Collection[str]]
Unsettled = Callable[[Collection[str]], Mapping[str, int]]
Positions = Callable[[Collection[str]], Mapping[str, list[PositionNow]]]
Equities = Callable[[Collection[str]], Mapping[str, datetime]]
_registered: list[tuple[Positions, Equities, Holding, Unsettled]] = []


def register(positions: Positions, equities: Equities, holding: Holding, unsettled: Unsettled) -> None:
    """`positions(trader_ids)` gives the open positions of those that have some, `equities(trader_ids)` the moment of
    the newest equity point of those that have one, `holding(trader_ids)` those that have an open position,
    `unsettled(trader_ids)` how many differences with the exchange are not settled, of those that have some."""
    _registered[:] = [(positions, equities, holding, unsettled)]


def holding(trader_ids: Collection[str] | None = None) -> Collection[str]:
    """The traders, of all or of these, that have an open position; empty also where no record is installed."""
    return _registered[0][2](trader_ids) if _registered else ()


def is_installed() -> bool:
    """Whether there is a record, so that a trader without an open position is flat."""
    return bool(_registered)


def open_positions(trader_ids: Collection[str]) -> dict[str, list[PositionNow]] | None:
    """Of each of these traders; None where no record is installed."""
    if not _registered:
        return None
    if not trader_ids:
        return {}
    found = _registered[0][0](trader_ids)
    return {trader_id: list(found.get(trader_id, ())) for trader_id in trader_ids}


def equity_moments(trader_ids: Collection[str]) -> Mapping[str, datetime]:
    return _registered[0][1](trader_ids) if _registered else {}


def unsettled_differences(trader_ids: Collection[str]) -> Mapping[str, int]:
    return _registered[0][3](trader_ids) if _registered else {}
