"""A sync of manager.yaml: ours beside the obvious way, in one run, on one server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from benchmarks import memory
from benchmarks.command import command_table
from benchmarks.fleet import write_fleet
from benchmarks.meter import Cost, median, metered
from benchmarks.obvious import sync as obvious
from benchmarks.report import Table, seconds, times
from benchmarks.servers import empty_tables
from traders.manager_yaml.file import ManagerFile
from traders.manager_yaml.reader import read_manager_yaml
from traders.sync.services import sync

PHASES = ("first import", "unchanged", "1 % changed")
ROUNDS = 3
ROUNDS_OF_MANY = 1
MANY = 5000


@dataclass(frozen=True)
class Files:
    """The same fleet twice, the second time with one limit of every hundredth trader changed."""

    first: ManagerFile
    changed: ManagerFile
    reading_seconds: float
    megabytes: float

    @property
    def traders(self) -> int:
        return len(self.first.traders)

    @property
    def phases(self) -> Iterator[tuple[str, ManagerFile]]:
        return zip(PHASES, (self.first, self.first, self.changed), strict=True)


def run(directory: Path, sizes: Sequence[int], say: Callable[[str], None]) -> list[Table]:
    measured: dict[tuple[int, str], tuple[Cost, Cost]] = {}
    files = {}
    for size in sizes:
        say(f"sync of {size:,} traders")
        files[size] = _files(directory, size)
        measured |= {(size, phase): costs for phase, costs in _costs(files[size]).items()}
    largest = max(sizes)
    say(f"the command with {largest:,} traders, and memory")
    path = directory / str(largest) / "manager.yaml"
    return [
        _comparison(measured),
        _statements(measured),
        _reading(list(files.values())),
        command_table(path, largest),
        memory.table(path, largest),
    ]


def _files(directory: Path, size: int) -> Files:
    path = write_fleet(directory / str(size), traders=size)
    changed = write_fleet(directory / f"{size}-changed", traders=size, changed=max(size // 100, 1))
    started = time.perf_counter()
    first = read_manager_yaml(path)
    reading_seconds = time.perf_counter() - started
    return Files(first, read_manager_yaml(changed), reading_seconds, path.stat().st_size / 1e6)


def _costs(files: Files) -> dict[str, tuple[Cost, Cost]]:
    """The median rounds of each phase, ours and theirs. The two take turns, so that a busy moment meets both."""
    ours: list[dict[str, Cost]] = []
    theirs: list[dict[str, Cost]] = []
    for number in range(ROUNDS):
        ours.append(_round(files, lambda file: sync(file=file, actor="bench"), "trader_config"))
        if files.traders < MANY or number < ROUNDS_OF_MANY:
            theirs.append(_round(files, obvious.sync, "obvious_trader"))
    return {phase: (median(r[phase] for r in ours), median(r[phase] for r in theirs)) for phase in PHASES}


def _round(files: Files, apply: Callable[[ManagerFile], object], table: str) -> dict[str, Cost]:
    """Begins with empty tables and proves what it wrote."""
    empty_tables()
    costs = {}
    for phase, file in files.phases:
        with metered() as cost:
            apply(file)
        costs[phase] = cost
    _require_versions(table, files)
    return costs


def _require_versions(table: str, files: Files) -> None:
    """Every trader has one version, and those that changed have two."""
    changed = sum(files.first.traders[name] != spec for name, spec in files.changed.traders.items())
    with connection.cursor() as cursor:
        history = {"trader_config": "trader_config_versions"}.get(table, "obvious_historicalobvioustrader")
        cursor.execute(f"SELECT (SELECT count(*) FROM {table}), (SELECT count(*) FROM {history})")
        found = cursor.fetchone()
    if found != (files.traders, files.traders + changed):
        raise AssertionError(f"{table}: {found} rows and versions of {files.traders} traders, {changed} changed")


def _comparison(measured: dict[tuple[int, str], tuple[Cost, Cost]]) -> Table:
    return Table(
        "Seconds of a sync, ours against `save()` per trader with django-simple-history",
        ("Traders, phase", "ours: database", "ours: whole", "save(): database", "save(): whole", "database", "whole"),
        [
            (
                f"{size:,} {phase}",
                seconds(ours.database_seconds),
                seconds(ours.seconds),
                seconds(theirs.database_seconds),
                seconds(theirs.seconds),
                times(theirs.database_seconds / ours.database_seconds),
                times(theirs.seconds / ours.seconds),
            )
            for (size, phase), (ours, theirs) in measured.items()
        ],
        (
            "`database` is the time spent waiting for statements and commits, `whole` the whole call with its "
            "planning, comparing and building of SQL; both begin with the validated file. The last two columns say how "
            f"many times faster ours is. Medians of {ROUNDS} rounds "
            f"(`save()` of {MANY:,} traders and more: {ROUNDS_OF_MANY}).",
        ),
    )


def _statements(measured: dict[tuple[int, str], tuple[Cost, Cost]]) -> Table:
    return Table(
        "SQL statements and commits of a sync",
        ("Traders, phase", "ours: statements", "commits", "save(): statements", "commits"),
        [
            (
                f"{size:,} {phase}",
                *(f"{count:,}" for cost in costs for count in (cost.statements, cost.commits)),
            )
            for (size, phase), costs in measured.items()
        ],
    )


def _reading(files: Sequence[Files]) -> Table:
    return Table(
        "Reading and validating manager.yaml",
        ("Traders", "MB", "seconds"),
        [(f"{found.traders:,}", f"{found.megabytes:.2f}", seconds(found.reading_seconds)) for found in files],
        ("Once each, with PyYAML on libyaml: parsing, duplicate keys, prompts, names, every setting, secrets.",),
    )
