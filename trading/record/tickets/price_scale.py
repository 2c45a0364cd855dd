"""Where a trade's prices lie between the lowest and the highest of its plan and its fills."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

HUNDRED = Decimal(100)


@dataclass(frozen=True)
class PriceMark:
    """`at` is per cent of the way from the lowest price to the highest."""

    kind: str
    label: str
    price: Decimal
    at: Decimal


@dataclass(frozen=True)
class PriceScale:
    """`marks` lowest first. `kind`, `left` and `width` are the way from entry to exit; empty while it is open."""

    marks: list[PriceMark]
    kind: str = ""
    left: Decimal = Decimal(0)
    width: Decimal = Decimal(0)


def price_scale(
    *, entry: Decimal, exit: Decimal | None, net: Decimal | None, plan: Mapping[str, Any]
) -> PriceScale | None:
    """None where there is only the entry to show."""
    named = (
        ("stop", _("stop-loss"), plan.get("sl_price")),
        ("entry", _("entry"), entry),
        ("exit", _("exit"), exit),
        ("target", _("take-profit"), plan.get("tp_price")),
    )
    known = sorted(((kind, label, Decimal(price)) for kind, label, price in named if price), key=lambda mark: mark[2])
    if len(known) < 2:
        return None
    low, high = known[0][2], known[-1][2]
    marks = [PriceMark(kind, label, price, _way(price, low, high)) for kind, label, price in known]
    ends = sorted(mark.at for mark in marks if mark.kind in ("entry", "exit"))
    if len(ends) < 2:
        return PriceScale(marks)
    return PriceScale(marks, "loss" if net is not None and net < 0 else "gain", ends[0], ends[1] - ends[0])


def _way(price: Decimal, low: Decimal, high: Decimal) -> Decimal:
    return (HUNDRED * (price - low) / ((high - low) or 1)).quantize(Decimal("0.01"))
