"""Problems of a configuration: the path, the value, and what would be right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from traders.schema.durations import format_duration, parse_duration
from traders.schema.messages import TranslatableText, _, gettext_noop, message_of, verbatim
from traders.schema.secrets import find_secret
from traders.schema.settings.declare import Setting, SettingKind


@dataclass(frozen=True, slots=True)
class Problem:
    """`path` is dotted and may be empty; `message` completes '<place> ...' and says what would be right."""

    path: str
    message: TranslatableText
    trader_id: str = ""
    line: int | None = None

    def __str__(self) -> str:
        return ": ".join(part for part in (self.trader_id, self.path) if part) + f" {self.message}"


class InvalidConfig(Exception):
    """A configuration that must not be stored. It has every problem, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(map(str, self.problems)))


def expected(setting: Setting) -> TranslatableText:
    """The values that a setting accepts, as text: `a whole number from 1 to 200 (x)`."""
    if setting.choices:
        return _("one of %(choices)s", choices=", ".join(setting.choices))
    kind = {
        SettingKind.INTEGER: _("a whole number"),
        SettingKind.DECIMAL: _("a number"),
        SettingKind.BOOLEAN: _("true or false"),
        SettingKind.DURATION: _("a duration of whole seconds such as 45s, 3m or 1h30m"),
        SettingKind.SYMBOLS: _(
            "a list of up to %(most)s symbols as the exchange writes them, empty for all", most=setting.max_length
        ),
        SettingKind.EXTRA: _("a mapping of extension keys to JSON values"),
    }.get(setting.kind, _("a text"))
    right = _with_range(setting, kind)
    has_unit = setting.unit and setting.kind != SettingKind.DURATION
    return _("%(right)s (%(unit)s)", right=right, unit=setting.unit) if has_unit else right


def _with_range(setting: Setting, kind: TranslatableText) -> TranslatableText:
    low, high = setting.minimum, setting.maximum
    if setting.kind is SettingKind.DURATION:
        low_text, high_text = format_duration(int(low or 0)), format_duration(int(high or 0))
        return _("%(kind)s, from %(low)s to %(high)s", kind=kind, low=low_text, high=high_text)
    if setting.kind is SettingKind.SYMBOLS:
        return kind
    if low is not None and high is not None:
        return (
            _("%(kind)s above %(low)s and up to %(high)s", kind=kind, low=f"{low:f}", high=f"{high:f}")
            if setting.above_minimum
            else _("%(kind)s from %(low)s to %(high)s", kind=kind, low=f"{low:f}", high=f"{high:f}")
        )
    if setting.max_length is not None:
        return _(
            "%(kind)s of %(min_length)s to %(max_length)s characters",
            kind=kind,
            min_length=setting.min_length,
            max_length=setting.max_length,
        )
    return kind


def problems_of(error: ValidationError, settings: Mapping[str, Setting], trader_id: str = "") -> list[Problem]:
    """A Problem for each error of pydantic, at the dotted path of its setting."""
    return [_problem(dict(entry), settings, trader_id) for entry in error.errors(include_url=False)]


def _problem(entry: dict[str, Any], settings: Mapping[str, Setting], trader_id: str) -> Problem:
    path = ".".join(str(part) for part in entry["loc"])
    setting = settings.get(path)
    whole, _dot, _place = path.rpartition(".")
    if setting is None and whole in settings and isinstance(entry["loc"][-1], int):
        named = _("%(message)s, was %(value)s", message=message_in(entry), value=shown(entry["input"]))
        return Problem(whole, named, trader_id)
    if entry["type"] == "missing":
        missing = _("is missing; it must be %(right)s", right=expected(setting)) if setting else _("is missing")
        return Problem(path, missing, trader_id)
    if entry["type"] == "extra_forbidden":
        return Problem(path, _("is not a known setting"), trader_id)
    message = message_in(entry)
    if entry["type"] == "value_error" and not message.startswith(("must be a", "must be true")):
        return Problem(path, message, trader_id)
    if entry["type"] == "decimal_max_places":
        places = entry["ctx"]["decimal_places"]
        return Problem(
            path,
            _("must have at most %(places)s decimals, was %(value)s", places=places, value=entry["input"]),
            trader_id,
        )
    value = entry["input"]
    if setting is None:
        return Problem(path, _("%(message)s, was %(value)s", message=message, value=shown(value)), trader_id)
    if setting.kind is SettingKind.DURATION and (seconds := _seconds_of(value)) is not None:
        right = _("the number of whole seconds, here %(seconds)s: only manager.yaml writes a duration", seconds=seconds)
        return Problem(path, _("must be %(right)s, was %(value)s", right=right, value=shown(value)), trader_id)
    return Problem(path, _("must be %(right)s, was %(value)s", right=expected(setting), value=shown(value)), trader_id)


def _seconds_of(value: Any) -> int | None:
    """The seconds of a text that is a duration of manager.yaml; None for any other value."""
    try:
        return parse_duration(value) if isinstance(value, str) else None
    except ValueError:
        return None


def message_in(entry: Mapping[str, Any]) -> TranslatableText:
    """The message of an error of pydantic, in the product's words. It completes '<path> ...'."""
    limits = entry.get("ctx", {})
    raised = limits.get("error")
    if isinstance(raised, ValueError):
        return message_of(raised)
    if (said := _PLAIN.get(entry["type"])) is not None:
        return said
    if (bounded := _BOUNDED.get(entry["type"])) is not None:
        name, template = bounded
        return TranslatableText(template, limit=limits[name])
    text = str(entry["msg"]).removeprefix("Value error, ").replace("Input should", "must")
    return verbatim(text[:1].lower() + text[1:])


_WHOLE, _MOMENT = _("must be a whole number"), _("must be a moment such as 2026-01-08T10:30:00Z")
_TEXT, _LIST, _OBJECT = _("must be a text"), _("must be a list"), _("must be an object")
_PLAIN = {
    "missing": _("is missing"),
    "extra_forbidden": _("is not a known field"),
    "string_type": _TEXT,
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), _WHOLE),
    **dict.fromkeys(("bool_type", "bool_parsing"), _("must be true or false")),
    **dict.fromkeys(("decimal_type", "decimal_parsing", "float_type", "float_parsing"), _("must be a number")),
    **dict.fromkeys(("list_type", "tuple_type", "set_type", "frozen_set_type"), _LIST),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type", "mapping_type"), _OBJECT),
    **dict.fromkeys(
        ("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "datetime_object_invalid"), _MOMENT
    ),
    "timezone_aware": _("must name its zone, such as 2026-01-08T10:30:00Z"),
}
# {type: (name of the limit, template)}
_BOUNDED = {
    "greater_than": ("gt", gettext_noop("must be above %(limit)s")),
    "greater_than_equal": ("ge", gettext_noop("must be %(limit)s or more")),
    "less_than": ("lt", gettext_noop("must be below %(limit)s")),
    "less_than_equal": ("le", gettext_noop("must be at most %(limit)s")),
    "string_too_short": ("min_length", gettext_noop("must have at least %(limit)s characters")),
    "string_too_long": ("max_length", gettext_noop("must have at most %(limit)s characters")),
    "too_short": ("min_length", gettext_noop("must have at least %(limit)s items")),
    "too_long": ("max_length", gettext_noop("must have at most %(limit)s items")),
    "enum": ("expected", gettext_noop("must be %(limit)s")),
    "literal_error": ("expected", gettext_noop("must be %(limit)s")),
    "string_pattern_mismatch": ("pattern", gettext_noop("must match %(limit)s")),
}


def shown(value: Any) -> str:
    """A value as an error message shows it: short, texts quoted, secrets hidden."""
    if isinstance(value, str) and (kind := find_secret(value)):
        return _("%(kind)s (not shown)", kind=kind)
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else text[:77] + "..."
