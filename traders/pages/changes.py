"""How pages show a change: label, path, old and new value, and whether it raises risk."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from traders.schema.paths import ABSENT, Change
from traders.schema.settings.declare import Setting, SettingKind
from traders.versions.rules.proposal import settings_of
from traders.words import settings as words

_CONTEXT_LINES = 2
_DIGEST_END = "_sha256"


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of a text diff; `sign` is `+`, `-`, `@` (lines left out) or empty."""

    sign: str
    text: str


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """`kind` is changed, added or removed; `risk` is raises, lowers or empty; `lines` is the diff of a long text."""

    path: str
    label: str
    old: str
    new: str
    kind: str
    risk: str
    lines: tuple[TextLine, ...] = ()


def rows(config_id: str, changes: Iterable[Change], *, texts: Mapping[str, str] | None = None) -> list[ChangeLine]:
    """`texts` are prompts' bodies by digest: a changed digest with both sides among them is shown line by line."""
    settings = settings_of(config_id)
    return [_row(settings, change, texts or {}) for change in changes]


def digests_in(changes: Iterable[Change]) -> set[str]:
    """The digests of prompts that these changes name."""
    return {
        value
        for change in changes
        if change.path.endswith(_DIGEST_END)
        for value in (change.old, change.new)
        if isinstance(value, str)
    }


def _row(settings: Mapping[str, Setting], change: Change, texts: Mapping[str, str]) -> ChangeLine:
    setting = settings.get(change.path)
    return ChangeLine(
        path=change.path,
        label=words.place(settings, change.path),
        old=words.value(setting, change.old),
        new=words.value(setting, change.new),
        kind="added" if change.old is ABSENT else "removed" if change.new is ABSENT else "changed",
        risk=_risk(setting, change),
        lines=_text_lines(setting, change, texts),
    )


def _risk(setting: Setting | None, change: Change) -> str:
    if setting is None or ABSENT in (change.old, change.new):
        return ""
    if setting.raises_risk(change.old, change.new):
        return "raises"
    return "lowers" if setting.raises_risk(change.new, change.old) else ""


def _text_lines(setting: Setting | None, change: Change, texts: Mapping[str, str]) -> tuple[TextLine, ...]:
    if change.path.endswith(_DIGEST_END):
        old, new = texts.get(change.old), texts.get(change.new)
    elif setting is not None and setting.kind is SettingKind.LONG_TEXT:
        old, new = change.old, change.new
    else:
        return ()
    if not isinstance(old, str) or not isinstance(new, str):
        return ()
    return tuple(line_diff(old, new))


def line_diff(old: str, new: str) -> Iterable[TextLine]:
    """The lines that differ, with a few lines of context."""
    found: Any = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=_CONTEXT_LINES)
    for index, line in enumerate(found):
        if index < 3:  # the two lines that would name files, and the first place
            continue
        if line.startswith("@@"):
            yield TextLine("@", "")
        else:
            yield TextLine(line[0].strip(), line[1:])
