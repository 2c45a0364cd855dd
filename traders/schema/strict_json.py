"""A strict reader of JSON from other programs.

Refuses values that Python's reader accepts but PostgreSQL or arithmetic cannot handle.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NoReturn

from traders.schema import jsonio
from traders.schema.messages import TranslatableText, _, verbatim

MOST_DIGITS = 100
"""The most digits of a number from another program."""

LONGEST_NUMBER = MOST_DIGITS
LARGEST_EXPONENT = 60


# What Python's reader says.
_SAID = {
    str(text): text
    for text in (
        *(_("Expecting value"), _("Extra data"), _("Unterminated string starting at")),
        *(_("Expecting property name enclosed in double quotes"), _("Expecting ':' delimiter")),
        *(
            _("Expecting ',' delimiter"),
            _("Invalid control character at"),
            _("Illegal trailing comma before end of object"),
        ),
    )
}


def json_words(error: json.JSONDecodeError) -> TranslatableText:
    return _SAID.get(error.msg) or verbatim(error.msg)


class NoNumber(str):
    """NaN, Infinity or -Infinity, which programs write for an unknown number."""


def loads(text: str, *, keep_no_numbers: bool = False) -> Any:
    """Numbers with a fraction become Decimal. Raises ValueError with a message for people: for no JSON, NaN and
    Infinity, numbers beyond all measure, a key given twice, and characters that cannot be stored.

    `keep_no_numbers`: NaN and Infinity become a NoNumber instead, for files of programs that write them."""
    decoder = strict_decoder(NoNumber if keep_no_numbers else _constant)
    try:
        value = decoder.decode(text)
        jsonio.require_shallow(value)
        return _storable(value)
    except json.JSONDecodeError as error:
        raise ValueError(
            _(
                "is not JSON: %(msg)s at line %(lineno)s, column %(colno)s",
                msg=json_words(error),
                lineno=error.lineno,
                colno=error.colno,
            )
        ) from None
    except RecursionError:
        raise ValueError(_("is not JSON that can be read: it is nested too deep")) from None


def first_value(text: str, start: int) -> tuple[Any, int]:
    """(the JSON value that begins at `start`, its end). Raises ValueError as `loads` does."""
    try:
        value, end = strict_decoder().raw_decode(text, start)
        jsonio.require_shallow(value)
        return _storable(value), end
    except RecursionError:
        raise ValueError(_("is nested too deep")) from None


def strict_decoder(constant: Callable[[str], Any] | None = None) -> json.JSONDecoder:
    fraction = _fraction if constant in (None, _constant) else _fraction_or_none
    return json.JSONDecoder(
        parse_float=fraction, parse_int=_whole, parse_constant=constant or _constant, object_pairs_hook=_object
    )


def _fraction_or_none(text: str) -> Any:
    """Some programs write Infinity as 1e999."""
    return NoNumber(text) if Decimal(text).adjusted() > LARGEST_EXPONENT else _fraction(text)


def _fraction(text: str) -> Decimal:
    number = Decimal(text)
    decimals = -int(number.as_tuple().exponent)
    if max(len(text), decimals) > LONGEST_NUMBER or abs(number.adjusted()) > LARGEST_EXPONENT:
        raise ValueError(_("holds a number beyond all measure: %(text)s", text=text[:40]))
    return number


def _whole(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise ValueError(_("holds a number beyond all measure: %(text)s", text=text[:40]))
    return int(text)


def _constant(text: str) -> NoReturn:
    raise ValueError(_("holds %(text)s, which is no number in JSON", text=text))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _value in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(_("holds the key %(twice)s twice", twice=repr(twice)))
    return found


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError(_("holds the character U+0000, which cannot be stored"))
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise ValueError(_("holds half of a surrogate pair, which is no character"))
    elif isinstance(value, dict):
        for key, item in value.items():
            _storable(key)
            _storable(item)
    elif isinstance(value, list):
        for item in value:
            _storable(item)
    return value
