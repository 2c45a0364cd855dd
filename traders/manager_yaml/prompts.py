"""Checks prompts by the rules of executor.yaml. The files that a manager.yaml names are read once each."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from traders.manager_yaml.file import PromptRules
from traders.manager_yaml.templates import template_problem, unknown_fields
from traders.manager_yaml.yaml.source import MEBIBYTE, Absent, UnreadableFile, decode, read_bytes
from traders.schema.messages import MessageError, TranslatableText, _
from traders.schema.prompts import MAX_BYTES, PromptFile, path_problem, read_prompt
from traders.schema.secrets import find_secret

Find = Callable[[str], bytes]

_LONGEST_VERSION = 100


class InvalidPrompt(MessageError):
    """The message completes '<place> ...', of `judged` '<a prompt>...'."""


@dataclass(frozen=True, slots=True)
class CheckedPrompt:
    """A prompt that may be stored. `doubt` is a tolerated problem, completing '<a prompt>...'."""

    prompt: PromptFile
    doubt: TranslatableText | None = None


def judged(path: str, content: bytes, rules: PromptRules | None) -> CheckedPrompt:
    """Checks a prompt's text, from any source. Raises InvalidPrompt."""
    _require_text(content)
    prompt = read_prompt(path, content)
    if len(prompt.version) > _LONGEST_VERSION:
        raise InvalidPrompt(_(", whose Version header is longer than %(most)s characters", most=_LONGEST_VERSION))
    if kind := find_secret(prompt.body, prose=True):
        raise InvalidPrompt(_(", whose text holds what looks like %(kind)s; prompts are stored for ever", kind=kind))
    if problem := template_problem(prompt.body):
        raise InvalidPrompt(problem)
    doubt, is_refused = _version_doubt(prompt.version, rules)
    if doubt and is_refused:
        raise InvalidPrompt(doubt)
    if doubt is None and (names := unknown_fields(prompt.body)):
        doubt = _(
            ", which names %(names)s, and engines give no such field", names=", ".join(f".{name}" for name in names)
        )
    return CheckedPrompt(prompt, doubt)


class PromptReader:
    """`read` gives the text at a path, `by_digest` all texts read, `warnings` the tolerated problems.

    `find` gives the bytes behind a path instead of the files of `directory`; it raises Absent with a message that
    completes "names 'x', ...", or UnreadableFile.
    """

    def __init__(self, directory: Path, rules: PromptRules | None, find: Find | None = None) -> None:
        self._directory = directory
        self._rules = rules
        self._find = find or self._file
        self._read: dict[str, PromptFile | InvalidPrompt] = {}
        self.by_digest: dict[str, PromptFile] = {}
        self.warnings: list[TranslatableText] = []

    def read(self, path: str, *, known_as: str = "") -> PromptFile:
        """The text in the file `path`, as the configuration's path `known_as`. Raises InvalidPrompt."""
        if path not in self._read:
            try:
                self._read[path] = self._load(path)
            except InvalidPrompt as error:
                self._read[path] = error
        found = self._read[path]
        if isinstance(found, InvalidPrompt):
            raise InvalidPrompt(found.message)
        self.by_digest.setdefault(found.sha256, replace(found, path=known_as or path))
        return found

    def _load(self, path: str) -> PromptFile:
        if problem := path_problem(path):
            raise InvalidPrompt(problem)
        try:
            found = judged(path, self._content(path), self._rules)
        except InvalidPrompt as error:
            raise InvalidPrompt(_("names %(path)s%(error)s", path=repr(path), error=error)) from None
        if found.doubt:
            self.warnings.append(_("a trader names %(path)s%(doubt)s", path=repr(path), doubt=found.doubt))
        return found.prompt

    def _content(self, path: str) -> bytes:
        try:
            return self._find(path)
        except Absent as error:
            raise InvalidPrompt(_(", %(error)s", error=error)) from None
        except UnreadableFile as error:
            raise InvalidPrompt(_(", which %(error)s", error=error)) from None

    def _file(self, path: str) -> bytes:
        try:
            return read_bytes(self._directory / path, limit=MAX_BYTES)
        except Absent:
            near = _near(self._directory, path)
            hint = _("; did you mean %(name)s?", name=near) if near else ""
            raise Absent(_("but there is no file %(path)s%(hint)s", path=self._directory / path, hint=hint)) from None


def _near(directory: Path, path: str) -> str:
    """The most similar file name in the same directory."""
    try:
        beside = [entry.name for entry in (directory / path).parent.iterdir()]
    except OSError:
        return ""
    close = difflib.get_close_matches(Path(path).name, beside, n=1)
    return str(Path(path).with_name(close[0])) if close else ""


def _require_text(content: bytes) -> None:
    if len(content) > MAX_BYTES:
        raise InvalidPrompt(_(", which is larger than %(most)s MB, the most it may be", most=MAX_BYTES // MEBIBYTE))
    try:
        decode(content)
    except UnreadableFile as error:
        raise InvalidPrompt(_(", which %(error)s", error=error)) from None
    if b"\0" in content:
        raise InvalidPrompt(_(", which holds a NUL byte and so is no text"))


def _version_doubt(version: str, rules: PromptRules | None) -> tuple[TranslatableText | None, bool]:
    """The problem of the header by executor.yaml, and whether the prompt is refused for it."""
    if rules is None or version == rules.expected_version:
        return None, False
    expected = rules.expected_version or "v1.0.0"
    if not version:
        return _(
            ", which has no header such as {{/* Version: %(version)s */}}", version=expected
        ), rules.header_required
    if rules.expected_version:
        text = _(" of version %(version)s, but executor.yaml expects %(expected)s", version=version, expected=expected)
        return text, rules.strict
    return None, False
