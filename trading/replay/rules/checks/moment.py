"""What a check looks at beside the decision and the settings, and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Self

from traders.schema.settings.trader import TraderDetail
from trading.schema.decision import Account, Decision, DecisionDetail, HeldPosition, JournalCooldown, Quote


@dataclass(frozen=True, slots=True)
class Moment:
    """What was known when the decision was taken. None: not known, which never means 'there is none'.

    `opened` are the entries that the same cycle has let through before this decision.
    """

    decided_at: datetime
    account: Account | None = None
    positions: tuple[HeldPosition, ...] | None = None
    market: tuple[Quote, ...] | None = None
    candidates: tuple[str, ...] | None = None
    cooldowns: tuple[JournalCooldown, ...] | None = None
    opened: tuple[Decision, ...] = ()

    @classmethod
    def of(cls, decided_at: datetime, seen: DecisionDetail) -> Self:
        return cls(decided_at, seen.account, seen.positions, seen.market, seen.candidates, seen.cooldowns)

    def after(self, done: Decision) -> Moment:
        """Once the decision is let through. Margin that a close sets free is not counted before it is free."""
        if done.action.opens:
            return replace(self, opened=(*self.opened, done))
        if done.action.closes and self.positions is not None:
            left = [p for p in self.positions if (p.symbol, p.side) != (done.symbol, done.action.side)]
            return replace(self, positions=tuple(left))
        return self

    def quote(self, symbol: str) -> Quote | None:
        return next((quote for quote in self.market or () if quote.symbol == symbol), None)

    @property
    def equity(self) -> Decimal | None:
        return self.account.equity_usd if self.account else None


@dataclass(frozen=True, slots=True)
class CheckRefusal:
    """Why a rule holds a decision back. `setting` is the path of what sets the limit, "" where nothing does.

    `missing` names the data without which the rule cannot be answered; then there is no value.
    """

    rule: str
    message: str
    setting: str = ""
    limit: Any = None
    value: Any = None
    missing: str = ""


Check = Callable[[Decision, TraderDetail, Moment], CheckRefusal | None]
"""Pure. None: let through, by this rule. The name of the function is the name of the rule."""

# As engines allow it, which compute in binary fractions.
TOLERANCE = Decimal("1e-9")


def unknown(rule: str, missing: str, setting: str = "", limit: Any = None) -> CheckRefusal:
    return CheckRefusal(rule, f"cannot be checked: {missing}", setting, limit, missing=missing)


def ratio(a: Decimal, b: Decimal) -> Decimal | None:
    """For people, to four decimals. None where that has no meaning or no end of digits."""
    try:
        return round(a / b, 4)
    except (InvalidOperation, ZeroDivisionError):
        return None


def number(value: Any) -> str:
    """As messages show it: no exponent, no trailing zeros, at most eight decimals."""
    text = f"{value:,.8f}" if isinstance(value, Decimal) else f"{value:,}"
    return text.rstrip("0").rstrip(".") if "." in text else text
