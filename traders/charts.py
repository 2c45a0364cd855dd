"""What a chart shows, as plain values. Tags of `charts` draw it; static/traders/charts.js adds the curves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

Number = Decimal | float | int | None
Style = Literal["line", "area", "step", "bars"]


@dataclass(frozen=True)
class Line:
    """One value for each time of its chart; None where there is none."""

    label: str
    values: Sequence[Number]
    style: Style = "line"


@dataclass(frozen=True)
class Mark:
    """Something that happened: a vertical line, whose `text` shows on hover and whose `url` opens on a click."""

    at: float  # seconds since 1970
    label: str
    text: str
    url: str
    is_risk: bool = False


@dataclass(frozen=True)
class TimeChart:
    """`times` are seconds since 1970, ascending. `summary` says in a sentence what the curve shows."""

    id: str
    title: str
    unit: str
    times: Sequence[float]
    lines: Sequence[Line]
    summary: str
    marks: Sequence[Mark] = field(default_factory=tuple)
    decimals: int = 2

    def __post_init__(self) -> None:
        for line in self.lines:
            if len(line.values) != len(self.times):
                raise ValueError(f"{self.id}: {line.label} has {len(line.values)} values for {len(self.times)} times")

    @property
    def drawing(self) -> dict[str, Any]:
        """What charts.js reads."""
        return {
            "title": self.title,
            "unit": self.unit,
            "decimals": self.decimals,
            "times": list(self.times),
            "lines": [
                {"label": line.label, "style": line.style, "values": [_finite(value) for value in line.values]}
                for line in self.lines
            ],
            "marks": [
                {"at": mark.at, "label": mark.label, "text": mark.text, "url": mark.url, "risk": mark.is_risk}
                for mark in self.marks
            ],
        }


@dataclass(frozen=True)
class Bar:
    label: str
    value: Decimal | None
    url: str = ""


@dataclass(frozen=True)
class BarList:
    """Horizontal bars around one zero, with their numbers."""

    title: str
    unit: str
    bars: Sequence[Bar]
    decimals: int = 2
    is_signed: bool = True

    @property
    def rows(self) -> list[tuple[Bar, str, float, float]]:
        """Each bar with its number in words, and where its bar starts and how wide it is, in percent of the track."""
        known = [bar.value for bar in self.bars if bar.value is not None and bar.value.is_finite()]
        lowest, highest = min([*known, Decimal(0)]), max([*known, Decimal(0)])
        span = highest - lowest
        return [(bar, self._words(bar.value), *_place(bar.value, lowest, span)) for bar in self.bars]

    def _words(self, value: Decimal | None) -> str:
        if value is None or not value.is_finite():
            return "–"
        sign = "+" if self.is_signed else ""
        return f"{value:{sign},.{self.decimals}f}".replace("-", "\N{MINUS SIGN}")


def _place(value: Decimal | None, lowest: Decimal, span: Decimal) -> tuple[float, float]:
    if value is None or not value.is_finite() or not span:
        return 0.0, 0.0
    start = (min(value, Decimal(0)) - lowest) / span
    return round(float(start) * 100, 2), round(float(abs(value) / span) * 100, 2)


def _finite(value: Number) -> float | None:
    if value is None:
        return None
    number = float(value)
    return number if math.isfinite(number) else None
