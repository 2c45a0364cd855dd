"""What programs report: a field that is not known is kept under `detail.extra`, and the record is taken.

A person who misspells a field is asked; a program that reports one more than we know would lose what happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, Field, model_validator

from traders.api.wire import Body
from traders.schema.messages import _
from traders.schema.problems import InvalidConfig, Problem
from trading.replay.rules.confidence import fraction_of, fractions_in
from trading.schema.decision import Action
from trading.schema.leaf import part_in

DETAIL = "detail."
KEPT = "Fields of the request that are not known; they are kept under `detail.extra`."


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


def refuse_fractions(body: BaseModel, trader_id: str) -> None:
    """Raises InvalidConfig for a confidence that is a fraction of 1."""
    found = [Problem(path, fraction_of(value), trader_id) for path, value in fractions_in(body)]
    if found:
        raise InvalidConfig(found)


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
        else:
            known[name] = _value(kind, name, value, place, aside) if name in kind.model_fields else value
    return known


def _value(kind: type[BaseModel], name: str, value: Any, path: str, aside: dict[str, Any]) -> Any:
    annotation = kind.model_fields[name].annotation
    if annotation is Action and isinstance(value, str) and value.strip().isprintable() and 0 < len(value.strip()) <= 64:
        return Action.named(value)
    part, is_list = part_in(annotation)
    if part is None:
        return value
    if isinstance(value, Mapping) and not is_list:
        return _split(part, value, path, aside)
    if is_list and isinstance(value, list):
        return [
            _split(part, item, f"{path}[{index}]", aside) if isinstance(item, Mapping) else item
            for index, item in enumerate(value)
        ]
    return value
