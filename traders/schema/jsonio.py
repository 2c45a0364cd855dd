"""JSON in and out, digit for digit: numbers with a fraction are read as Decimal and written as they are."""

from __future__ import annotations

import json
from decimal import Context, Decimal
from typing import Any

import msgspec
import simplejson

Json = Any
"""dict | list | str | int | Decimal | bool | None, nested."""

# The default context would round to 28 digits.
_EXACT = Context(prec=1000)


def dumps(value: Json) -> str:
    """Compact JSON text. Raises ValueError for NaN and Infinity, TypeError for what JSON cannot hold."""
    return simplejson.dumps(value, use_decimal=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def dumps_finite(value: Json) -> str:
    """The same text as `dumps`, several times as fast, of values that are known to hold no NaN and no Infinity: for
    what a schema has validated."""
    return _FINITE.encode(value).decode()


def canonical(value: Json) -> str:
    """The one text of a value: keys sorted and numbers without trailing zeros (3.0, 3.00 and 3 are `3`)."""
    return simplejson.dumps(
        _normalized(value), use_decimal=True, ensure_ascii=False, separators=(",", ":"), sort_keys=True
    )


def loads(text: str | bytes) -> Json:
    """Raises ValueError when the text is not JSON."""
    return json.loads(text, parse_float=Decimal)


_FINITE = msgspec.json.Encoder(decimal_format="number")


class ExactEncoder(json.JSONEncoder):
    """For Django's JSONField, which calls `encode` only; its own encoder writes Decimal as a string."""

    def encode(self, o: Json) -> str:
        return dumps(o)


class ExactDecoder(json.JSONDecoder):
    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "parse_float": Decimal})


def _normalized(value: Json) -> Json:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else value.normalize(_EXACT)
    if isinstance(value, dict):
        return {key: _normalized(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_normalized(item) for item in value]
    return value
