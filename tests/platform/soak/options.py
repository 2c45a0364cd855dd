"""How much `make soak` tries: the options of `make soak ARGS=...`."""

from __future__ import annotations

from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class SoakOptions:
    """The same seed picks the same victims and edits; what the machine makes of it differs from run to run."""

    seed: int
    traders: int
    minutes: float
    rounds: int

    @classmethod
    def of(cls, config: pytest.Config) -> SoakOptions:
        return cls(*(config.getoption(f"soak_{name}") for name in ("seed", "traders", "minutes", "rounds")))


def add_options(parser: pytest.Parser) -> None:
    group = parser.getgroup("soak", "how much `make soak` tries")
    for name, kind, default, words in (
        ("seed", int, 1, "of what is left to chance; another one tries other moments"),
        ("traders", int, 100, "of the simulated day"),
        ("minutes", float, 25.0, "that the simulated day lasts, and each minute of the others"),
        ("rounds", int, 200, "of kills"),
    ):
        group.addoption(f"--soak-{name}", type=kind, default=default, help=f"{words} (default {default})")
