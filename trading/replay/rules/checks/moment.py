"""The third input of a check, beside the decision and the settings, and its answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Self

from traders.schema.messages import TranslatableText, _
from traders.schema.settings.trader import TraderDetail
from trading.schema.decision import Account, Decision, DecisionDetail, HeldPosition, JournalCooldown, Quote


@dataclass(frozen=True, slots=True)
class DecisionMoment:
    """What was known when the decision was taken. None means not known, never "there is none".

    `opened` are the entries of the same cycle that passed before this decision.
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

    def after(self, done: Decision) -> DecisionMoment:
        """The moment after the decision passed. The margin that a close will free still counts as used."""
        if done.action.opens:
            return replace(self, opened=(*self.opened, done))
        if done.action.closes and self.positions is not None:
            left = [p for p in self.positions if (p.symbol, p.side) != (done.symbol, done.action.side)]
            return replace(self, positions=tuple(left))
        return self

    def quote(self, symbol: str) -> Quote | None:
        return next((quote for quote in self.market or () if quote.symbol == symbol), None)

    def increased(self, decision: Decision, settings: TraderDetail) -> HeldPosition | None:
        """The position that an entry increases: held on its side, where the settings allow it."""
        if not settings.risk.allow_increase or not decision.action.opens:
            return None
        same = ((held.symbol, held.side) == (decision.symbol, decision.action.side) for held in self.positions or ())
        return next((held for held, is_same in zip(self.positions or (), same, strict=True) if is_same), None)

    @property
    def equity(self) -> Decimal | None:
        return self.account.equity_usd if self.account else None


@dataclass(frozen=True, slots=True)
class CheckRefusal:
    """Why a rule refuses a decision. `setting` is the path of the setting that holds the limit, "" if none does.

    `missing` names the data without which the rule cannot be checked; then there is no value.
    """

    rule: str
    message: TranslatableText
    setting: str = ""
    limit: Any = None
    value: Any = None
    missing: str = ""


Check = Callable[[Decision, TraderDetail, DecisionMoment], CheckRefusal | None]
"""A pure function with the name of its rule. None: the decision passes."""

# Engines compute in binary fractions, so a value may miss a bound by this much.
TOLERANCE = Decimal("1e-9")


def unknown(rule: str, missing: TranslatableText, setting: str = "", limit: Any = None) -> CheckRefusal:
    message = _("cannot be checked: %(missing)s", missing=missing)
    return CheckRefusal(rule, message, setting, limit, missing=missing)


def ratio(a: Decimal, b: Decimal) -> Decimal | None:
    """a / b to four decimals. None if it is undefined or too large."""
    try:
        return round(a / b, 4)
    except (InvalidOperation, ZeroDivisionError):
        return None


def number(value: Any) -> str:
    """As messages show it: no exponent, no trailing zeros, at most eight decimals."""
    text = f"{value:,.8f}" if isinstance(value, Decimal) else f"{value:,}"
    return text.rstrip("0").rstrip(".") if "." in text else text
