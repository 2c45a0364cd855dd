"""Cooldowns of symbols, for engines."""

from __future__ import annotations

from datetime import datetime

from traders.repositories import cooldowns, runtime
from traders.rules.errors import UnknownConfig
from traders.schema.runtime import Cooldown, CooldownDetail


def put(*, trader_id: str, symbol: str, until: datetime, detail: CooldownDetail) -> Cooldown:
    """Sets the symbol's cooldown, in the place of the one before, be it longer. Raises UnknownConfig."""
    if not cooldowns.put(trader_id, symbol, until, detail.stored()):
        raise UnknownConfig(trader_id)
    return Cooldown(trader_id, symbol, until, detail.stored())


def holding(trader_id: str) -> list[Cooldown]:
    """Those that are not over, by symbol. Raises UnknownConfig."""
    if runtime.state(trader_id) is None:
        raise UnknownConfig(trader_id)
    return cooldowns.holding(trader_id)
