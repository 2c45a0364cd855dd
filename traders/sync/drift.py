"""Compares a manager.yaml with the file of the last sync. Changes nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path

from traders.manager_yaml.file import InvalidFile
from traders.manager_yaml.located import located
from traders.manager_yaml.names import name_problems
from traders.manager_yaml.neighbours import known_names, warnings_of
from traders.manager_yaml.prompts import InvalidPrompt, PromptReader
from traders.manager_yaml.reader import read_manager_yaml
from traders.manager_yaml.yaml.document import MAX_FILE_BYTES
from traders.manager_yaml.yaml.source import UnreadableFile, read_bytes
from traders.schema.messages import TranslatableText
from traders.schema.paths import ABSENT, EXTRA
from traders.schema.problems import InvalidConfig
from traders.schema.settings.fleet import FLEET_ID
from traders.sync import writer as bases
from traders.sync.rules import MissingTrader, SyncAction, SyncReport
from traders.sync.services import sync
from traders.sync.writer import DeclaredNames
from traders.versions import queries as configs


def was_ever_synced() -> bool:
    return bases.last_sync() is not None


def describe_drift(path: Path) -> str:
    """One line: whether `path` differs from the file of the last sync, and what a sync would do."""
    try:
        report = unchanged(path) or _planned(path)
    except InvalidFile as error:
        return f"{path} cannot be synced:\n{error}"
    if not report.outcomes and not report.missing:
        return f"{path} is as synced last."
    counts = {
        "new": report.count(SyncAction.INSERTED),
        "to update": report.count(SyncAction.UPDATED),
        "in conflict": len({config_id for config_id, _ in report.open_conflicts}),
        "missing from the file": sum(not missing.retired for missing in report.missing),
    }
    said = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return f"{path} differs from what is stored: {said or 'nothing that makes a version'}."


def _planned(path: Path) -> SyncReport:
    """Raises InvalidFile for a file that is wrong in itself, and for a file that does not fit the stored fleet."""
    file = read_manager_yaml(path)
    try:
        return sync(file=file, actor="drift", check=True)
    except InvalidConfig as error:
        raise located(file, error) from error


def changed_since_declared() -> dict[str, list[str]]:
    """{config_id: paths that are stored otherwise than the file declared them at the last sync}, retired traders and
    those that the file no longer declares aside. Three statements."""
    suspects = bases.suspected_of_drift()
    if not suspects:
        return {}
    declared, stored = bases.declared(suspects), configs.current_traders(suspects)
    if FLEET_ID in suspects and (fleet := configs.current_fleet()):
        stored[FLEET_ID] = fleet
    found = {}
    for name in sorted(declared.keys() & stored.keys()):
        base, now = declared[name], stored[name].flat
        # A setting that came with a newer release has no declaration yet; what lies under `extra` may come and go.
        paths = {path for path in base.keys() | now.keys() if (path in base and path in now) or path.startswith(EXTRA)}
        if differing := sorted(path for path in paths if base.get(path, ABSENT) != now.get(path, ABSENT)):
            found[name] = differing
    return found


def unchanged(path: Path) -> SyncReport | None:
    """The report of a sync that would change nothing, found by digests without parsing the file; else None.

    The same bytes were synced last, no base moved since, no conflict waits, and every prompt and every name
    that the file's traders use is as it was.
    """
    last = bases.last_sync()
    try:
        if last is None or _sha256(path) != last.file_sha256:
            return None
        if bases.moved_since(last.synced_at) or bases.count_of_conflicts():
            return None
        warnings = _warnings_if_inputs_stand(path.parent)
    except (UnreadableFile, InvalidFile):
        return None
    if warnings is None:
        return None
    missing = sorted(bases.missing())
    shares = configs.shares() if missing else {}
    return SyncReport(
        path=str(path),
        file_sha256=last.file_sha256,
        check=True,
        outcomes=(),
        unchanged=bases.count() - len(missing),
        missing=tuple(MissingTrader(name, shares[name].allocation_pct, shares[name].retired) for name in missing),
        warnings=warnings,
    )


def _warnings_if_inputs_stand(directory: Path) -> tuple[TranslatableText, ...] | None:
    """The warnings of a sync whose names are all still defined and whose prompts are as they were; else None."""
    known = known_names(directory)
    prompts = PromptReader(directory, known.prompt_rules)
    for declared in bases.declared_names():
        if any(name_problems(declared.flat, known)) or not _prompts_are_same(declared, prompts):
            return None
    return (*warnings_of(known), *prompts.warnings)


def _prompts_are_same(declared: DeclaredNames, prompts: PromptReader) -> bool:
    try:
        return all(prompts.read(path).sha256 == digest for path, digest in declared.prompts)
    except InvalidPrompt:
        return False


def _sha256(path: Path) -> str:
    return hashlib.sha256(read_bytes(path, limit=MAX_FILE_BYTES)).hexdigest()
