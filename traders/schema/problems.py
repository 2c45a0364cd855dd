"""What is wrong with a configuration, where, and what would be right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from traders.schema.durations import format_duration
from traders.schema.secrets import find_secret
from traders.schema.settings.declare import Kind, Setting


@dataclass(frozen=True, slots=True)
class Problem:
    """`path` is dotted and may be empty; `message` completes '<place> ...' and says what would be right."""

    path: str
    message: str
    trader_id: str = ""
    line: int | None = None

    def __str__(self) -> str:
        return ": ".join(part for part in (self.trader_id, self.path) if part) + f" {self.message}"


class InvalidConfig(Exception):
    """A configuration that must not be stored. Carries every problem found, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(map(str, self.problems)))


def expected(setting: Setting) -> str:
    """What a setting takes, in words: `a whole number from 1 to 200 (x)`."""
    if setting.choices:
        return "one of " + ", ".join(setting.choices)
    kind = {
        Kind.INTEGER: "a whole number",
        Kind.DECIMAL: "a number",
        Kind.BOOLEAN: "true or false",
        Kind.DURATION: "a duration of whole seconds such as 45s, 3m or 1h30m",
        Kind.EXTRA: "a mapping of extension keys to JSON values",
    }.get(setting.kind, "a text")
    return (
        kind + _range_words(setting) + (f" ({setting.unit})" if setting.unit and setting.kind != Kind.DURATION else "")
    )


def _range_words(setting: Setting) -> str:
    low, high = setting.minimum, setting.maximum
    if setting.kind is Kind.DURATION:
        return f", from {format_duration(int(low or 0))} to {format_duration(int(high or 0))}"
    if low is not None and high is not None:
        return f" above {low:f} and up to {high:f}" if setting.above_minimum else f" from {low:f} to {high:f}"
    if setting.max_length is not None:
        return f" of {setting.min_length} to {setting.max_length} characters"
    return ""


def problems_of(error: ValidationError, settings: Mapping[str, Setting], trader_id: str = "") -> list[Problem]:
    """pydantic's errors as ours, each at the dotted path of its setting."""
    return [_problem(dict(entry), settings, trader_id) for entry in error.errors(include_url=False)]


def _problem(entry: dict[str, Any], settings: Mapping[str, Setting], trader_id: str) -> Problem:
    path = ".".join(str(part) for part in entry["loc"])
    setting = settings.get(path)
    if entry["type"] == "missing":
        needed = f"; it must be {expected(setting)}" if setting else ""
        return Problem(path, f"is missing{needed}", trader_id)
    if entry["type"] == "extra_forbidden":
        return Problem(path, "is not a known setting", trader_id)
    message = entry["msg"].removeprefix("Value error, ")
    if entry["type"] == "value_error" and not message.startswith(("must be a", "must be true")):
        return Problem(path, message, trader_id)
    if entry["type"] == "decimal_max_places":
        places = entry["ctx"]["decimal_places"]
        return Problem(path, f"must have at most {places} decimals, was {entry['input']}", trader_id)
    right = expected(setting) if setting else message
    return Problem(path, f"must be {right}, was {shown(entry['input'])}", trader_id)


def shown(value: Any) -> str:
    """A value as an error message shows it: short, texts quoted, secrets hidden."""
    if isinstance(value, str) and (kind := find_secret(value)):
        return f"{kind} (not shown)"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else text[:77] + "..."
