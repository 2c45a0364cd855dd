"""The files of deploy/, read as Docker and systemd read them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.platform.processes import CHECKOUT

DEPLOY = CHECKOUT / "deploy"
INTERPOLATED = re.compile(r"\$\{([A-Z0-9_]+)(?::([-?])([^}]*))?\}")


@cache
def compose() -> Any:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


def programs() -> dict[str, dict[str, Any]]:
    """The services that run the checkout."""
    return {name: one for name, one in services().items() if "build" in one}


def environment_of(service: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """With `${NAME}` of `given`, else its default."""

    def value(found: re.Match[str]) -> str:
        name, kind, default = found.groups()
        return given.get(name, "") or (default if kind == "-" else "")

    return {name: INTERPOLATED.sub(value, str(text)) for name, text in service.get("environment", {}).items()}


@dataclass(frozen=True)
class Unit:
    """A unit of systemd: {section: [(key, value)]}."""

    path: Path
    sections: Mapping[str, list[tuple[str, str]]]

    def values(self, key: str) -> list[str]:
        return [value for lines in self.sections.values() for name, value in lines if name == key]

    def one(self, key: str) -> str:
        (value,) = self.values(key)
        return value

    @property
    def environment(self) -> dict[str, str]:
        pairs = [pair.partition("=") for line in self.values("Environment") for pair in shlex.split(line)]
        return {name: value for name, _, value in pairs}


def units() -> list[Unit]:
    return [_unit(path) for path in sorted((DEPLOY / "systemd").glob("*.service"))]


def _unit(path: Path) -> Unit:
    sections: dict[str, list[tuple[str, str]]] = {}
    section = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith(("#", ";")):
            continue
        if line.startswith("["):
            section = line.strip("[]")
            sections[section] = []
            continue
        name, equals, value = line.partition("=")
        assert equals, f"{path.name}: {line!r}"
        sections[section].append((name, value))
    return Unit(path, sections)
