"""How a trader's exchange spells a symbol. The trading record knows it; this app asks for it through a function that
the record registers."""

from __future__ import annotations

from collections.abc import Callable

Spelled = Callable[[str, str], str]
_registered: list[Spelled] = []


def register(spelled: Spelled) -> None:
    """`spelled(trader_id, symbol)` gives the exchange's spelling."""
    _registered[:] = [spelled]


def spelled(trader_id: str, symbol: str) -> str:
    """The name as it came where no record is installed."""
    return _registered[0](trader_id, symbol) if _registered else symbol
