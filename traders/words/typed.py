"""Numbers, durations and times as people type them. The API, commands and YAML take one way of writing each."""

from __future__ import annotations

import re
from decimal import Decimal

_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: " ", 0x2212: "-", 0x3001: ","}
# `2,500`, `12,345,678.90`, and the same with blanks or apostrophes. `2,5` and `25,00` are no such number: a comma
# that was meant for decimals is refused, and does not make the number ten times as large.
_GROUPED = re.compile(
    r"[+-]?[0-9]{1,3}(?:(?P<mark>[, '\u2019\u00a0\u202f])[0-9]{3})(?:(?P=mark)[0-9]{3})*(?:\.[0-9]*)?"
)
_PART = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*([a-z\u4e00-\u9fff]+)\s*,?\s*")
_SIGNS = str.maketrans("", "", ", '\u2019\u00a0\u202f")
_UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "\u79d2"), "s"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes", "\u5206", "\u5206\u949f"), "m"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "\u5c0f\u65f6"), "h"),
    **dict.fromkeys(("d", "day", "days", "\u5929"), "d"),
}


def half_width(text: str) -> str:
    """Full-width signs of Chinese and Japanese keyboards, as those of ASCII: `１０：３０` is 10:30."""
    return text.translate(_HALF_WIDTH)


def typed_number(text: str) -> str:
    """A typed number without the marks that part its thousands: `2,500` is 2500. Any other text comes back in half
    width."""
    text = half_width(text).strip()
    return text.translate(_SIGNS) if _GROUPED.fullmatch(text) else text


def typed_duration(text: str) -> str:
    """A typed duration as manager.yaml writes it: `5 min` is 5m, `1 h 30 min` is 1h30m, `2 days` is 48h. Any other text
    comes back in half width."""
    text = half_width(text).strip()
    parts, end = [], 0
    for found in _PART.finditer(text.lower()):
        unit = _UNITS.get(found[2])
        if found.start() != end or unit is None:
            return typed_number(text)
        parts.append(_days(found[1]) if unit == "d" else found[1] + unit)
        end = found.end()
    return "".join(parts) if parts and end == len(text) else typed_number(text)


def _days(number: str) -> str:
    """A day of a duration has 24 hours."""
    return f"{Decimal(number) * 24:f}h"
