"""Compares a manager.yaml with the one synced last. Changes nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path

from traders.manager_yaml.file import InvalidFile
from traders.manager_yaml.located import located
from traders.manager_yaml.names import name_problems
from traders.manager_yaml.neighbours import known_names, warnings_of
from traders.manager_yaml.prompts import BadPrompt, PromptReader
from traders.manager_yaml.reader import read_manager_yaml
from traders.manager_yaml.yaml.document import MAX_FILE_BYTES
from traders.manager_yaml.yaml.source import UnreadableFile, read_bytes
from traders.schema.messages import TranslatableText
from traders.schema.problems import InvalidConfig
from traders.sync import writer as bases
from traders.sync.rules import MissingTrader, SyncAction, SyncReport
from traders.sync.services import sync
from traders.sync.writer import DeclaredNames
from traders.versions import queries as configs


def was_ever_synced() -> bool:
    return bases.last_sync() is not None


def describe_drift(path: Path) -> str:
    """One line: whether `path` differs from what was synced last, and what a sync would do."""
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
    """Raises InvalidFile for a file that is wrong in itself as well as for one that the stored fleet rules out."""
    file = read_manager_yaml(path)
    try:
        return sync(file=file, actor="drift", check=True)
    except InvalidConfig as error:
        raise located(file, error) from error


def unchanged(path: Path) -> SyncReport | None:
    """The report of a sync that would find nothing new, told by digests without parsing the file; else None.

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
    except BadPrompt:
        return False


def _sha256(path: Path) -> str:
    return hashlib.sha256(read_bytes(path, limit=MAX_FILE_BYTES)).hexdigest()
