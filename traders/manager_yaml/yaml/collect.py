"""Collects the problems of one file, each with its place in it."""

from __future__ import annotations

from dataclasses import dataclass, field

from traders.schema.messages import TranslatableText
from traders.schema.problems import Problem

MOST_PROBLEMS = 1000


class TooManyProblems(Exception):
    """There are so many problems that reading stops."""


@dataclass(slots=True)
class Problems:
    found: list[Problem] = field(default_factory=list)

    def add(self, message: TranslatableText, *, line: int | None, path: str = "", trader: str = "") -> None:
        """Raises TooManyProblems when there are enough to stop reading."""
        self.found.append(Problem(path, message, trader, line))
        if len(self.found) >= MOST_PROBLEMS:
            raise TooManyProblems


@dataclass(frozen=True, slots=True)
class YamlPlace:
    """The place of a mapping: whose entry (`trader_x`, `traders[3]` or "") and below which keys (`risk_params.`)."""

    problems: Problems
    trader: str = ""
    prefix: str = ""

    def below(self, key: str) -> YamlPlace:
        return YamlPlace(self.problems, self.trader, f"{self.prefix}{key}.")

    def wrong(self, key: str, message: TranslatableText, line: int | None) -> None:
        self.problems.add(message, line=line, path=self.prefix + key, trader=self.trader)
