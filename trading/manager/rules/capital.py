"""How much of the fleet's equity is a trader's, and what a new allocation moves."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal

from traders.schema.settings.trader import TraderSpec

CENT = Decimal("0.01")
HUNDRED = Decimal(100)


def capital_of(spec: TraderSpec, total_equity_usd: Decimal) -> Decimal:
    """In USD, to the cent: its paper capital, else its allocation of the fleet's equity."""
    own = spec.detail.paper_capital_usd
    whole = own or total_equity_usd * spec.allocation_pct / HUNDRED
    return Decimal(whole).quantize(CENT, ROUND_DOWN)


def moved_by(before: Decimal, after: Decimal, available: Decimal) -> Decimal:
    """What a version that changes a trader's capital moves: all of an increase, and of a decrease what is not bound as
    margin. Positive into the account."""
    difference = after - before
    return difference if difference >= 0 else -min(-difference, max(Decimal(0), available.quantize(CENT, ROUND_DOWN)))
