"""One change for many traders: sets a value, scales it, or caps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from traders.schema.messages import _
from traders.schema.paths import Flat
from traders.schema.settings.declare import Riskier, Setting, SettingKind
from traders.versions.bulk.rounding import Rounding, scaled


class BulkVerb(StrEnum):
    """The operations of a bulk edit on a path."""

    SET = _("set to")
    TIMES = _("multiply by")
    PERCENT = _("change by %")
    CAP = _("cap at")
    FLOOR = _("raise to at least")


@dataclass(frozen=True, slots=True)
class Operation:
    """`value` is a validated value for SET, else a number."""

    path: str
    do: BulkVerb
    value: Any


def is_numeric(setting: Setting) -> bool:
    """Whether a setting can be scaled and capped."""
    return setting.kind in (SettingKind.INTEGER, SettingKind.DECIMAL, SettingKind.DURATION)


def apply_operations(
    flat: Flat, operations: Sequence[Operation], settings: Mapping[str, Setting]
) -> tuple[Flat, tuple[Rounding, ...]]:
    """The whole configuration after all operations, in their order, not validated; and what was rounded on the way."""
    result, roundings = dict(flat), []
    for operation in operations:
        path = operation.path
        result[path], rounding = _applied(result.get(path), operation, settings.get(path))
        if rounding:
            roundings.append(rounding)
    return result, tuple(roundings)


def _applied(old: Any, operation: Operation, setting: Setting | None) -> tuple[Any, Rounding | None]:
    if operation.do is BulkVerb.SET:
        return operation.value, None
    number, value = Decimal(old), Decimal(operation.value)
    if operation.do in (BulkVerb.CAP, BulkVerb.FLOOR):
        limit = Decimal("Infinity") if _is_unlimited(number, setting) else number
        stays = limit <= value if operation.do is BulkVerb.CAP else limit >= value
        return (old if stays else operation.value), None
    factor = value if operation.do is BulkVerb.TIMES else 1 + value / 100
    return scaled(old, factor, setting, operation.path)


def _is_unlimited(number: Decimal, setting: Setting | None) -> bool:
    """Whether 0 switches off an upper limit, and so stands for any amount."""
    return setting is not None and setting.off_at_zero and setting.riskier is Riskier.HIGHER and number == 0
