"""Values as bytes. The first byte tells how: `{` is plain JSON, `Z` is zstd-compressed JSON.

`as_of` stands at a fixed place of both (`{"as_of":1761452335744123` or `Z1761452335744123`), so that Redis itself can
tell which of two values is the newer without decoding either.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from trading.live.keys import Key
from trading.schema.live_store.values import Value

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PLAIN = b'{"as_of":'
COMPRESSED = b"Z"
AS_OF_DIGITS = 16
# 3 is the library's own default: higher levels save little and cost the trading path.
LEVEL = 3
# Far above any real value: what claims to unpack to more is no value of ours.
LARGEST = 16 * 2**20

Form = Callable[[bytes, Key], Value | None]
"""Reads bytes that are no value in the form of `encode`; None: nor in this one."""

_other_forms: list[Form] = []
_of_thread = threading.local()
_encoder = msgspec.json.Encoder(decimal_format="number")


class NotAValue(ValueError):
    """The bytes are no value of the key."""


def encode(value: Value, compress_from: int | None) -> bytes:
    """Raises ValueError for NaN and Infinity, which JSON does not have."""
    plain = _encoder.encode(value)
    if (b"NaN" in plain or b"Infinity" in plain) and not _reads(plain, type(value)):
        raise ValueError(f"a number of {type(value).__name__} is not finite")
    if compress_from is None or len(plain) < compress_from:
        return plain
    return COMPRESSED + plain[len(PLAIN) : len(PLAIN) + AS_OF_DIGITS] + compressed(plain)


def compressed(plain: bytes) -> bytes:
    """A zstd frame that says how large it unpacks to."""
    compressor = getattr(_of_thread, "compressor", None)
    if compressor is None:
        # Making one costs more than compressing a small value, and it serves one thread at a time.
        compressor = _of_thread.compressor = zstd.ZstdCompressor(LEVEL)
    return bytes(compressor.compress(plain, zstd.ZstdCompressor.FLUSH_FRAME))


def decode(raw: bytes, key: Key) -> Any:
    """The value, of the key's type. Raises NotAValue."""
    try:
        return _decoder(key.value).decode(_plain(raw))
    except (msgspec.DecodeError, zstd.ZstdError, ValueError) as error:
        for form in _other_forms:
            if (value := form(raw, key)) is not None:
                return value
        raise NotAValue(f"{key.name}: {error}") from error


def reads_also(form: Form) -> None:
    """Values of this form are read too, where another writer of the same key leaves them."""
    if form not in _other_forms:
        _other_forms.append(form)


def as_of(raw: bytes) -> int | None:
    """Microseconds, without decoding the value; None for foreign bytes."""
    start = len(PLAIN) if raw.startswith(PLAIN) else len(COMPRESSED) if raw.startswith(COMPRESSED) else None
    digits = raw[start : start + AS_OF_DIGITS] if start else b""
    return int(digits) if len(digits) == AS_OF_DIGITS and digits.isdigit() else None


def plain_text(raw: bytes) -> str:
    """The JSON inside. Raises NotAValue."""
    try:
        return _plain(raw).decode()
    except (zstd.ZstdError, ValueError) as error:
        raise NotAValue(str(error)) from error


def _plain(raw: bytes) -> bytes:
    if not raw.startswith(COMPRESSED):
        return raw
    frame = raw[len(COMPRESSED) + AS_OF_DIGITS :]
    size = zstd.get_frame_info(frame).decompressed_size
    if size is None or size > LARGEST:
        raise ValueError(f"unpacks to {size} bytes")
    return zstd.decompress(frame)


def _reads(plain: bytes, kind: type[Value]) -> bool:
    try:
        _decoder(kind).decode(plain)
    except msgspec.DecodeError:
        return False
    return True


@cache
def _decoder(kind: type[Value]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)
