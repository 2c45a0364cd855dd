"""Tables for the terminal and for docs/benchmarks.md, and what they were measured on."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil
from django.db import connection

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"


@dataclass(frozen=True)
class Table:
    """`notes` say below the table what its columns mean; `figures` are what docs/scale.md computes with."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    figures: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        cells = [list(self.header), *map(list, self.rows)]
        widths = [max(len(row[column]) for row in cells) for column in range(len(self.header))]
        lines = [
            "| "
            + " | ".join(
                text.ljust(width) if not n else text.rjust(width)
                for n, (text, width) in enumerate(zip(row, widths, strict=True))
            )
            + " |"
            for row in cells
        ]
        rule = "|" + "|".join("-" * (width + 1) + ("-" if not n else ":") for n, width in enumerate(widths)) + "|"
        table = "\n".join([lines[0], rule, *lines[1:]])
        return "\n\n".join([f"### {self.title}", table, *self.notes])


def machine(command: str) -> str:
    """One paragraph: when, at which commit, on what, with which versions, by which command."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), current_setting('fsync')")
        server, fsync = cursor.fetchone()
    versions = ", ".join(f"{name} {version(name)}" for name in ("Django", "psycopg", "django-simple-history"))
    memory_gb = psutil.virtual_memory().total / 2**30
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, `{command}`{_commit()}: {os.cpu_count()} cores of {_processor()}, "
        f"{memory_gb:.0f} GB, {platform.system()} {platform.release()}, Python {platform.python_version()}, "
        f"PostgreSQL {server} (fsync {fsync}), {versions}."
    )


def _commit() -> str:
    """The commit that was measured, for `manage.py acceptance`; nothing where git does not say it."""
    git = ["git", "-C", str(DOCUMENT.parent), "rev-parse", "--short", "HEAD"]
    try:
        found = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""
    return f" at commit {found}" if found else ""


def write(sections: dict[str, str]) -> None:
    """Replaces what stands between the markers of each section."""
    text = DOCUMENT.read_text(encoding="utf-8")
    for name, content in sections.items():
        begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
        before, found, rest = text.partition(begin)
        _, found_end, after = rest.partition(end)
        if not (found and found_end):
            raise SystemExit(f"{DOCUMENT} has no markers `{begin.strip()}` and `{end}`")
        text = f"{before}{begin}\n{content}\n\n{end}{after}"
    DOCUMENT.write_text(text, encoding="utf-8")


def load(before: float) -> str:
    """How busy the machine was with this and everything else; above the number of its cores figures are too long."""
    return f"Load average of the machine {before:.1f} before and {os.getloadavg()[0]:.1f} after."


def seconds(value: float) -> str:
    return f"{value:.3f}" if value < 1 else f"{value:.2f}"


def times(value: float) -> str:
    return f"{value:.0f} x" if value >= 10 else f"{value:.1f} x"


def _processor() -> str:
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()
