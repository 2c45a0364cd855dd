"""A fleet as files: manager.yaml and its prompts, such that reading them gives equal configurations."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from traders.manager_yaml.bundle.emit import fleet_sections, trader_entry
from traders.manager_yaml.bundle.placement import MANAGER_YAML, Placement, UnwritableBundle, place
from traders.manager_yaml.yaml.document import MAX_FILE_BYTES
from traders.manager_yaml.yaml.source import MEBIBYTE, Absent, UnreadableFile, read_bytes
from traders.schema.messages import _
from traders.schema.problems import Problem
from traders.schema.prompts import MAX_BYTES, PromptFile
from traders.schema.settings.fleet import FleetSpec
from traders.schema.settings.trader import TraderSpec

_HEADER = """\
# Written by export_traders. {every_setting}
# Syncing this file brings the fleet, or the traders it names, to what is written here.
"""


def write_bundle(
    directory: Path,
    fleet: FleetSpec,
    traders: Iterable[TraderSpec],
    prompts: Mapping[str, PromptFile],
    *,
    force: bool = False,
) -> list[Path]:
    """Writes manager.yaml and the prompt files below `directory`, which is made if needed. Returns all paths.

    `prompts` is keyed by sha256. Nothing is written unless all of it can be: raises UnwritableBundle when a
    prompt's text is unknown, when a path leads out of the directory, when manager.yaml would be too large to be
    read, and, without `force`, when a file is there that differs. Raises OSError when the disk refuses.
    """
    traders = list(traders)
    placement = place(traders, prompts)
    targets = {directory / name: content for name, content in placement.files.items()}
    # Written last, so that everything it names exists.
    targets[directory / MANAGER_YAML] = _manager_yaml(fleet, traders, placement)
    _require_inside(directory, targets)
    if not force:
        _require_no_others(targets)
    for path, content in targets.items():
        _write(path, content)
    return list(targets)


def _manager_yaml(fleet: FleetSpec, traders: list[TraderSpec], placement: Placement) -> bytes:
    content = _rendered(fleet, traders, placement, defaults=True)
    if len(content) > MAX_FILE_BYTES:
        content = _rendered(fleet, traders, placement, defaults=False)
    if len(content) > MAX_FILE_BYTES:
        most = MAX_FILE_BYTES // MEBIBYTE
        raise UnwritableBundle(
            [
                Problem(
                    "",
                    _(
                        "%(file)s would be larger than %(most)s MB and could not be read; export fewer traders",
                        file=MANAGER_YAML,
                        most=most,
                    ),
                )
            ]
        )
    return content


def _rendered(fleet: FleetSpec, traders: list[TraderSpec], placement: Placement, *, defaults: bool) -> bytes:
    every_setting = "Every setting is written out." if defaults else "Settings that are left out have their defaults."
    sections = fleet_sections(fleet)
    entries = [trader_entry(trader, placement, defaults=defaults) for trader in traders]
    listed = "traders:\n" + "\n".join(entries) if entries else "traders: []\n"
    parts = [_HEADER.format(every_setting=every_setting), sections.pop("manager"), listed, *sections.values()]
    return "\n".join(parts).encode()


def _require_inside(directory: Path, targets: Iterable[Path]) -> None:
    root = directory.resolve()
    for path in targets:
        if not path.resolve().is_relative_to(root):
            raise UnwritableBundle(
                [Problem("", _("%(path)s leads out of %(directory)s through a link", path=path, directory=directory))]
            )


def _require_no_others(targets: Mapping[Path, bytes]) -> None:
    problems = []
    for path, content in targets.items():
        try:
            differs = read_bytes(path, limit=max(MAX_BYTES, MAX_FILE_BYTES)) != content
        except Absent:
            continue
        except UnreadableFile as error:
            problems.append(Problem("", _("%(path)s %(error)s", path=path, error=error)))
            continue
        if differs:
            problems.append(
                Problem(
                    "", _("%(path)s is there already and differs; choose a new directory or use --force", path=path)
                )
            )
    if problems:
        raise UnwritableBundle(problems)


def _write(path: Path, content: bytes) -> None:
    """Atomic: after a crash the old file is still whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
