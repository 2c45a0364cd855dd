"""Values as bytes. The first byte tells the form: `{` is plain JSON, `Z` is zstd-compressed JSON, and `[` an item of a
list after the first.

`as_of` stands at a fixed place of both (`{"as_of":1761452335744123` or `Z1761452335744123`), so that Redis itself can
tell which of two values is the newer without decoding either. An item after the first has none: its `as_of` is that
of the first.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec
from msgspec import structs

from trading.live import dictionaries
from trading.live.keys import Key
from trading.schema.live_store.values import US_PER_MS, Value

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PLAIN = b'{"as_of":'
COMPRESSED = b"Z"
FOLLOWING = b"["
AS_OF_DIGITS = 16
# 3 is the library's own default: higher levels save little and cost the trading path.
LEVEL = 3
# Far above any real value: what claims to unpack to more is no value of ours.
LARGEST = 16 * 2**20

# What reading the bytes of another program may raise. ArithmeticError: a number with too many digits of exponent;
# RecursionError: brackets in brackets, thousands deep.
NO_VALUE = (msgspec.MsgspecError, zstd.ZstdError, ValueError, ArithmeticError, RecursionError)

Form = Callable[[bytes, Key], Value | None]
"""Reads bytes that are no value in the form of `encode`; None: nor in this one."""

_other_forms: list[Form] = []
_of_thread = threading.local()
_encoder = msgspec.json.Encoder(decimal_format="number")
_untyped = msgspec.json.Decoder(float_hook=Decimal)


class NotAValue(ValueError):
    """The bytes are no value of the key."""


def encode(value: Value, compress_from: int | None) -> bytes:
    """Raises ValueError for NaN and Infinity, which JSON does not have."""
    plain = _encoder.encode(value)
    if (b"NaN" in plain or b"Infinity" in plain) and not _reads(plain, type(value)):
        raise ValueError(f"a number of {type(value).__name__} is not finite")
    if compress_from is None or len(plain) < compress_from:
        return plain
    packed = COMPRESSED + plain[len(PLAIN) : len(PLAIN) + AS_OF_DIGITS] + compressed(plain)
    return packed if len(packed) < len(plain) else plain


def encode_list(items: Sequence[Value], compress_from: int | None) -> list[bytes]:
    """The items of one moment, the first one first. None: each of them is a plain value."""
    if compress_from is None:
        return [encode(item, None) for item in items]
    return [encode(item, compress_from) for item in items[:1]] + [_following(item) for item in items[1:]]


def compressed(plain: bytes) -> bytes:
    """A zstd frame that names its dictionary and says how large it unpacks to."""
    compressor = getattr(_of_thread, "compressor", None)
    if compressor is None:
        # Making one costs more than compressing a small value, and it serves one thread at a time.
        known = dictionaries.dictionary(dictionaries.NEWEST).as_digested_dict
        compressor = _of_thread.compressor = zstd.ZstdCompressor(LEVEL, zstd_dict=known)
    return bytes(compressor.compress(plain, zstd.ZstdCompressor.FLUSH_FRAME))


def decode(raw: bytes, key: Key) -> Any:
    """The value, of the key's type. Raises NotAValue."""
    try:
        return _decoder(key.value).decode(_plain(raw))
    except NO_VALUE as error:
        for form in (_without_nulls, *_other_forms):
            if (value := form(raw, key)) is not None:
                return value
        raise NotAValue(f"{key.name}: {error}") from error


def decode_item(raw: bytes, key: Key, as_of: int | None) -> Any:
    """The value of an item of a list. `as_of` is the first item's, None for that one. Raises NotAValue."""
    return decode(raw, key) if as_of is None else decode(whole(raw, key, as_of), key)


def whole(raw: bytes, key: Key, as_of: int) -> bytes:
    """An item after the first with its names and `as_of`; other bytes as they are."""
    if not raw.startswith(FOLLOWING):
        return raw
    try:
        parts = _untyped.decode(raw)
    except NO_VALUE:
        return raw
    found = dict(zip(key.value.__struct_fields__[1:], parts, strict=False))
    return _encoder.encode({"as_of": as_of} | {name: _moved(name, part, as_of) for name, part in found.items()})


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
    except NO_VALUE as error:
        raise NotAValue(str(error)) from error


def _plain(raw: bytes) -> bytes:
    if not raw.startswith(COMPRESSED):
        return raw
    frame = raw[len(COMPRESSED) + AS_OF_DIGITS :]
    info = zstd.get_frame_info(frame)
    if info.decompressed_size is None or info.decompressed_size > LARGEST:
        raise ValueError(f"unpacks to {info.decompressed_size} bytes")
    # 0: of a release before there were dictionaries.
    known = dictionaries.dictionary(info.dictionary_id) if info.dictionary_id else None
    return zstd.decompress(frame, known)


def _following(item: Value) -> bytes:
    """The values as far as they are known, without their names, which would repeat with each item."""
    _, *names = item.__struct_fields__
    _, *values = structs.astuple(item)
    parts = [_moved(name, value, item.as_of) for name, value in zip(names, values, strict=True)]
    while parts and parts[-1] is None:
        parts.pop()
    return _encoder.encode(parts)


def _moved(name: str, value: Any, as_of: int) -> Any:
    """A moment is stored as milliseconds before `as_of`, and read back by the same step: half as many digits."""
    is_moment = name.endswith("_ms") and isinstance(value, int)
    return as_of // US_PER_MS - value if is_moment else value


def _without_nulls(raw: bytes, key: Key) -> Value | None:
    """The value without nulls: other writers write null where a name could be left out."""
    try:
        found: Value = _decoder(key.value).decode(_encoder.encode(_given(_untyped.decode(_plain(raw)))))
    except NO_VALUE:
        return None
    return found


def _given(parts: Any) -> Any:
    if isinstance(parts, dict):
        return {name: _given(part) for name, part in parts.items() if part is not None}
    return [_given(part) for part in parts if part is not None] if isinstance(parts, list) else parts


def _reads(plain: bytes, kind: type[Value]) -> bool:
    try:
        _decoder(kind).decode(plain)
    except msgspec.DecodeError:
        return False
    return True


@cache
def _decoder(kind: type[Value]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)
