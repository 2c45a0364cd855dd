"""Values of templates: what is true, how a value is written, and printf."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Self

from traders.schema.messages import MessageError, TranslatableText, _

_VERB = re.compile(r"%(?P<flags>[-+# 0]*)(?P<width>\d+|\*)?(?:\.(?P<places>\d*|\*))?(?P<verb>[a-zA-Z%])?")
_WIDEST = 1000
UNKNOWN = "n/a"


class Listing(tuple[Any, ...]):
    """Values that a template ranges over, and the text that it writes for all of them."""

    text: str

    def __new__(cls, values: Iterable[Any], text: str) -> Self:
        made = super().__new__(cls, values)
        made.text = text
        return made


class Overview(dict[str, Any]):
    """Values with names, and the text that a template writes for all of them."""

    def __init__(self, values: Mapping[str, Any], text: str) -> None:
        super().__init__(values)
        self.text = text


class WrongArgument(MessageError):
    """A function cannot take a value. The text completes 'line 3: ...'."""


def is_true(value: Any) -> bool:
    """False are false, 0, nil, and what is empty."""
    return bool(value)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def written(value: Any) -> str:
    """As a template writes a value. Numbers have no exponent and no needless zeros; what is not known is n/a."""
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, Decimal | float):
        return _plain(_exact(value))
    if isinstance(value, Listing | Overview):
        return value.text
    if isinstance(value, Mapping):
        return f"map[{' '.join(f'{key}:{written(value[key])}' for key in sorted(value))}]"
    if isinstance(value, Sequence):
        return f"[{' '.join(map(written, value))}]"
    return str(value)


def printed(format_text: Any, *values: Any) -> str:
    """printf. Raises WrongArgument for a verb without a value, a value without a verb, and one that does not fit."""
    if not isinstance(format_text, str):
        raise WrongArgument(_("the first value of printf must be a text, was %(value)s", value=written(format_text)))
    left = list(values)

    def one(found: re.Match[str]) -> str:
        if found["verb"] == "%":
            return "%"
        width, places = (_star(found[name], left, found[0]) for name in ("width", "places"))
        if found["verb"] is None or not left:
            raise WrongArgument(_("printf has no value for %(verb)s", verb=found[0]))
        if width > _WIDEST or places > _WIDEST:
            raise WrongArgument(_("printf writes at most %(most)s places", most=_WIDEST))
        body = _formatted(found["verb"], left.pop(0), found["flags"], places, found[0])
        return _padded(body, found["flags"], width)

    text = _VERB.sub(one, format_text)
    if left:
        raise WrongArgument(_("printf has no verb for %(value)s", value=written(left[0])))
    return text


def _star(text: str | None, left: list[Any], verb: str) -> int:
    """A width or a number of places: as written, taken from the values where it is a star, -1 if there is none."""
    if text != "*":
        return -1 if text is None else int(text or 0)
    if not left or not isinstance(left[0], int):
        raise WrongArgument(_("printf has no value for %(verb)s", verb=verb))
    return abs(int(left.pop(0)))


def _formatted(verb: str, value: Any, flags: str, places: int, whole: str) -> str:
    sign = "+" if "+" in flags else " " if " " in flags else ""
    if verb in ("v", "s") and not (verb == "v" and is_number(value)):
        text = written(value)
        return text if places < 0 else text[:places]
    if verb == "q":
        return _quoted(written(value))
    if verb == "t" and isinstance(value, bool):
        return written(value)
    if verb in "dbxXoc" and isinstance(value, str) and verb in "xX":
        return format(value.encode().hex(), "") if verb == "x" else value.encode().hex().upper()
    if not is_number(value):
        raise WrongArgument(_("printf cannot write %(value)s as %(verb)s", value=_quoted(written(value)), verb=whole))
    number = _exact(value)
    if verb in "dbxXoc":
        return _whole(verb, number, sign, flags, whole)
    if verb == "v":
        return written(number) if not sign or number < 0 else sign + written(number)
    if verb in "fFeEgG":
        return _fraction(verb, number, sign, places)
    raise WrongArgument(_("printf does not know %(verb)s", verb=whole))


def _whole(verb: str, number: Decimal, sign: str, flags: str, whole: str) -> str:
    if not number.is_finite() or number != number.to_integral_value():
        raise WrongArgument(_("printf cannot write %(value)s as %(verb)s", value=written(number), verb=whole))
    if verb == "c":
        return chr(int(number)) if 0 <= number <= 0x10FFFF else "\ufffd"
    return format(int(number), f"{sign}{'#' if '#' in flags else ''}{verb}")


def _fraction(verb: str, number: Decimal, sign: str, places: int) -> str:
    if verb in "gG" and places < 0:
        return (sign if number >= 0 else "") + written(number)
    return format(number, f"{sign}.{6 if places < 0 else max(places, verb in 'gG')}{verb}")


def _padded(text: str, flags: str, width: int) -> str:
    if "-" in flags:
        return text.ljust(width)
    if "0" in flags and text.lstrip("+- ")[:1].isdigit():
        sign = text[: len(text) - len(text.lstrip("+- "))]
        return sign + text[len(sign) :].rjust(width - len(sign), "0")
    return text.rjust(width)


def _exact(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


def _plain(value: Decimal) -> str:
    if not value.is_finite():
        return {"Infinity": "+Inf", "-Infinity": "-Inf"}.get(str(value), "NaN")
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    for character, name in (("\n", "n"), ("\t", "t"), ("\r", "r")):
        escaped = escaped.replace(character, f"\\{name}")
    return f'"{escaped}"'


def needs(name: str, what: TranslatableText, value: Any) -> WrongArgument:
    """The message of a function that got the wrong kind of value."""
    return WrongArgument(_("%(name)s needs %(what)s, was %(value)s", name=name, what=what, value=written(value)[:100]))
