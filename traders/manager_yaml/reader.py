"""manager.yaml -> ManagerFile, or every problem of the file at once."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from traders.manager_yaml.file import ManagerFile
from traders.manager_yaml.neighbours import known_names, warnings_of
from traders.manager_yaml.prompts import Find, PromptReader
from traders.manager_yaml.section import read_section
from traders.manager_yaml.shape import FLEET_SHAPE
from traders.manager_yaml.trader_entry import TraderEntries
from traders.manager_yaml.validated import checked
from traders.manager_yaml.yaml.document import YamlDocument, read_document
from traders.manager_yaml.yaml.mappings import Entries, describe, entries, tag_message
from traders.manager_yaml.yaml.nodes import Mapping, Node, Sequence
from traders.schema.messages import _
from traders.schema.paths import Flat
from traders.schema.settings.catalogue import FLEET_SETTINGS
from traders.schema.settings.fleet import FleetSpec
from traders.schema.settings.validate import validate_fleet

_TRADERS = "traders"
_NO_TRADERS = _("the file declares no trader: a trading engine does not start with it")


def read_manager_yaml(path: Path, *, names_from: Path | None = None, find_prompt: Find | None = None) -> ManagerFile:
    """Reads the file, the files of names beside it and the prompts it names. Never writes.

    For a file that came alone: `names_from` is the directory with the files of names, `find_prompt` gives the
    bytes of a prompt (as `PromptReader.find`).

    Raises InvalidFile with all problems found: of manager.yaml, or of the first broken file beside it. The fleet
    rule is not checked here, it needs the database.
    """
    with _collector_paused():
        return _read(Path(path), names_from or Path(path).parent, find_prompt)


def _read(path: Path, names_from: Path, find_prompt: Find | None) -> ManagerFile:
    document = read_document(path)
    known = known_names(names_from)
    prompts = PromptReader(path.parent, known.prompt_rules, find_prompt)
    with document:
        top = entries(document.root, document.place)
        reading = TraderEntries(document.problems, known, prompts)
        fleet = _fleet(document, {key: entry for key, entry in top.items() if key != _TRADERS})
        reading.read_all(_trader_nodes(document, top))
    assert fleet is not None  # else there were problems
    warnings = [*warnings_of(known), *prompts.warnings, *([] if reading.specs else [_NO_TRADERS])]
    return ManagerFile(
        path=path,
        sha256=document.sha256,
        fleet=fleet,
        traders=reading.specs,
        prompts=prompts.by_digest,
        lines=reading.lines,
        warnings=tuple(warnings),
        known=known,
    )


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Pauses the garbage collector: on a growing tree without cycles it takes a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _fleet(document: YamlDocument, sections: Entries) -> FleetSpec | None:
    flat: Flat = {}
    bad = read_section(sections, FLEET_SHAPE, flat, document.place, known=(_TRADERS,))
    return checked(
        validate_fleet, flat, document.root, document.place, FLEET_SETTINGS, bad, sections=("manager", "monitoring")
    )


def _trader_nodes(document: YamlDocument, top: Entries) -> list[Node]:
    if _TRADERS not in top:
        document.place.wrong(_TRADERS, _("is missing; it must be a list of traders"), document.root.line)
        return []
    key, node = top[_TRADERS]
    if node.tag is not None:
        document.place.wrong(_TRADERS, tag_message(node.tag), key.line)
    elif isinstance(node, Sequence):
        return node.items
    else:
        empty = "" if isinstance(node, Mapping) else _("; write [] for a fleet without traders")
        document.place.wrong(
            _TRADERS,
            _("must be a list of traders, was %(value)s%(empty)s", value=describe(node), empty=empty),
            key.line,
        )
    return []
