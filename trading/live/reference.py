"""The table of keys and the schema of each value, for docs/redis.md: made from the declarations."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any

import msgspec

from trading.live.keys import DAY, HOUR, KEYS, MINUTE, Key, RedisType

_TYPES = {"Decimal": "number", "int": "integer", "float": "number", "str": "text", "bool": "true/false"}
_REDIS = {RedisType.HASH: "Hash", RedisType.ZSET: "ZSet", RedisType.LIST: "List", RedisType.STRING: "String"}


def in_document(text: str) -> str:
    """The page with its tables as the declarations have them."""
    for name, lines in (("keys", _keys()), ("values", _values())):
        begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        content = "\n".join(lines).strip()
        text = f"{before}{begin}\n\n{content}\n\n{end}{after}"
    return text


def _keys() -> Iterator[str]:
    yield "| key | type | field | writer | fresh for | swept after | restored from | value |"
    yield "|---|---|---|---|--:|--:|---|---|"
    for key in KEYS:
        source = "PostgreSQL" if key.from_postgres else "the feed"
        ages = f"{_seconds(key.allowed_age)} | {_seconds(key.dead_after)}"
        form = "" if key.kind is RedisType.ZSET else f", {_form(key)}"
        value = f"[{key.value.__name__}](#{key.value.__name__.lower()}){form}"
        yield f"| `{key.name}` | {_REDIS[key.kind]} | {key.field} | {key.writer} | {ages} | {source} | {value} |"


def _form(key: Key) -> str:
    form = "plain" if key.compress_from is None else f"compressed from {key.compress_from} bytes"
    return f"{form}, items after the first without names" if key.kind is RedisType.LIST else form


def _values() -> Iterator[str]:
    for key in KEYS:
        yield from _struct(key.value)


def _struct(kind: Any) -> Iterator[str]:
    yield f"### {kind.__name__}"
    # A struct without words of its own has its signature there.
    if kind.__doc__ and not kind.__doc__.startswith(kind.__name__):
        yield " ".join(kind.__doc__.split())
    yield ""
    yield "| name | type | unit | meaning |"
    yield "|---|---|---|---|"
    hints = typing.get_type_hints(kind, include_extras=True)
    inner = []
    for field in msgspec.structs.fields(kind):
        said, plain = _annotated(hints[field.name])
        name = f"`{field.name}`" if field.required else f"`{field.name}`?"
        yield f"| {name} | {_type(plain)} | {(said.extra or {}).get('unit', '')} | {said.description or ''} |"
        inner += [part for part in _structs_in(plain) if part not in inner]
    yield ""
    for part in inner:
        yield from _struct(part)


def _annotated(hint: Any) -> tuple[msgspec.Meta, Any]:
    assert typing.get_origin(hint) is Annotated
    plain, said = typing.get_args(hint)[:2]
    return said, plain


def _type(plain: Any) -> str:
    origin, arguments = typing.get_origin(plain), typing.get_args(plain)
    if origin is UnionType or origin is typing.Union:
        return " or ".join(_type(part) for part in arguments if part is not type(None))
    if origin is dict:
        return f"object of {_type(arguments[1])}"
    if origin is tuple:
        return f"array of {_type(arguments[0])}"
    if plain is Any:
        return "anything"
    name = str(plain.__name__)
    return _TYPES.get(name, f"[{name}](#{name.lower()})")


def _structs_in(plain: Any) -> list[Any]:
    if isinstance(plain, type) and issubclass(plain, msgspec.Struct):
        return [plain]
    return [found for part in typing.get_args(plain) for found in _structs_in(part)]


def _seconds(number: int) -> str:
    for unit, size in (("d", DAY), ("h", HOUR), ("min", MINUTE)):
        if number % size == 0:
            return f"{number // size} {unit}"
    return f"{number} s"
