"""One change for many traders: set a value, scale it, or hold it below a cap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from typing import Any

from traders.schema.messages import _
from traders.schema.paths import Flat
from traders.schema.settings.declare import Riskier, Setting, SettingKind


class Do(StrEnum):
    """What a bulk edit can do to a path."""

    SET = _("set to")
    TIMES = _("multiply by")
    PERCENT = _("change by %")
    CAP = _("cap at")
    FLOOR = _("raise to at least")


@dataclass(frozen=True, slots=True)
class Operation:
    """`value` is a validated value for SET, else a number."""

    path: str
    do: Do
    value: Any


def is_numeric(setting: Setting) -> bool:
    """Whether a setting can be scaled and capped."""
    return setting.kind in (SettingKind.INTEGER, SettingKind.DECIMAL, SettingKind.DURATION)


def apply_operations(flat: Flat, operations: Sequence[Operation], settings: Mapping[str, Setting]) -> Flat:
    """The whole configuration after all operations, in their order. Not validated."""
    result = dict(flat)
    for operation in operations:
        result[operation.path] = _applied(result.get(operation.path), operation, settings.get(operation.path))
    return result


def _applied(old: Any, operation: Operation, setting: Setting | None) -> Any:
    if operation.do is Do.SET:
        return operation.value
    number, value = Decimal(old), Decimal(operation.value)
    if operation.do in (Do.CAP, Do.FLOOR):
        limit = Decimal("Infinity") if _is_unlimited(number, setting) else number
        stays = limit <= value if operation.do is Do.CAP else limit >= value
        return old if stays else operation.value
    factor = value if operation.do is Do.TIMES else 1 + value / 100
    return _in_steps(number * factor, setting, is_off=not number or not factor)


def _is_unlimited(number: Decimal, setting: Setting | None) -> bool:
    """Whether 0 switches off an upper limit, and so stands for any amount."""
    return setting is not None and setting.off_at_zero and setting.riskier is Riskier.HIGHER and number == 0


def _in_steps(number: Decimal, setting: Setting | None, *, is_off: bool) -> Any:
    """Scaled numbers keep the precision of their setting: whole where it is whole, else its decimals.

    A limit that 0 would switch off is not rounded down to it: the smallest step is left.
    """
    is_whole = setting is not None and setting.kind in (SettingKind.INTEGER, SettingKind.DURATION)
    places = 0 if is_whole else 4 if setting is None or setting.decimal_places is None else setting.decimal_places
    step = Decimal(1).scaleb(-places)
    rounded = number.quantize(step, ROUND_HALF_EVEN)
    if setting is not None and setting.off_at_zero and not rounded and not is_off:
        rounded = step.copy_sign(number)
    return int(rounded) if is_whole else rounded
