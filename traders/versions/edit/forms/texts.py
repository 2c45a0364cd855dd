"""Converts values to the texts of inputs and back."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from traders.schema.durations import format_duration, parse_duration
from traders.schema.settings.declare import Setting, SettingKind
from traders.words.typed import half_width, typed_duration, typed_number

# Names as people part them, the full-width marks included; one that holds such a mark itself stands in quotes.
_MARKS = r"\s,;，；、"
_NAMES = re.compile(rf'"((?:[^"]|"")+)"(?=[{_MARKS}]|$)|([^{_MARKS}]+)')
_NEEDS_QUOTES = re.compile(rf'[{_MARKS}]|^"')
_INTEGER = re.compile(r"[+-]?\d{1,30}")
_DECIMAL = re.compile(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})")
_TRUE, _FALSE = "true", "false"


def as_text(setting: Setting, value: Any) -> str:
    """The text of the input. A text stays as it is, so a wrong text is shown as it was typed."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _TRUE if value else _FALSE
    if isinstance(value, list):
        return " ".join(map(_as_name, value))
    if isinstance(value, int) and setting.kind is SettingKind.DURATION:
        return format_duration(value)
    return plain_number(value) if isinstance(value, Decimal) else str(value)


def from_text(setting: Setting, text: str) -> Any:
    """The typed value; a text that does not fit the setting's kind stays a text, and validation refuses it."""
    text = text.replace("\r\n", "\n").strip()
    if setting.kind is SettingKind.INTEGER:
        number = typed_number(text)
        return int(number) if _INTEGER.fullmatch(number) and number.isascii() else text
    if setting.kind is SettingKind.DECIMAL:
        number = typed_number(text)
        return Decimal(number) if _DECIMAL.fullmatch(number) and number.isascii() else text
    if setting.kind is SettingKind.DURATION:
        return _seconds(text)
    if setting.kind is SettingKind.SYMBOLS:
        return [quoted.replace('""', '"') or plain for quoted, plain in _NAMES.findall(text)]
    return text


def _as_name(value: Any) -> str:
    text = str(value)
    return '"{}"'.format(text.replace('"', '""')) if _NEEDS_QUOTES.search(text) else text


def number_from(text: str) -> Decimal | None:
    """A typed factor or percentage, without a percent sign; None for a text that is no number."""
    text = typed_number(half_width(text).strip().removesuffix("%"))
    return Decimal(text) if _DECIMAL.fullmatch(text) and text.isascii() else None


def plain_number(value: Decimal) -> str:
    """Digits without exponent and without trailing zeros: 40.00 -> `40`, 1E+3 -> `1000`."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _seconds(text: str) -> Any:
    typed = typed_duration(text)
    if _INTEGER.fullmatch(typed) and typed.isascii():
        return int(typed)
    try:
        return parse_duration(typed)
    except ValueError:
        return text
