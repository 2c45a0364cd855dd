"""Durations, kept as whole seconds: as manager.yaml writes them (Go's syntax), and in people's words."""

from __future__ import annotations

import re
from fractions import Fraction

from traders.schema.messages import TranslatableText, _, joined

_UNITS = {
    "ns": Fraction("1e-9"),
    "us": Fraction("1e-6"),
    "µs": Fraction("1e-6"),
    "μs": Fraction("1e-6"),
    "ms": Fraction("1e-3"),
    "s": Fraction(1),
    "m": Fraction(60),
    "h": Fraction(3600),
}
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")

_LONGEST = 40
_WORDS = ((86400, _("d")), (3600, _("h")), (60, _("min")), (1, _("s")))


def parse_duration(text: str) -> int:
    """`3m`, `1h30m`, `1.5h`, `90s` or a bare `0` -> seconds.

    Syntax: Go's time.ParseDuration without a sign. Raises ValueError saying what would be right.
    """
    text = text.strip()
    if text == "0":
        return 0
    if len(text) > _LONGEST or not _WHOLE.fullmatch(text):
        raise ValueError(_("is not a duration; write it like 45s, 3m or 1h30m"))
    seconds = sum((Fraction(number) * _UNITS[unit] for number, unit in _PART.findall(text)), Fraction(0))
    if seconds.denominator != 1:
        raise ValueError(_("is not a whole number of seconds"))
    return int(seconds)


def format_duration(seconds: int) -> str:
    """Seconds -> the shortest text that `parse_duration` reads back: 180 -> `3m`, 5400 -> `1h30m`."""
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [f"{number}{unit}" for number, unit in ((hours, "h"), (minutes, "m"), (seconds, "s")) if number]
    return "".join(parts) or "0s"


def duration_text(seconds: float, *, units: int = len(_WORDS)) -> TranslatableText:
    """For people, by the largest units: 180 -> `3 min`, 93,784 with two units -> `1 d 2 h`."""
    parts, rest = [], round(seconds)
    for size, unit in _WORDS:
        number, rest = divmod(rest, size)
        if number:
            parts.append(TranslatableText("%(number)s %(unit)s", number=number, unit=unit))
    return joined(" ", parts[:units]) if parts else _("0 s")
