"""Which file of a bundle holds which prompt text.

A path of a configuration may mean different texts: a retired trader keeps the text it had when the file was
edited for the others. The text of most active traders has the path itself; each other one lies beside it
under a name with its digest, and the entry says what the file is known as.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from traders.schema.messages import _
from traders.schema.problems import InvalidConfig, Problem
from traders.schema.prompts import PromptFile, path_problem
from traders.schema.settings.trader import TraderSpec

MANAGER_YAML = "manager.yaml"
KNOWN_AS = "_known_as"
"""Ends the key beside `prompt_template` that names the configuration's own path of the text in that file."""


class UnwritableBundle(InvalidConfig):
    """The fleet cannot be written as files that read back the same, or other files are in the way."""


@dataclass
class Placement:
    """`file_of` (path as configured, digest) -> the file, relative to the bundle; `files` their contents."""

    file_of: dict[tuple[str, str], str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


def place(traders: Iterable[TraderSpec], prompts: Mapping[str, PromptFile]) -> Placement:
    """Raises UnwritableBundle when a text is unknown or a path leads out of the bundle."""
    traders = list(traders)
    _require_writable(traders, prompts)
    votes: dict[str, dict[str, tuple[int, int]]] = {}
    for trader in traders:
        for _setting, path, digest in _named(trader):
            active, all_of_them = votes.setdefault(_normal(path), {}).get(digest or "", (0, 0))
            votes[_normal(path)][digest or ""] = (active + (not trader.detail.retired), all_of_them + 1)
    file_by_text = _files(votes)
    placement = Placement()
    for trader in traders:
        for _setting, path, digest in _named(trader):
            file = file_by_text[_normal(path), digest or ""]
            # Keep the configuration's spelling of the path if it names the same file.
            placement.file_of[path, digest or ""] = path if file == _normal(path) else file
            placement.files[file] = prompts[digest or ""].body.encode()
    return placement


def _files(votes: Mapping[str, Mapping[str, tuple[int, int]]]) -> dict[tuple[str, str], str]:
    files: dict[tuple[str, str], str] = {}
    taken = set(votes)
    for path, texts in votes.items():
        first, *others = sorted(texts, key=lambda digest: (*(-count for count in texts[digest]), digest))
        files[path, first] = path
        for digest in others:
            files[path, digest] = next(name for name in _beside(path, digest) if name not in taken)
            taken.add(files[path, digest])
    return files


def _beside(path: str, digest: str) -> Iterator[str]:
    whole = PurePosixPath(path)
    for length in (8, 16, 64):
        yield str(whole.with_name(f"{whole.stem}.{digest[:length]}{whole.suffix}"))


def _require_writable(traders: Iterable[TraderSpec], prompts: Mapping[str, PromptFile]) -> None:
    problems = []
    for trader in traders:
        for name, path, digest in _named(trader):
            message = path_problem(path)
            if not message and _normal(path) == MANAGER_YAML:
                message = _("names %(path)s, which is the configuration itself", path=repr(path))
            if not message and digest not in prompts:
                message = _("names %(path)s, whose text is not stored", path=repr(path))
            if message:
                problems.append(Problem(name, message, trader.id))
    if problems:
        raise UnwritableBundle(problems)


def _named(trader: TraderSpec) -> tuple[tuple[str, str, str | None], ...]:
    named = trader.detail.prompts
    return (
        ("detail.prompts.system_template", named.system_template, named.system_sha256),
        ("detail.prompts.executor_template", named.executor_template, named.executor_sha256),
    )


def _normal(path: str) -> str:
    return str(PurePosixPath(path))
