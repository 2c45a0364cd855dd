"""Where a guard stands: what is used of its limit, and what a breach means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from traders.schema.messages import MomentText, TranslatableText, _, verbatim
from trading.guards.rules.names import GUARDS, Guard, GuardName, LiftedBy


@dataclass(frozen=True, slots=True)
class GuardStanding:
    """`limit` 0: switched off. `used` None: nothing is known to compare. `share` is used of limit, 0 and more.

    `cause_key` names what a breach is about: the guard acts once on each. `pauses_until` None: until a person resumes.
    """

    name: GuardName
    limit: Decimal
    used: Decimal | None = None
    is_breached: bool = False
    cause_key: str = ""
    pauses_until: datetime | None = None
    note: TranslatableText | None = None

    @property
    def guard(self) -> Guard:
        return GUARDS[self.name]

    @property
    def is_on(self) -> bool:
        return self.limit > 0

    @property
    def share(self) -> float | None:
        return float(self.used / self.limit) if self.used is not None and self.limit > 0 else None

    @property
    def once(self) -> str:
        return f"{self.name.value}|{self.cause_key}"

    @property
    def figures(self) -> TranslatableText:
        """Used of limit: `250 USD of 500 USD (50 %)`."""
        limit = with_unit(self.limit, self.guard.unit)
        if not self.is_on or self.used is None:
            unknown = _("not known yet, limit %(limit)s", limit=limit)
            return unknown if self.is_on else _("off")
        used = with_unit(self.used, self.guard.unit)
        return _("%(used)s of %(limit)s (%(share)s %%)", used=used, limit=limit, share=f"{(self.share or 0) * 100:.0f}")

    @property
    def lifts(self) -> TranslatableText:
        return lifts_words(self.guard.lifted_by, self.pauses_until)

    @property
    def words(self) -> TranslatableText:
        """The figures, and what lifts the pause."""
        return _(
            "%(label)s %(used)s has reached the limit of %(limit)s; %(lifts)s",
            label=self.guard.label,
            used=with_unit(self.used or Decimal(0), self.guard.unit),
            limit=with_unit(self.limit, self.guard.unit),
            lifts=self.lifts,
        )


def lifts_words(lifted_by: LiftedBy, until: datetime | None) -> TranslatableText:
    if lifted_by is LiftedBy.NEXT_DAY and until is not None:
        return _(
            "it ends at %(until)s, or when a person resumes the trader",
            until=MomentText(until, has_seconds=False),
        )
    if lifted_by is LiftedBy.COOLDOWN:
        return _("it ends with the cooldown of the symbol")
    if lifted_by is LiftedBy.ITSELF:
        return _("it ends by itself below the limit")
    return _("it ends when a person resumes the trader")


def with_unit(value: Decimal, unit: str) -> TranslatableText:
    """For people: `250.5 USD`, `12.34 %`, `3`."""
    text = f"{value:,.2f}".rstrip("0").rstrip(".")
    return TranslatableText("%(number)s %(unit)s", number=text, unit=unit) if unit else verbatim(text)
