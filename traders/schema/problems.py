"""What is wrong with a configuration, where, and what would be right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from traders.schema.durations import format_duration
from traders.schema.messages import TranslatableText, _, message_of, verbatim
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
    """A configuration that must not be stored. Carries every problem found, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(map(str, self.problems)))


def expected(setting: Setting) -> TranslatableText:
    """What a setting takes, in words: `a whole number from 1 to 200 (x)`."""
    if setting.choices:
        return _("one of %(choices)s", choices=", ".join(setting.choices))
    kind = {
        SettingKind.INTEGER: _("a whole number"),
        SettingKind.DECIMAL: _("a number"),
        SettingKind.BOOLEAN: _("true or false"),
        SettingKind.DURATION: _("a duration of whole seconds such as 45s, 3m or 1h30m"),
        SettingKind.EXTRA: _("a mapping of extension keys to JSON values"),
    }.get(setting.kind, _("a text"))
    unit = _(" (%(unit)s)", unit=setting.unit) if setting.unit and setting.kind != SettingKind.DURATION else ""
    return _("%(kind)s%(range)s%(unit)s", kind=kind, range=_range_words(setting), unit=unit)


def _range_words(setting: Setting) -> TranslatableText:
    low, high = setting.minimum, setting.maximum
    if setting.kind is SettingKind.DURATION:
        return _(
            ", from %(low)s to %(high)s",
            low=format_duration(int(low or 0)),
            high=format_duration(int(high or 0)),
        )
    if low is not None and high is not None:
        return (
            _(" above %(low)s and up to %(high)s", low=f"{low:f}", high=f"{high:f}")
            if setting.above_minimum
            else _(" from %(low)s to %(high)s", low=f"{low:f}", high=f"{high:f}")
        )
    if setting.max_length is not None:
        return _(
            " of %(min_length)s to %(max_length)s characters",
            min_length=setting.min_length,
            max_length=setting.max_length,
        )
    return _("")


def problems_of(error: ValidationError, settings: Mapping[str, Setting], trader_id: str = "") -> list[Problem]:
    """pydantic's errors as ours, each at the dotted path of its setting."""
    return [_problem(dict(entry), settings, trader_id) for entry in error.errors(include_url=False)]


def _problem(entry: dict[str, Any], settings: Mapping[str, Setting], trader_id: str) -> Problem:
    path = ".".join(str(part) for part in entry["loc"])
    setting = settings.get(path)
    if entry["type"] == "missing":
        needed = _("; it must be %(right)s", right=expected(setting)) if setting else ""
        return Problem(path, _("is missing%(needed)s", needed=needed), trader_id)
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
    right = expected(setting) if setting else message
    return Problem(path, _("must be %(right)s, was %(value)s", right=right, value=shown(entry["input"])), trader_id)


def message_in(entry: Mapping[str, Any]) -> TranslatableText:
    """What an error of pydantic says: the text of our own ValueError, else pydantic's words."""
    raised = entry.get("ctx", {}).get("error")
    return message_of(raised) if isinstance(raised, ValueError) else verbatim(entry["msg"])


def shown(value: Any) -> str:
    """A value as an error message shows it: short, texts quoted, secrets hidden."""
    if isinstance(value, str) and (kind := find_secret(value)):
        return _("%(kind)s (not shown)", kind=kind)
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else text[:77] + "..."
