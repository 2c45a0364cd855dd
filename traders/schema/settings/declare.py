"""How one setting is declared: its type, range, unit, default, words, YAML key and which direction is riskier."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticUndefined

from traders.schema.messages import _

REQUIRED: Any = PydanticUndefined


class SettingKind(StrEnum):
    TEXT = "text"
    LONG_TEXT = "long_text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    DURATION = "duration"
    EXCHANGE_PROVIDER = "exchange_provider"
    MARKET_PROVIDER = "market_provider"
    MODEL = "model"
    PROMPT = "prompt"
    SYMBOLS = "symbols"  # a list of names as the exchange writes them
    DERIVED = "derived"  # kept by the program (versions and digests of prompts, origin of a clone)
    EXTRA = "extra"


class Riskier(StrEnum):
    """The direction of a change that raises risk."""

    HIGHER = "higher"
    LOWER = "lower"
    ON = "on"
    OFF = "off"
    WIDER = "wider"  # a list that names more; an empty one names all


class Applies(StrEnum):
    """When the manager obeys a changed value."""

    NEXT_CYCLE = "next_cycle"  # of each trader that it concerns
    RESTART = "restart"  # read from manager.yaml by an engine when it starts


class SettingGroup(StrEnum):
    """The groups of the forms and of the documentation, in their order."""

    IDENTITY = _("Identity")
    CAPITAL = _("Providers and capital")
    PROMPTS = _("Prompts")
    MODEL = _("Model")
    ORDERS = _("Orders")
    RISK = _("Risk")
    GUARDS = _("Execution guards")
    JOURNAL = _("Journal")
    FLEET = _("Fleet")
    MONITORING = _("Monitoring")
    EXTRA = _("Extra")


@dataclass(frozen=True, slots=True)
class Setting:
    """One leaf of a configuration, as every reader of the schema sees it.

    `path` is dotted (`detail.risk.max_positions`); `yaml_key` is the dotted key inside the entry of
    manager.yaml, empty when the file has none. Bounds are inclusive unless `above_minimum`.
    """

    path: str
    yaml_key: str
    kind: SettingKind
    group: SettingGroup
    label: str
    help: str
    unit: str
    default: Any
    minimum: Decimal | None
    above_minimum: bool
    maximum: Decimal | None
    max_length: int | None
    choices: tuple[str, ...]
    riskier: Riskier | None
    off_at_zero: bool
    min_length: int = 0
    decimal_places: int | None = None
    applies: Applies = Applies.NEXT_CYCLE

    @property
    def required(self) -> bool:
        return self.default is REQUIRED

    def raises_risk(self, old: Any, new: Any) -> bool:
        """Whether a change from `old` to `new` goes in the riskier direction."""
        if self.riskier is None or old is None or new is None or old == new:
            return False
        if self.riskier is Riskier.WIDER:
            return bool(old) and (not new or not set(new) <= set(old))
        if self.riskier in (Riskier.ON, Riskier.OFF):
            return bool(new) is (self.riskier is Riskier.ON)
        if self.off_at_zero and 0 in (old, new):
            return bool(new == 0)
        return bool(new > old) is (self.riskier is Riskier.HIGHER)


class SettingsSection(BaseModel):
    """Base of every part of a configuration: closed, immutable, one group, one place in the YAML file."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_enum_values=True)
    group: ClassVar[SettingGroup]
    yaml_prefix: ClassVar[str] = ""


def setting(
    default: Any = REQUIRED,
    *,
    label: str,
    help: str = "",
    unit: str = "",
    kind: SettingKind | None = None,
    group: SettingGroup | None = None,
    yaml: str | None = None,
    riskier: Riskier | None = None,
    off_at_zero: bool = False,
    applies: Applies = Applies.NEXT_CYCLE,
    **bounds: Any,
) -> Any:
    """A pydantic Field that carries what forms, YAML and documentation need.

    `yaml` is the key in the section's part of the file; None means the field's own name, "" none at all.
    `group` moves a field out of its section's group.
    `off_at_zero`: 0 switches the limit off, which is the riskiest value.
    `applies`: when the manager obeys a changed value.
    """
    declared: Any = {
        "unit": unit,
        "kind": kind,
        "group": group,
        "yaml": yaml,
        "riskier": riskier,
        "off_at_zero": off_at_zero,
        "applies": applies,
    }
    return Field(default, title=label, description=help, json_schema_extra={"declared": declared}, **bounds)


def _exact(value: Any) -> Any:
    if type(value) is Decimal:
        return value
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError(_("must be a number"))
    return Decimal(value)


class _JsonNumber:
    """In a JSON schema a Decimal is the number that JSON holds; pydantic would call it a text."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        shown = handler(core)
        number = next((kind for kind in shown.get("anyOf", ()) if kind.get("type") == "number"), shown)
        return {**number, "type": "number"}


def _integer(value: Any) -> Any:
    if type(value) is int:
        return value
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(_("must be a whole number"))
    return value


def _boolean(value: Any) -> Any:
    if not isinstance(value, bool):
        raise ValueError(_("must be true or false"))
    return value


def unprintable(text: str, *, allowed: str = "") -> str | None:
    """The first character that is a control character, a lone surrogate or unassigned, else None."""
    if text.isprintable():
        return None
    return next((c for c in text if c not in allowed and unicodedata.category(c) in ("Cc", "Cs", "Cn")), None)


def _line(text: str) -> str:
    if (bad := unprintable(text)) is not None:
        raise ValueError(_("must not hold the character U+%(code)s", code=f"{ord(bad):04X}"))
    return text.strip()


def _lines(text: str) -> str:
    if (bad := unprintable(text, allowed="\n\t")) is not None:
        raise ValueError(_("must not hold the character U+%(code)s", code=f"{ord(bad):04X}"))
    return text.strip()


# Before the length is looked at, so that blanks are no name.
_STRIPPED = StringConstraints(strip_whitespace=True)

Number = Annotated[Decimal, BeforeValidator(_exact), _JsonNumber()]
Integer = Annotated[int, BeforeValidator(_integer)]
Boolean = Annotated[bool, BeforeValidator(_boolean)]
Line = Annotated[str, _STRIPPED, AfterValidator(_line)]
Lines = Annotated[str, _STRIPPED, AfterValidator(_lines)]
