"""The reference of all settings in Markdown, written from their declarations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

from traders.schema.durations import format_duration
from traders.schema.problems import expected
from traders.schema.settings.catalogue import FLEET_SETTINGS, TRADER_SETTINGS
from traders.schema.settings.declare import Applies, Riskier, Setting, SettingGroup, SettingKind

_HEAD = """# Settings

Every setting of a trader and of the fleet: its key in `manager.yaml`, its path in the database and in every
diff, what it takes, which direction of a change raises risk, and when a change applies: at the next cycle of the
trader (of every trader, for the fleet), or at a restart of the engine that reads it. Written by
`python manage.py describe_settings` from the declarations in `traders/schema`; do not edit it by hand.
"""
_COLUMNS = """| `manager.yaml` | path | takes | default | riskier | applies | meaning |
|---|---|---|---|---|---|---|"""
_RISKIER = {
    Riskier.HIGHER: "higher",
    Riskier.LOWER: "lower",
    Riskier.ON: "on",
    Riskier.OFF: "off",
    Riskier.WIDER: "more",
    None: "",
}


_APPLIES = {Applies.NEXT_CYCLE: "next cycle", Applies.RESTART: "restart"}


def settings_reference() -> str:
    """The whole page."""
    parts = [
        _HEAD,
        *_tables("Trader: an entry of `traders:`, table `trader_config`", TRADER_SETTINGS),
        *_tables("Fleet: `manager:` and `monitoring:`, table `manager_config`", FLEET_SETTINGS),
    ]
    return "\n".join(parts)


def _tables(title: str, settings: Mapping[str, Setting]) -> Iterable[str]:
    yield f"## {title}\n"
    by_group = sorted(settings.values(), key=lambda setting: list(SettingGroup).index(setting.group))
    for group, members in groupby(by_group, key=lambda setting: setting.group):
        yield f"### {group}\n"
        yield "\n".join((_COLUMNS, *map(_row, members))) + "\n"


def _row(setting: Setting) -> str:
    key = f"`{setting.yaml_key}`" if setting.yaml_key else "(kept by the program)"
    takes = "" if setting.kind is SettingKind.DERIVED else expected(setting)
    meaning = ". ".join(part for part in (setting.label, setting.help) if part)
    applies = _APPLIES[setting.applies]
    cells = (key, f"`{setting.path}`", takes, _default(setting), _RISKIER[setting.riskier], applies, meaning)
    return f"| {' | '.join(cells)} |"


def _default(setting: Setting) -> str:
    if setting.required:
        return "required"
    if setting.kind is SettingKind.DURATION:
        return f"`{format_duration(setting.default)}`"
    if isinstance(setting.default, bool):
        return f"`{str(setting.default).lower()}`"
    return f"`{setting.default}`" if setting.default not in ("", None, {}, []) else ""
