"""How one leaf of a record is declared: its type, unit and words. Pages, exports and the reference read the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, get_args, get_origin

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticUndefined

from traders.schema.messages import _
from traders.schema.moments import EARLIEST_MS, LATEST_MS, YEARS
from traders.schema.settings.declare import Boolean, Integer, Line, Number
from traders.schema.strict_json import MOST_DIGITS

__all__ = [
    "Amount",
    "Boolean",
    "Integer",
    "Leaf",
    "LeafKind",
    "Line",
    "Number",
    "Part",
    "Text",
    "_",
    "leaf",
    "leaves_of",
    "part_in",
]

REQUIRED: Any = PydanticUndefined
# Far beyond any market; what lies above is a slip of the pen or a spoilt file.
LARGEST = Decimal(10) ** 15
# PostgreSQL refuses more than some thousand, and an index far fewer; a float needs 17.
LARGEST_IDENTIFIER = 10**MOST_DIGITS
# JSON can write it, UTF-8 cannot.
_HALF_OF_A_PAIR = re.compile("[\ud800-\udfff]")


class LeafKind(StrEnum):
    """How a page writes a leaf."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    MONEY = "money"
    PRICE = "price"
    QUANTITY = "quantity"
    NUMBER = "number"
    PERCENT = "percent"
    COUNT = "count"
    VERSION = "version"
    MOMENT_MS = "moment_ms"
    SECONDS = "seconds"
    FLAG = "flag"
    IDENTIFIER = "identifier"


@dataclass(frozen=True, slots=True)
class Leaf:
    """`path` is dotted from `detail` on (`detail.pnl.net`); `[]` stands for each item of a list."""

    path: str
    label: str
    unit: str
    kind: LeafKind
    help: str


class Part(BaseModel):
    """Base of every part of a record: closed and immutable. What is not known is None, and not stored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def stored(self) -> dict[str, Any]:
        """As JSONB holds it: leaves that are not known are left out, as the compact form of null."""
        return self.model_dump(mode="python", exclude_none=True)


def leaf(default: Any = REQUIRED, *, label: str, kind: LeafKind, unit: str = "", help: str = "", **bounds: Any) -> Any:
    """A pydantic Field with what pages need. Without a default the leaf must be given."""
    return Field(
        default, title=label, description=help or None, json_schema_extra={"kind": kind, "unit": unit}, **bounds
    )


def _finite(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise ValueError(_("must be a finite number"))
    # Not by abs(): it raises for an exponent beyond the context's.
    if not -LARGEST <= value <= LARGEST:
        raise ValueError(_("must not be beyond %(most)s", most=f"{LARGEST:,}"))
    text = str(value)
    if len(text) <= MOST_DIGITS and "E" not in text:
        # So it has fewer digits than characters, and no more decimals. A tuple of them takes five times as long.
        return value
    _sign, digits, exponent = value.as_tuple()
    if len(digits) > MOST_DIGITS or not -MOST_DIGITS <= int(exponent) <= MOST_DIGITS:
        raise ValueError(_("must have at most %(most)s digits", most=MOST_DIGITS))
    return value


def _moment(value: int) -> int:
    if not EARLIEST_MS <= value <= LATEST_MS:
        raise ValueError(_("must be milliseconds since 1970, %(years)s", years=YEARS))
    return value


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError(_("must not hold the character U+0000"))
    if not text.isascii() and _HALF_OF_A_PAIR.search(text):
        raise ValueError(_("must not hold half of a surrogate pair"))
    return text


def _text(value: Any) -> Any:
    """Exchanges name orders by numbers or by texts; both are kept as they are."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(_("must be a whole number or a text"))
    if isinstance(value, int) and abs(value) >= LARGEST_IDENTIFIER:
        raise ValueError(_("must have at most %(most)s digits", most=MOST_DIGITS))
    return value


Amount = Annotated[Number, AfterValidator(_finite)]
MomentMs = Annotated[Integer, AfterValidator(_moment)]
Text = Annotated[str, AfterValidator(_storable)]
Identifier = Annotated[int | str, BeforeValidator(_text)]


def leaves_of(model: type[Part], prefix: str = "detail") -> Iterator[Leaf]:
    """Every leaf in the order of declaration, parts of parts included."""
    for name, field in model.model_fields.items():
        path = f"{prefix}.{name}"
        inner, is_list = part_in(field.annotation)
        if inner is not None:
            yield from leaves_of(inner, path + ("[]" if is_list else ""))
            continue
        extra = field.json_schema_extra
        if not isinstance(extra, dict):
            raise TypeError(f"{model.__name__}.{name} is neither a part nor a declared leaf")
        yield Leaf(path, field.title or name, str(extra["unit"]), LeafKind(str(extra["kind"])), field.description or "")


def part_in(annotation: Any) -> tuple[Any, bool]:
    """The part inside `Part`, `tuple[Part, ...]` or either of them `| None`, and whether it is a list of them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    for argument in get_args(annotation):
        found, is_list = part_in(argument)
        if found is not None:
            return found, is_list or get_origin(annotation) is tuple
    return None, False
