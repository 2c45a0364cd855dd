"""Scaled numbers keep the step of their setting: they are rounded toward less risk, and what was rounded is said."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, localcontext
from enum import StrEnum
from typing import Any

from traders.schema.messages import _
from traders.schema.settings.declare import Riskier, Setting, SettingKind

_PLACES = 4
"""Decimals of a setting that declares none."""
_DIGITS = 100
"""A typed factor has at most 60 digits, a stored number fewer than 40."""


class RoundedWhy(StrEnum):
    """Which of the values beside the exact one is stored."""

    LESS_RISK = _("rounded toward less risk")
    NEAREST = _("rounded to the nearest step")
    STAYS_ON = _("the smallest step, for 0 would switch the limit off")
    BOUND = _("the nearest value that is allowed")


@dataclass(frozen=True, slots=True)
class Rounding:
    """One scaled value that its setting cannot hold as it is. `exact` is the product, `stored` what is proposed."""

    path: str
    old: Any
    exact: Decimal
    stored: Any
    why: RoundedWhy


def scaled(old: Any, factor: Decimal, setting: Setting | None, path: str) -> tuple[Any, Rounding | None]:
    """`old` times `factor` in steps of the setting, and the rounding where there was one.

    A product that lies less than one step outside of the range is the bound of the range. What lies further outside
    stays there, and validation refuses it.
    """
    with localcontext(prec=_DIGITS):
        exact = Decimal(old) * factor
        step = _step(setting)
        number, why = _rounded(exact, step, setting)
        if setting is not None and setting.off_at_zero and not number and exact:
            number, why = step.copy_sign(exact), RoundedWhy.STAYS_ON
        bound = _bound(exact, number, step, setting)
        if bound is not None:
            number, why = bound, RoundedWhy.BOUND
    stored = int(number) if _is_whole(setting) else number
    return stored, None if number == exact else Rounding(path, old, exact, stored, why)


def _rounded(exact: Decimal, step: Decimal, setting: Setting | None) -> tuple[Decimal, RoundedWhy]:
    safer = {Riskier.HIGHER: ROUND_FLOOR, Riskier.LOWER: ROUND_CEILING}
    if setting is not None and setting.riskier in safer:
        return exact.quantize(step, safer[setting.riskier]), RoundedWhy.LESS_RISK
    return exact.quantize(step, ROUND_HALF_EVEN), RoundedWhy.NEAREST


def _bound(exact: Decimal, number: Decimal, step: Decimal, setting: Setting | None) -> Decimal | None:
    """The bound that `exact` misses by less than a step, or that rounding would pass; None where there is none."""
    if setting is None or number == exact:
        return None
    least, most = setting.minimum, setting.maximum
    if least is not None and setting.above_minimum:
        least += step
    if least is not None and least - step < exact < least:
        return least.quantize(step)
    if most is not None and most < exact < most + step:
        return most.quantize(step)
    return None


def _step(setting: Setting | None) -> Decimal:
    if _is_whole(setting):
        return Decimal(1)
    return Decimal(1).scaleb(
        -(_PLACES if setting is None or setting.decimal_places is None else setting.decimal_places)
    )


def _is_whole(setting: Setting | None) -> bool:
    return setting is not None and setting.kind in (SettingKind.INTEGER, SettingKind.DURATION)
