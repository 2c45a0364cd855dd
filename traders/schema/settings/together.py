"""Settings that must be validated together: those of a section with a rule between its settings."""

from __future__ import annotations

from traders.schema.settings.declare import SettingsSection
from traders.schema.settings.trader import TraderSpec


def judged_with(path: str) -> str:
    """The place of a trader's configuration that decides whether a value at `path` is right: most often `path` itself,
    else the outermost section around it that has a rule of its own; "" is the whole configuration."""
    section: type[SettingsSection] = TraderSpec
    place: list[str] = []
    for name in path.split("."):
        if section.__pydantic_decorators__.model_validators:
            break
        place.append(name)
        field = section.model_fields.get(name)
        if field is None or not (isinstance(field.annotation, type) and issubclass(field.annotation, SettingsSection)):
            break
        section = field.annotation
    return ".".join(place)
