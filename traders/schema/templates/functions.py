"""The functions of templates, by name."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote_plus

from traders.schema.messages import _
from traders.schema.templates.values import WrongArgument, is_number, is_true, needs, printed, written

_HTML = str.maketrans({"\0": "\ufffd", '"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;"})
_JS = str.maketrans(
    {chr(code): f"\\u{code:04X}" for code in (*range(32), *map(ord, "<>&="))} | {"\\": "\\\\", "'": "\\'", '"': '\\"'}
)

# They look at their arguments one by one, so `evaluation` has them.
AND_OR = frozenset({"and", "or"})


def _print(*values: Any) -> str:
    """A space between two values of which neither is a text."""
    text = ""
    for index, value in enumerate(values):
        apart = index and not isinstance(value, str) and not isinstance(values[index - 1], str)
        text += (" " if apart else "") + written(value)
    return text


def _println(*values: Any) -> str:
    return " ".join(map(written, values)) + "\n"


def _html(*values: Any) -> str:
    return _print(*values).translate(_HTML)


def _js(*values: Any) -> str:
    return _print(*values).translate(_JS)


def _urlquery(*values: Any) -> str:
    return quote_plus(_print(*values))


def _len(value: Any) -> int:
    """In characters, for a text."""
    if not isinstance(value, str | Mapping | Sequence):
        raise needs("len", _("a text, a list or a map"), value)
    return len(value)


def _index(value: Any, *places: Any) -> Any:
    for place in places:
        if isinstance(value, Mapping):
            if place not in value:
                raise WrongArgument(_("index: there is no %(key)s", key=written(place)))
            value = value[place]
        elif isinstance(value, str | Sequence):
            value = value[_place("index", place, len(value) - 1)]
        else:
            raise needs("index", _("a text, a list or a map"), value)
    return value


def _slice(value: Any, *places: Any) -> Any:
    if not isinstance(value, str | Sequence):
        raise needs("slice", _("a text or a list"), value)
    if len(places) > 2:
        raise WrongArgument(_("slice takes at most two places"))
    first, *last = (_place("slice", place, len(value)) for place in (places or (0,)))
    end = last[0] if last else len(value)
    if first > end:
        raise WrongArgument(_("slice: %(first)s is after %(end)s", first=first, end=end))
    return value[first:end]


def _place(name: str, place: Any, most: int) -> int:
    if not isinstance(place, int) or isinstance(place, bool):
        raise needs(name, _("a whole number as place"), place)
    if not 0 <= place <= most:
        raise WrongArgument(
            _("%(name)s: %(place)s is out of range, the last is %(most)s", name=name, place=place, most=most)
        )
    return place


def _call(function: Any, *values: Any) -> Any:
    if not callable(function):
        raise needs("call", _("a function"), function)
    return function(*values)


def _eq(first: Any, *others: Any) -> bool:
    """Whether the first value equals any of the others."""
    if not others:
        raise WrongArgument(_("eq needs two values"))
    return any(_are_equal(first, other) for other in others)


def _are_equal(one: Any, other: Any) -> bool:
    is_comparable = (
        (is_number(one) and is_number(other)) or type(one) is type(other) or None in (one, other)
    ) and not isinstance(one, Mapping | list | tuple)
    if isinstance(one, str) and isinstance(other, str):
        return str(one) == str(other)
    if not is_comparable:
        raise WrongArgument(_("%(one)s and %(other)s cannot be compared", one=written(one), other=written(other)))
    return bool(one == other)


def _ordered(name: str, compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compared(one: Any, other: Any) -> bool:
        if not (is_number(one) and is_number(other)) and not (isinstance(one, str) and isinstance(other, str)):
            raise WrongArgument(
                _("%(name)s cannot compare %(one)s and %(other)s", name=name, one=written(one), other=written(other))
            )
        return compare(one, other)

    return compared


BY_NAME: dict[str, Callable[..., Any]] = {
    "call": _call,
    "eq": _eq,
    "ge": _ordered("ge", operator.ge),
    "gt": _ordered("gt", operator.gt),
    "html": _html,
    "index": _index,
    "js": _js,
    "le": _ordered("le", operator.le),
    "len": _len,
    "lt": _ordered("lt", operator.lt),
    "ne": lambda one, other: not _are_equal(one, other),
    "not": lambda value: not is_true(value),
    "print": _print,
    "printf": printed,
    "println": _println,
    "slice": _slice,
    "urlquery": _urlquery,
}
FUNCTIONS = frozenset(BY_NAME) | AND_OR
"""All of them."""
