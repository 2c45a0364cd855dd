"""Labels of settings and texts of values, translated, for all pages."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from traders.schema import jsonio
from traders.schema.durations import duration_text
from traders.schema.paths import ABSENT, EXTRA
from traders.schema.settings.declare import Riskier, Setting, SettingGroup, SettingKind
from traders.words.messages import translated

_DIGEST = 12


def duration(seconds: int) -> str:
    """180 -> `3 min`, 5400 -> `1 h 30 min`."""
    return translated(duration_text(seconds))


def rough_duration(seconds: int) -> str:
    """By its two largest units: 93,784 -> `1 d 2 h`."""
    return translated(duration_text(seconds, units=2))


def number(value: Decimal | int) -> str:
    """Thousands separated, no trailing zeros: 12500.50 -> `12,500.5`."""
    text = f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def value(setting: Setting | None, value: Any) -> str:
    """A value as pages show it, with its unit."""
    if value is ABSENT:
        return _("not set")
    if value is None or value == "":
        return _("empty")
    if isinstance(value, bool):
        return _("on") if value else _("off")
    if setting is None:
        return jsonio.dumps(value)
    if isinstance(value, list):
        return " ".join(value) or _("all")
    if isinstance(value, dict):
        return f"{value['trader_id']} v{value['version']}"
    if setting.off_at_zero and value == 0:
        return _("no limit") if setting.riskier is Riskier.HIGHER else _("off")
    if setting.kind is SettingKind.DURATION and isinstance(value, int):
        return duration(value)
    if isinstance(value, int | Decimal):
        return number(value) + _shown_unit(setting)
    return value[:_DIGEST] if setting.path.endswith("_sha256") else str(value)


def _shown_unit(setting: Setting) -> str:
    if setting.unit in ("", "0-100"):
        return ""
    return _(setting.unit) if setting.unit == "x" else f" {_(setting.unit)}"


def source(name: str) -> str:
    """The label of a version's source; an unknown source is shown as it is."""
    known = {
        # Not the role of this name.
        "admin": _("page"),
        "api": _("API"),
        "bulk": _("bulk"),
        "clone": _("clone"),
        "prompt": _("prompt"),
        "python": _("Python code"),
        "restore": _("restore"),
        "sync": _("sync"),
        "undo": _("undo"),
    }
    return known.get(name, name)


def place(settings: Mapping[str, Setting], path: str) -> str:
    """A path in words: `Risk - max positions`."""
    if path in settings:
        found = settings[path]
        return f"{_(found.group)} - {_sentence_middle(_(found.label))}"
    if path.startswith(EXTRA + "."):
        return f"{_(SettingGroup.EXTRA)} - {path.removeprefix(EXTRA + '.')}"
    return path


def _sentence_middle(label: str) -> str:
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def allowed(setting: Setting) -> str:
    """The range in a few characters: `1 to 200`, `above 0, up to 1,000`, `45s, 3m, 1h30m`."""
    if setting.kind is SettingKind.DURATION:
        return _("such as 45s, 3m, 1h30m; up to %(most)s") % {"most": duration(int(setting.maximum or 0))}
    if setting.minimum is not None and setting.maximum is not None:
        low, high = number(setting.minimum), number(setting.maximum)
        text = _("above %(low)s, up to %(high)s") if setting.above_minimum else _("%(low)s to %(high)s")
        return text % {"low": low, "high": high}
    return ""
