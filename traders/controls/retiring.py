"""A trader that is retired while it holds positions is drained, whoever retires it: page, sync, command or API."""

from __future__ import annotations

from collections.abc import Collection

from traders.controls import facts, services
from traders.controls.rules import WantedEffect
from traders.controls.services import Asked
from traders.controls.wanted import wanted_of
from traders.schema.controls.rows import ControlKind
from traders.schema.messages import _


def drain(trader_ids: Collection[str], actor: str) -> None:
    """Of these, that are retired by now: those that hold something and are not stopped. A stop is left, for a drain
    would let the trader decide again."""
    held = facts.open_positions(trader_ids) or {}
    states = wanted_of([name for name in trader_ids if held.get(name)])
    names = [name for name, state in states.items() if state.effect is not WantedEffect.STOPPED]
    if names:
        reason = str(_("retired with open positions"))
        services.control(ControlKind.DRAIN, names, Asked(reason=reason, actor=actor))
