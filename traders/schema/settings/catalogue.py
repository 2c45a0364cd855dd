"""Every setting of a trader and of the fleet, by dotted path, read off the declarations."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from types import UnionType
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo

from traders.schema.settings.declare import REQUIRED, Setting, SettingKind, SettingsSection
from traders.schema.settings.fleet import FleetSpec
from traders.schema.settings.trader import TraderSpec


def settings_by_path(spec: type[SettingsSection]) -> dict[str, Setting]:
    """{path: Setting} of all leaves below `spec`, in the order of their declaration."""
    return {setting.path: setting for setting in _walk(spec, prefix="")}


def _walk(section: type[SettingsSection], prefix: str) -> Iterator[Setting]:
    for name, field in section.model_fields.items():
        extra = field.json_schema_extra
        if isinstance(extra, dict) and "declared" in extra:
            yield _setting(section, prefix + name, name, field, extra["declared"])
        elif isinstance(field.annotation, type) and issubclass(field.annotation, SettingsSection):
            yield from _walk(field.annotation, f"{prefix}{name}.")


def _setting(section: type[SettingsSection], path: str, name: str, field: FieldInfo, declared: Any) -> Setting:
    kind, choices = _kind_and_choices(field.annotation)
    key = name if declared["yaml"] is None else declared["yaml"]
    minimum = _bound(field, "ge")
    above = _bound(field, "gt")
    max_length = _bound(field, "max_length")
    return Setting(
        path=path,
        yaml_key=".".join(part for part in (section.yaml_prefix, key) if part) if key else "",
        kind=declared["kind"] or kind,
        group=declared["group"] or section.group,
        label=field.title or name,
        help=field.description or "",
        unit=declared["unit"],
        default=_default(field, kind),
        minimum=minimum if above is None else above,
        above_minimum=above is not None,
        maximum=_bound(field, "le"),
        max_length=None if max_length is None else int(max_length),
        choices=choices,
        riskier=declared["riskier"],
        off_at_zero=declared["off_at_zero"],
        decimal_places=None if (places := _bound(field, "decimal_places")) is None else int(places),
        applies=declared["applies"],
        min_length=int(_bound(field, "min_length") or 0),
    )


def _kind_and_choices(annotation: Any) -> tuple[SettingKind, tuple[str, ...]]:
    if get_origin(annotation) is UnionType:
        annotation = get_args(annotation)[0]
    if isinstance(annotation, type):
        if issubclass(annotation, StrEnum):
            return SettingKind.CHOICE, tuple(member.value for member in annotation)
        for python_type, kind in (
            (bool, SettingKind.BOOLEAN),
            (int, SettingKind.INTEGER),
            (Decimal, SettingKind.DECIMAL),
        ):
            if issubclass(annotation, python_type):
                return kind, ()
    return SettingKind.TEXT, ()


def _default(field: FieldInfo, kind: SettingKind) -> Any:
    if field.is_required():
        return REQUIRED
    return Decimal(field.default) if kind is SettingKind.DECIMAL else field.default


def _bound(field: FieldInfo, name: str) -> Decimal | None:
    found = next((getattr(rule, name) for rule in field.metadata if hasattr(rule, name)), None)
    return None if found is None else Decimal(found)


TRADER_SETTINGS = settings_by_path(TraderSpec)
FLEET_SETTINGS = settings_by_path(FleetSpec)
