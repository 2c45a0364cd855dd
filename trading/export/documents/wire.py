"""Values as they go over the wire, and documents put together from encoded rows."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

from trading.schema.published import TraderLabel

MS_PER_SECOND = 1000
# Number.MAX_SAFE_INTEGER of JavaScript.
LARGEST_EXACT_INTEGER = 2**53 - 1
_LARGEST_FLOAT = Decimal("1e300")
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def encode(value: Any) -> bytes:
    """Compact JSON; Decimals digit for digit, floats that are not finite as null."""
    return _ENCODER.encode(value)


def seconds(ts_ms: int) -> Decimal:
    return Decimal(ts_ms) / MS_PER_SECOND


def seconds_or_none(ts_ms: int | None) -> Decimal | None:
    return None if ts_ms is None else seconds(ts_ms)


def fraction(confidence: Decimal | None) -> Decimal | None:
    """0-100 as it is stored, 0-1 on the wire."""
    return None if confidence is None else confidence / 100


def amount(value: Decimal | None) -> Decimal | None:
    """PostgreSQL's numeric knows NaN and numbers beyond a float, which clients would read as Infinity; the wire does
    not."""
    return value if value is not None and value.is_finite() and abs(value) <= _LARGEST_FLOAT else None


def with_texts_of_large_ids(found: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """`{name}_str` beside each id that JavaScript cannot read as a number without changing it."""
    large = (name for name in names if isinstance(found[name], int) and abs(found[name]) > LARGEST_EXACT_INTEGER)
    return found | {f"{name}_str": str(found[name]) for name in large}


def signed(quantity: Decimal, sign: int) -> Decimal:
    return quantity if sign > 0 else quantity.copy_negate()


def labelled(row: bytes, label: TraderLabel) -> bytes:
    """Adds all fields of a label to an encoded row that has none of them."""
    return row[:-1] + _said(label)


@lru_cache(maxsize=10_000)
def _said(label: TraderLabel) -> bytes:
    return b"," + encode(label.fields())[1:]


def opening(key: str) -> bytes:
    return b'{"' + key.encode() + b'":['


def closing(**fields: Any) -> bytes:
    """`]` and what follows the rows."""
    rest = encode(fields)[1:-1]
    return b"]" + (b"," + rest if rest else b"") + b"}"


def document(key: str, rows: Iterable[bytes], **fields: Any) -> bytes:
    """`{key: [rows], **fields}`."""
    return opening(key) + b",".join(rows) + closing(**fields)
