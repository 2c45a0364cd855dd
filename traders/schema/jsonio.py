"""JSON without loss of digits: numbers with a fraction are read as Decimal and written with all their digits."""

from __future__ import annotations

import json
from decimal import Context, Decimal
from typing import Any

import msgspec
import simplejson

from traders.schema.messages import _

Json = Any
"""dict | list | str | int | Decimal | bool | None, nested."""

MAX_DEPTH = 100
"""The most levels of JSON from other programs. A declared record has fewer than ten, an extension at most twenty."""
# The default context would round to 28 digits.
_EXACT = Context(prec=1000)
_MOST_DIGITS_OF_INT = 1000
_BOM = "\ufeff"


def dumps(value: Json) -> str:
    """Compact JSON text. Raises ValueError for NaN and Infinity, TypeError for a value that JSON cannot hold."""
    return simplejson.dumps(value, use_decimal=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def dumps_finite(value: Json) -> str:
    """The same text as `dumps`, several times as fast. Only for values that a schema has validated: they must have no
    NaN and no Infinity."""
    return _FINITE.encode(value).decode()


def encoded(value: Json) -> Json:
    """A value whose text is made now, to stand in any number of values that `dumps_finite` writes."""
    return msgspec.Raw(_FINITE.encode(value))


def canonical(value: Json) -> str:
    """The canonical text of a value: keys sorted, numbers without trailing zeros (3.0, 3.00 and 3 are `3`)."""
    return simplejson.dumps(
        _normalized(value), use_decimal=True, ensure_ascii=False, separators=(",", ":"), sort_keys=True
    )


def loads(text: str | bytes) -> Json:
    """Raises ValueError if the text is not JSON, RecursionError if it is nested too deep."""
    try:
        if isinstance(text, str) and not text.startswith(_BOM):
            return _EXACT_READER.decode(text)
        return json.loads(text, parse_float=Decimal)
    except json.JSONDecodeError:
        raise
    except ValueError:
        # Python's int refuses more than some thousand digits; PostgreSQL stores them.
        return json.loads(text, parse_float=Decimal, parse_int=_long_whole)


def loads_stored(text: str) -> Json:
    """As `loads`, for JSON from PostgreSQL: a `TooDeep` if it is nested too deep."""
    try:
        return loads(text)
    except RecursionError:
        return TooDeep(text)


def require_shallow(value: Json) -> None:
    """Raises ValueError for a value that is nested too deep for recursive functions."""
    level = [value]
    for _depth in range(MAX_DEPTH):
        level = [
            item
            for one in level
            if isinstance(one, dict | list)
            for item in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return
    raise ValueError(_("is nested deeper than %(most)s levels", most=MAX_DEPTH))


_FINITE = msgspec.json.Encoder(decimal_format="number")
# `json.loads` makes a decoder for each text, which takes longer than to read a short one.
_EXACT_READER = json.JSONDecoder(parse_float=Decimal)


class ExactEncoder(json.JSONEncoder):
    """For Django's JSONField, which calls `encode` only; its own encoder writes Decimal as a string."""

    def encode(self, o: Json) -> str:
        return dumps(o)


class ExactDecoder(json.JSONDecoder):
    """Reads any JSON that PostgreSQL stores, so that one row cannot prevent reading the others."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "parse_float": Decimal})

    def decode(self, s: str, *args: Any) -> Json:
        return loads_stored(s)


class TooDeep(str):
    """The text of JSON that is nested too deep to be read."""

    __slots__ = ()


def _long_whole(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= _MOST_DIGITS_OF_INT else Decimal(digits)


def _normalized(value: Json) -> Json:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else value.normalize(_EXACT)
    if isinstance(value, dict):
        return {key: _normalized(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_normalized(item) for item in value]
    return value
