"""How sure a model is: 0 to 100. A fraction of 1 is another unit, and would be taken for no confidence at all."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from traders.schema.messages import TranslatableText, _

HIGHEST_CONFIDENCE = 100


def is_fraction(value: Decimal) -> bool:
    """Between 0 and 1, or 1.0: nobody is sure by less than one per cent."""
    exponent = value.as_tuple().exponent
    return 0 < value < 1 or (value == 1 and isinstance(exponent, int) and exponent < 0)


def fraction_of(value: Decimal) -> TranslatableText:
    """Completes '<field> ...'."""
    return _("must be from 0 to 100, was %(value)s, which is a fraction of 1", value=value)


def fractions_in(value: Any, path: str = "") -> Iterator[tuple[str, Decimal]]:
    """(path, confidence) of each confidence inside a model that is a fraction of 1."""
    if isinstance(value, BaseModel):
        for name, inner in value:
            at = f"{path}.{name}" if path else name
            if name == "confidence" and isinstance(inner, Decimal):
                if is_fraction(inner):
                    yield at, inner
            else:
                yield from fractions_in(inner, at)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from fractions_in(item, f"{path}.{index}")
