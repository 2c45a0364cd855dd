"""Converts values to the texts of inputs and back."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from traders.schema.durations import format_duration, parse_duration
from traders.schema.settings.declare import Setting, SettingKind

_INTEGER = re.compile(r"[+-]?\d{1,30}")
_DECIMAL = re.compile(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})")
_TRUE, _FALSE = "true", "false"


def as_text(setting: Setting, value: Any) -> str:
    """The text of the input. A text stays as it is, so a wrong text is shown as it was typed."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _TRUE if value else _FALSE
    if isinstance(value, int) and setting.kind is SettingKind.DURATION:
        return format_duration(value)
    return plain_number(value) if isinstance(value, Decimal) else str(value)


def from_text(setting: Setting, text: str) -> Any:
    """The value that was typed; a text that is none of the setting's kind stays a text, for validation to refuse."""
    text = text.replace("\r\n", "\n").strip()
    if setting.kind is SettingKind.INTEGER:
        return int(text) if _INTEGER.fullmatch(text) and text.isascii() else text
    if setting.kind is SettingKind.DECIMAL:
        return Decimal(text) if _DECIMAL.fullmatch(text) and text.isascii() else text
    if setting.kind is SettingKind.DURATION:
        return _seconds(text)
    return text


def number_from(text: str) -> Decimal | None:
    """A factor or a percentage as it was typed, a percent sign left out; None for what is no number."""
    text = text.strip().removesuffix("%").rstrip()
    return Decimal(text) if _DECIMAL.fullmatch(text) and text.isascii() else None


def plain_number(value: Decimal) -> str:
    """Digits without exponent and without trailing zeros: 40.00 -> `40`, 1E+3 -> `1000`."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _seconds(text: str) -> Any:
    if _INTEGER.fullmatch(text) and text.isascii():
        return int(text)
    try:
        return parse_duration(text)
    except ValueError:
        return text
