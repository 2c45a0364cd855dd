"""`--prefer yaml`, `--prefer PATH=db`, `--prefer TRADER:PATH=yaml` -> the side that wins each conflict."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

from traders.schema.settings.catalogue import FLEET_SETTINGS, TRADER_SETTINGS
from traders.schema.settings.declare import Setting
from traders.schema.settings.fleet import FLEET_ID
from traders.versions.rules.merge import MergeSide, Preferences

_SIDES = "yaml or db"
_EXTRA = "detail.extra."
_PATHS = {s.yaml_key: s.path for settings in (FLEET_SETTINGS, TRADER_SETTINGS) for s in settings.values() if s.yaml_key}


def parse_preferences(words: Iterable[str], *, declared: Collection[str]) -> Preferences:
    """PATH is dotted as reports show it, or a key of manager.yaml. `declared`: the traders of the file.

    Raises ValueError for a word of another form, or one that could never apply.
    """
    everywhere: MergeSide | None = None
    by_path: dict[str, MergeSide] = {}
    for word in words:
        place, equals, side = word.rpartition("=")
        chosen = _side(side, word)
        if equals:
            by_path[_place(place, declared)] = chosen
        elif everywhere not in (None, chosen):
            raise ValueError("--prefer yaml and --prefer db cannot both hold for all")
        else:
            everywhere = chosen
    return Preferences(everywhere, by_path)


def _side(side: str, word: str) -> MergeSide:
    if side not in tuple(MergeSide):
        raise ValueError(f"--prefer {word}: must be {_SIDES}, PATH={_SIDES} or TRADER:PATH={_SIDES}")
    return MergeSide(side)


def _place(place: str, declared: Collection[str]) -> str:
    config_id, colon, path = place.rpartition(":")
    if not colon:
        return _path(path, {**FLEET_SETTINGS, **TRADER_SETTINGS})
    if config_id != FLEET_ID and config_id not in declared:
        raise ValueError(f"--prefer {place}: the file declares no trader {config_id!r}{_close(config_id, declared)}")
    return f"{config_id}:{_path(path, FLEET_SETTINGS if config_id == FLEET_ID else TRADER_SETTINGS)}"


def _path(path: str, settings: dict[str, Setting]) -> str:
    if path.startswith("extra."):
        path = f"detail.{path}"
    path = _PATHS.get(path, path)
    if path in settings or (path.startswith(_EXTRA) and path != _EXTRA):
        return path
    raise ValueError(f"--prefer {path}: there is no such setting{_close(path, [*settings, *_PATHS])}")


def _close(word: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""
