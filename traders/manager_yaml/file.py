"""The result of reading manager.yaml: the declared fleet, or every problem of the file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from traders.schema.messages import TranslatableText, _
from traders.schema.problems import InvalidConfig, Problem
from traders.schema.prompts import PromptFile
from traders.schema.settings.fleet import FleetSpec
from traders.schema.settings.trader import TraderSpec

PRINTED_PROBLEMS = 50


@dataclass(frozen=True, slots=True)
class PromptRules:
    """The rules of executor.yaml for the Version header of prompts."""

    expected_version: str
    strict: bool
    header_required: bool


@dataclass(frozen=True, slots=True)
class KnownNames:
    """The names that the files beside manager.yaml define; None where the file is absent."""

    exchange_providers: tuple[str, ...] | None = None
    market_providers: tuple[str, ...] | None = None
    models: tuple[str, ...] | None = None
    prompt_rules: PromptRules | None = None


@dataclass(frozen=True, slots=True)
class ManagerFile:
    """A whole valid manager.yaml with its prompts.

    `sha256` is of the bytes of manager.yaml, `traders` in the file's order with the versions and digests of
    their prompts filled in, `prompts` by digest, `lines` from a trader's id to the line of its entry.
    """

    path: Path
    sha256: str
    fleet: FleetSpec
    traders: dict[str, TraderSpec]
    prompts: dict[str, PromptFile]
    lines: dict[str, int]
    warnings: tuple[TranslatableText, ...]
    known: KnownNames


class InvalidFile(InvalidConfig):
    """A file that cannot be read as what it should be; `str` gives one line per problem, each with its place."""

    def __init__(self, path: Path, problems: Iterable[Problem], *, is_partial: bool = False) -> None:
        """`is_partial`: reading stopped before the end."""
        super().__init__(sorted(problems, key=lambda problem: problem.line or 0))
        self.path = path
        self.is_partial = is_partial

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[TranslatableText]:
        """One for each problem, at most PRINTED_PROBLEMS, then how many there are besides."""
        lines = [self._line(problem) for problem in self.problems[:PRINTED_PROBLEMS]]
        if (more := len(self.problems) - PRINTED_PROBLEMS) > 0:
            lines.append(
                _("%(path)s: and %(count)s more problems at least", path=self.path, count=more)
                if self.is_partial
                else _("%(path)s: and %(count)s more problems", path=self.path, count=more)
            )
        return lines

    def _line(self, problem: Problem) -> TranslatableText:
        place = f"{self.path}:{problem.line}" if problem.line else str(self.path)
        where = ": ".join(part for part in (place, problem.trader_id, problem.path) if part)
        if problem.path:
            return _("%(where)s %(problem)s", where=where, problem=problem.message)
        return _("%(where)s: %(problem)s", where=where, problem=problem.message)
