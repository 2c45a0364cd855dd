"""Prompts held against the rules of executor.yaml: the files that a manager.yaml names, each read once, and others."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from traders.manager_yaml.file import PromptRules
from traders.manager_yaml.yaml.source import MEBIBYTE, Absent, Unreadable, decode, read_bytes
from traders.schema.prompts import MAX_BYTES, PromptText, path_problem, read_prompt
from traders.schema.secrets import find_secret

Find = Callable[[str], bytes]

_LONGEST_VERSION = 100


class BadPrompt(Exception):
    """The message completes '<place> ...', of `judged` '<a prompt>...'."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A prompt that may be stored; `doubt` is what was let pass, completing '<a prompt>...', or empty."""

    prompt: PromptText
    doubt: str = ""


def judged(path: str, content: bytes, rules: PromptRules | None) -> Judged:
    """The one verdict on a prompt's text, wherever it comes from. Raises BadPrompt."""
    _require_text(content)
    prompt = read_prompt(path, content)
    if len(prompt.version) > _LONGEST_VERSION:
        raise BadPrompt(f", whose Version header is longer than {_LONGEST_VERSION} characters")
    if kind := find_secret(prompt.body, prose=True):
        raise BadPrompt(f", whose text holds what looks like {kind}; prompts are stored for ever")
    complaint, is_refused = _version_complaint(prompt.version, rules)
    if is_refused:
        raise BadPrompt(complaint)
    return Judged(prompt, complaint)


class Prompts:
    """`read` gives the text behind a path; `by_digest` all that were read; `warnings` what was let pass.

    `find` gives the bytes behind a path instead of the files of `directory`; it raises Absent with a message that
    completes "names 'x', ...", or Unreadable.
    """

    def __init__(self, directory: Path, rules: PromptRules | None, find: Find | None = None) -> None:
        self._directory = directory
        self._rules = rules
        self._find = find or self._file
        self._read: dict[str, PromptText | str] = {}  # a text says what is wrong
        self.by_digest: dict[str, PromptText] = {}
        self.warnings: list[str] = []

    def read(self, path: str, *, known_as: str = "") -> PromptText:
        """The text in the file `path`, as the configuration's path `known_as`. Raises BadPrompt."""
        if path not in self._read:
            try:
                self._read[path] = self._load(path)
            except BadPrompt as error:
                self._read[path] = str(error)
        found = self._read[path]
        if isinstance(found, str):
            raise BadPrompt(found)
        self.by_digest.setdefault(found.sha256, replace(found, path=known_as or path))
        return found

    def _load(self, path: str) -> PromptText:
        if problem := path_problem(path):
            raise BadPrompt(problem)
        try:
            found = judged(path, self._content(path), self._rules)
        except BadPrompt as error:
            raise BadPrompt(f"names {path!r}{error}") from None
        if found.doubt:
            self.warnings.append(f"a trader names {path!r}{found.doubt}")
        return found.prompt

    def _content(self, path: str) -> bytes:
        try:
            return self._find(path)
        except Absent as error:
            raise BadPrompt(f", {error}") from None
        except Unreadable as error:
            raise BadPrompt(f", which {error}") from None

    def _file(self, path: str) -> bytes:
        try:
            return read_bytes(self._directory / path, limit=MAX_BYTES)
        except Absent:
            near = _near(self._directory, path)
            hint = f"; did you mean {near}?" if near else ""
            raise Absent(f"but there is no file {self._directory / path}{hint}") from None


def _near(directory: Path, path: str) -> str:
    """The file beside it that was probably meant."""
    try:
        beside = [entry.name for entry in (directory / path).parent.iterdir()]
    except OSError:
        return ""
    close = difflib.get_close_matches(Path(path).name, beside, n=1)
    return str(Path(path).with_name(close[0])) if close else ""


def _require_text(content: bytes) -> None:
    if len(content) > MAX_BYTES:
        raise BadPrompt(f", which is larger than {MAX_BYTES // MEBIBYTE} MB, the most it may be")
    try:
        decode(content)
    except Unreadable as error:
        raise BadPrompt(f", which {error}") from None
    if b"\0" in content:
        raise BadPrompt(", which holds a NUL byte and so is no text")


def _version_complaint(version: str, rules: PromptRules | None) -> tuple[str, bool]:
    """What executor.yaml finds wrong with the header, and whether it refuses it."""
    if rules is None or version == rules.expected_version:
        return "", False
    expected = rules.expected_version or "v1.0.0"
    if not version:
        return f", which has no header such as {{{{/* Version: {expected} */}}}}", rules.header_required
    if rules.expected_version:
        return f" of version {version}, but executor.yaml expects {expected}", rules.strict
    return "", False
