"""Reads a scalar as the kind of its setting, never by its appearance."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any

from traders.manager_yaml.yaml.mappings import describe
from traders.manager_yaml.yaml.nodes import Node, Scalar, Sequence
from traders.schema.durations import parse_duration
from traders.schema.messages import MessageError, TranslatableText, _
from traders.schema.problems import expected
from traders.schema.settings.declare import Setting, SettingKind
from traders.schema.symbols import is_symbol

_LONGEST_NUMBER = 60
NUMBER = re.compile(r"[-+]?(?:0|[1-9][0-9]*|(?=\.[0-9]))(?:\.[0-9]*)?(?:[eE][-+]?[0-9]{1,2})?")
_LEADING_ZEROS = re.compile(r"[-+]?0+([0-9]+(?:\.[0-9]*)?)")
_SEPARATED = re.compile(r"[0-9]+(?:[_,' ][0-9]{3})+(?:\.[0-9]+)?")
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_LIKE_TRUE = frozenset({"yes", "on", "y", "true", "1"})
_LIKE_FALSE = frozenset({"no", "off", "n", "false", "0"})


class WrongValue(MessageError):
    """The message completes '<place> ...'."""


Reader = Callable[[Scalar, Setting], Any]


def read_text(node: Scalar, setting: Setting) -> str:
    return node.value


def read_choice(node: Scalar, setting: Setting) -> str:
    """Choices are lower-cased, as trading engines do."""
    return node.value.strip().lower()


def read_decimal(node: Scalar, setting: Setting) -> Decimal:
    number = Decimal(_number(node, setting))
    if not number:
        return number.copy_abs()
    return Decimal(f"{number:f}") if "e" in node.value.lower() else number


def read_integer(node: Scalar, setting: Setting) -> int:
    number = Decimal(_number(node, setting))
    if number != number.to_integral_value():
        raise WrongValue(_("must be %(right)s, was %(value)s", right=expected(setting), value=node.value))
    return int(number)


def read_boolean(node: Scalar, setting: Setting) -> bool:
    if node.plain and node.value in _TRUE:
        return True
    if node.plain and node.value in _FALSE:
        return False
    word = node.value.strip().lower()
    hint: TranslatableText | str = ""
    if word in _LIKE_TRUE | _LIKE_FALSE:
        right = "true" if word in _LIKE_TRUE else "false"
        hint = _("; write %(value)s", value=right) if node.plain else _("; write %(value)s without quotes", value=right)
    raise WrongValue(_("must be true or false, was %(value)s%(hint)s", value=describe(node), hint=hint))


def read_duration(node: Scalar, setting: Setting) -> int:
    try:
        seconds = _seconds(node.value)
        if (setting.minimum or 0) <= seconds <= (setting.maximum or seconds):
            return seconds
        raise WrongValue(_("must be %(right)s, was %(value)s", right=expected(setting), value=describe(node)))
    except ValueError:
        is_bare = re.fullmatch(r"[1-9][0-9]{0,8}", node.value)
        hint = _("; write %(value)ss for seconds", value=node.value) if is_bare else ""
        raise WrongValue(
            _("must be %(right)s, was %(value)s%(hint)s", right=expected(setting), value=describe(node), hint=hint)
        ) from None


def read_symbols(node: Sequence, setting: Setting) -> list[str]:
    """Each item is a name, also where it looks like a number: an exchange may list `1000` and `0G`."""
    return [_symbol(item, setting) for item in node.items]


def _symbol(node: Node, setting: Setting) -> str:
    if isinstance(node, Scalar) and node.tag is None and is_symbol(node.value):
        return node.value
    raise WrongValue(_("must be %(right)s; %(value)s is no symbol", right=expected(setting), value=describe(node)))


READERS: dict[SettingKind, Reader] = {
    SettingKind.CHOICE: read_choice,
    SettingKind.DECIMAL: read_decimal,
    SettingKind.INTEGER: read_integer,
    SettingKind.BOOLEAN: read_boolean,
    SettingKind.DURATION: read_duration,
}
"""By kind; `read_text` for all others."""

_seconds = lru_cache(maxsize=1024)(parse_duration)


def _number(node: Scalar, setting: Setting) -> str:
    text = node.value
    if node.plain and len(text) <= _LONGEST_NUMBER and NUMBER.fullmatch(text):
        return text
    raise WrongValue(
        _(
            "must be %(right)s, was %(value)s%(hint)s",
            right=expected(setting),
            value=describe(node),
            hint=_number_hint(node),
        )
    )


def _number_hint(node: Scalar) -> TranslatableText | str:
    """What to write instead, where the meaning is clear."""
    text = node.value.strip()
    if len(text) > _LONGEST_NUMBER:
        return ""
    if "$" in text:
        return _("; variables stand in texts only")
    if not node.plain and NUMBER.fullmatch(text):
        return _("; write %(value)s without quotes", value=text)
    if text.lower().startswith("0x") and (digits := text[2:]) and all(c in "0123456789abcdefABCDEF" for c in digits):
        return _("; write %(value)s", value=int(digits, 16))
    if zeros := _LEADING_ZEROS.fullmatch(text):
        return _("; some YAML readers take it as octal, write %(value)s", value=zeros[1].lstrip("0") or "0")
    if _SEPARATED.fullmatch(text):
        return _("; write %(value)s", value=re.sub(r"[^0-9.]", "", text))
    if re.fullmatch(r"[0-9]+(?::[0-5]?[0-9])+", text):
        return _("; some YAML readers take it as a number to the base of 60")
    return ""
