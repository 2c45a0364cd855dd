"""Cooldowns of symbols, for engines and guards."""

from __future__ import annotations

from datetime import datetime

from traders.runtime import writer as runtime
from traders.runtime.cooldowns import writer as cooldowns
from traders.runtime.redaction import without_secrets
from traders.schema.runtime import Cooldown, CooldownDetail
from traders.versions.rules.errors import UnknownConfig


def extend(*, trader_id: str, symbol: str, until: datetime, detail: CooldownDetail) -> Cooldown:
    """The symbol's cooldown that holds after it: one that ends later stays, and so does what a person has set since
    the engine knew of this one. Secrets are taken out of its reason.

    Raises UnknownConfig.
    """
    clean, _ = without_secrets(detail, f"the cooldown of {trader_id} in {symbol}")
    cooldowns.extend(trader_id, symbol, until, clean.stored())
    found = cooldowns.stored(trader_id, symbol)
    if found is None:
        raise UnknownConfig(trader_id)
    return found


def holding(trader_id: str) -> list[Cooldown]:
    """Those that are not over, by symbol. Raises UnknownConfig."""
    if runtime.state(trader_id) is None:
        raise UnknownConfig(trader_id)
    return cooldowns.holding(trader_id)
