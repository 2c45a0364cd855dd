"""Cooldowns of symbols, for engines."""

from __future__ import annotations

from datetime import datetime

from traders.runtime import writer as runtime
from traders.runtime.cooldowns import writer as cooldowns
from traders.runtime.redaction import without_secrets
from traders.schema.runtime import Cooldown, CooldownDetail
from traders.versions.rules.errors import UnknownConfig


def put(*, trader_id: str, symbol: str, until: datetime, detail: CooldownDetail) -> Cooldown:
    """Replaces the symbol's cooldown, even if the stored one ends later. Secrets are taken out of its reason.

    Raises UnknownConfig.
    """
    clean, _ = without_secrets(detail, f"the cooldown of {trader_id} in {symbol}")
    if not cooldowns.put(trader_id, symbol, until, clean.stored()):
        raise UnknownConfig(trader_id)
    return Cooldown(trader_id, symbol, until, clean.stored())


def holding(trader_id: str) -> list[Cooldown]:
    """Those that are not over, by symbol. Raises UnknownConfig."""
    if runtime.state(trader_id) is None:
        raise UnknownConfig(trader_id)
    return cooldowns.holding(trader_id)
