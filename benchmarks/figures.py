"""Figures as numbers by name, for pages that compute with them: docs/scale.md. They stand beside docs/benchmarks.md."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from benchmarks.report import DOCUMENT, Table

FILE = DOCUMENT.with_name("figures.json")

Figures: TypeAlias = dict[str, dict[str, float | str]]


def of_tables(tables: Iterable[Table]) -> dict[str, float]:
    return {name: value for table in tables for name, value in table.figures.items()}


def read(path: Path = FILE) -> Figures:
    """{section: {name: number, "measured": when, where and by which command}}."""
    if not path.exists():
        return {}
    found: Figures = json.loads(path.read_text(encoding="utf-8"))
    return found


def write(measured: Mapping[str, Mapping[str, float]], machine: str, path: Path = FILE) -> None:
    """Replaces the sections that were measured; the others keep theirs."""
    kept = read(path)
    for section, figures in measured.items():
        if figures:
            kept[section] = {**figures, "measured": machine}
    path.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n", encoding="utf-8")
