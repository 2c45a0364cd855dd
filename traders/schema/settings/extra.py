"""Extension keys: anything JSON holds, under names that never need quoting in a dotted path."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator

from traders.schema import jsonio
from traders.schema.messages import _
from traders.schema.settings.declare import unprintable

KEY_PATTERN = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
MAX_BYTES = 64 * 1024
MAX_DEPTH = 20


def _check(value: Any, depth: int = 0) -> None:
    if depth > MAX_DEPTH:
        raise ValueError(_("must not be nested deeper than %(most)s levels", most=MAX_DEPTH))
    if isinstance(value, dict):
        for key, item in value.items():
            _check(key, depth)
            if not isinstance(key, str):
                raise ValueError(_("must have texts as keys"))
            _check(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)
    elif isinstance(value, str):
        if (bad := unprintable(value, allowed="\n\t\r")) is not None:
            raise ValueError(_("must not hold the character U+%(code)s", code=f"{ord(bad):04X}"))
    elif isinstance(value, float) or (isinstance(value, Decimal) and not value.is_finite()):
        raise ValueError(_("must hold only finite, exact numbers"))
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        if value and not Decimal("1e-30") <= abs(Decimal(value)) < Decimal("1e30"):
            raise ValueError(_("must hold only numbers below 1e30"))
    elif value is not None and not isinstance(value, bool):
        raise ValueError(_("must hold only JSON values, not %(type)s", type=type(value).__name__))


def _checked(extra: dict[str, Any]) -> dict[str, Any]:
    for key in extra:
        if not KEY_PATTERN.fullmatch(key):
            raise ValueError(
                _("must have keys of letters, digits, - and _, beginning with a letter; %(key)s is not", key=repr(key))
            )
    _check(extra)
    if len(jsonio.dumps(extra).encode()) > MAX_BYTES:
        raise ValueError(_("must not exceed %(most)s KB", most=MAX_BYTES // 1024))
    return extra


Extra = Annotated[dict[str, Any], AfterValidator(_checked)]
