"""One YAML file whose top level is a mapping, with the problems found in it so far."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from traders.manager_yaml.file import InvalidFile
from traders.manager_yaml.yaml.collect import Problems, TooManyProblems, YamlPlace
from traders.manager_yaml.yaml.mappings import describe, is_null
from traders.manager_yaml.yaml.nodes import MalformedYaml, Mapping, compose
from traders.manager_yaml.yaml.slips import full_width_colon, problems_of
from traders.manager_yaml.yaml.source import MEBIBYTE, Absent, UnreadableFile, decode, read_bytes
from traders.schema.messages import _
from traders.schema.problems import Problem

MAX_FILE_BYTES = 10 * MEBIBYTE


class AbsentFile(InvalidFile):
    """There is no such file."""


@dataclass
class YamlDocument:
    """As a context manager raises InvalidFile at the end when problems were collected."""

    path: Path
    sha256: str
    root: Mapping
    problems: Problems = field(default_factory=Problems)

    @property
    def place(self) -> YamlPlace:
        return YamlPlace(self.problems)

    def __enter__(self) -> YamlDocument:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stopped = isinstance(error, TooManyProblems)
        if self.problems.found and (error is None or stopped):
            raise InvalidFile(self.path, self.problems.found, is_partial=stopped) from None


def read_document(path: Path) -> YamlDocument:
    """Raises AbsentFile, or InvalidFile when it is no readable file, no YAML, or empty."""
    try:
        content = read_bytes(path, limit=MAX_FILE_BYTES)
        text = decode(content)
        root = compose(text)
    except Absent as error:
        raise AbsentFile(path, [Problem("", error.message)]) from None
    except UnreadableFile as error:
        raise InvalidFile(path, [Problem("", error.message)]) from None
    except MalformedYaml as error:
        raise InvalidFile(path, problems_of(text, error)) from None
    if root is None or is_null(root):
        raise InvalidFile(path, [Problem("", _("is empty; it must be a mapping of settings"))])
    if not isinstance(root, Mapping):
        right = _("must be a mapping at its top level, was %(value)s", value=describe(root))
        raise InvalidFile(path, [Problem("", full_width_colon(root) or right, line=root.line)])
    return YamlDocument(path, hashlib.sha256(content).hexdigest(), root)
