"""What programs report: what is not known, and what cannot be read of what need not be there, is kept under
`detail.extra` by its path, and the record is taken.

A person who misspells a field is asked; a program that reports one more than we know would lose what happened. What a
record cannot do without (prices of fills, quantities, moments) is refused with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, Field, TypeAdapter, ValidationError, model_validator

from traders.api.wire import Body
from traders.schema.messages import _
from traders.schema.problems import InvalidConfig, Problem
from trading.schema.common import Side, is_fraction
from trading.schema.decision import Action, is_word
from trading.schema.leaf import Part, part_in

DETAIL = "detail."
KEPT = "Fields of the request that are not known or cannot be read; they are kept under `detail.extra`."
_ABSENT: Any = object()


class ProgramReport(Body):
    """Base of a body that becomes a record. `own` are names that the record itself writes; they are refused."""

    own: ClassVar[frozenset[str]] = frozenset()
    extra: dict[str, Any] | None = Field(None, description="Whatever else the program knows, kept as it is.")

    @model_validator(mode="before")
    @classmethod
    def _keep(cls, sent: Any) -> Any:
        if not isinstance(sent, Mapping):
            return sent
        aside: dict[str, Any] = {}
        known = _split(cls, sent, "", aside)
        if aside:
            given = known.get("extra")
            known["extra"] = {**(given if isinstance(given, Mapping) else {}), **aside}
        return known

    @property
    def kept(self) -> dict[str, Any] | None:
        """By paths below `detail`."""
        return {name.removeprefix(DETAIL): value for name, value in (self.extra or {}).items()} or None


def kept_in(detail: BaseModel) -> list[str]:
    """The paths under `detail.extra` of a record."""
    return sorted(getattr(detail, "extra", None) or {})


def refuse_own(body: BaseModel, names: tuple[str, ...], trader_id: str) -> None:
    """Raises InvalidConfig for parts of `detail` that the record itself writes."""
    found = [name for name in names if getattr(body, name) is not None]
    if found:
        words = _("is written by the record itself; leave it out")
        raise InvalidConfig(Problem(f"{DETAIL}{name}", words, trader_id) for name in found)


def _split(kind: type[BaseModel], sent: Mapping[str, Any], path: str, aside: dict[str, Any]) -> dict[str, Any]:
    """The known fields of `sent`; the others go to `aside` by their path. Unknown actions are taken by their name."""
    known = {}
    own = kind.own if issubclass(kind, ProgramReport) else frozenset()
    for name, value in sent.items():
        place = f"{path}.{name}" if path else name
        if name not in kind.model_fields and name not in own:
            aside[place] = value
        elif name not in kind.model_fields:
            known[name] = value
        elif (found := _value(kind, name, value, place, aside)) is not _ABSENT:
            known[name] = found
    return known


def _value(kind: type[BaseModel], name: str, value: Any, path: str, aside: dict[str, Any]) -> Any:
    field = kind.model_fields[name]
    annotation, may_lack = field.annotation, not field.is_required()
    if value is None and may_lack:
        return _ABSENT
    if annotation is Action and isinstance(value, str) and is_word(value.strip()):
        return Action.named(value)
    if annotation is Side and isinstance(value, str):
        # LONG and Short say what long and short say; buy and sell may be of the opening or of the closing order.
        return value.strip().lower() if value.strip().lower() in tuple(Side) else value
    part, is_list = part_in(annotation)
    # The leaves of a record; those of the request itself are few, and are asked for.
    if may_lack and issubclass(kind, Part) and not _fits(kind, name, value, part, is_list):
        aside[path] = value
        return _ABSENT
    if part is None:
        return value
    if may_lack and not isinstance(value, list if is_list else Mapping):
        aside[path] = value
        return _ABSENT
    if isinstance(value, Mapping) and not is_list:
        return _split(part, value, path, aside)
    if is_list and isinstance(value, list):
        return [
            _split(part, item, f"{path}[{index}]", aside) if isinstance(item, Mapping) else item
            for index, item in enumerate(value)
        ]
    return value


def _fits(kind: type[BaseModel], name: str, value: Any, part: Any, is_list: bool) -> bool:
    if part is not None:
        return isinstance(value, list if is_list else Mapping)
    if name == "confidence" and isinstance(value, Decimal) and is_fraction(value):
        return False
    try:
        _leaf(kind, name).validate_python(value)
    except ValidationError:
        # A moment in another unit is a fault of the program that all its moments have.
        return name.endswith("_ms")
    return True


@cache
def _leaf(kind: type[BaseModel], name: str) -> TypeAdapter[Any]:
    field = kind.model_fields[name]
    annotation: Any = field.annotation
    return TypeAdapter(Annotated[annotation, *field.metadata] if field.metadata else annotation)
