"""The directory of runs: `runs/{as_of}/` each whole, and `current`, a link that swings to the newest.

    runs/1764037200000/trades.json, trades.json.gz, ..., analytics/{trader_id}.json, ..., manifest.json
    current -> runs/1764037200000

A reader that follows `current` once sees one run. Files of two runs that are equal are one file with two names.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import structs

from trading.export.directory import manifest as manifests
from trading.export.directory.alone import alone_in
from trading.export.directory.manifest import Manifest, ManifestEntry, file_name, gzip_name

CURRENT, RUNS = "current", "runs"
UNFINISHED = f"{manifests.NAME}.next"
GONE = ".gone"
# The fastest: every cycle waits for it, and a proxy may do better once for everybody.
GZIP_LEVEL = 1
RUNS_KEPT = 3


class RunOvertaken(Exception):
    """Another exporter began a run meanwhile; its run counts."""


@dataclass(frozen=True)
class FinishedRun:
    path: Path
    manifest: Manifest


@dataclass
class Run:
    """A run that is being written, in a directory of a name that no other run ever has: an exporter that was overtaken
    cannot write into the run of another. `as_of` is its name once it is published."""

    path: Path
    previous: FinishedRun | None
    as_of: int
    _directories: set[Path] = field(default_factory=set)

    def put(self, entry: ManifestEntry, body: bytes) -> ManifestEntry:
        """Writes the document and its compressed form; the entry with their sizes and digests."""
        packed = gzip.compress(body, GZIP_LEVEL, mtime=0)
        self._write(file_name(entry.name), body)
        self._write(gzip_name(entry.name), packed)
        return structs.replace(
            entry, size=len(body), sha256=digest(body), gzip_size=len(packed), gzip_sha256=digest(packed)
        )

    def keep(self, name: str) -> bool:
        """Keeps the document of the previous run. False when there is none."""
        if self.previous is None:
            return False
        try:
            for file in (file_name(name), gzip_name(name)):
                self._link(self.previous.path / file, self._place(file))
        except FileNotFoundError:
            # What is written here next must not be written into the file of the run before.
            self._place(file_name(name)).unlink(missing_ok=True)
            return False
        return True

    def is_there(self) -> bool:
        """False once another exporter removed the run, and once it is published."""
        return self.path.exists()

    def finish(self, manifest: Manifest, place: Path) -> None:
        """Writes the manifest and gives the run its name. From now on it counts, and cannot be published again."""
        for directory in self._directories:
            _sync_directory(directory)
        self._write(UNFINISHED, manifests.encoded(manifest))
        self._place(UNFINISHED).replace(self._place(manifests.NAME))
        _sync_directory(self.path)
        # Of an exporter that was killed before it swung the link.
        _take_away(place)
        self.path.rename(place)
        _sync_directory(place.parent)

    def abandon(self) -> None:
        _take_away(self.path)

    def _write(self, name: str, content: bytes) -> None:
        with self._place(name).open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def _place(self, name: str) -> Path:
        place = self.path / name
        if place.parent not in self._directories:
            # Never the run's own: where that is gone, another exporter took it away.
            if place.parent != self.path:
                place.parent.mkdir(exist_ok=True)
            self._directories.add(place.parent)
        return place

    def _link(self, source: Path, target: Path) -> None:
        target.unlink(missing_ok=True)
        try:
            target.hardlink_to(source)
        except FileNotFoundError:
            raise
        except OSError:
            # A file system without hard links, or one that has no more of them for this file.
            shutil.copyfile(source, target)


@dataclass(frozen=True)
class ExportDirectory:
    root: Path

    def current(self) -> FinishedRun | None:
        """The run that readers see; None before the first, or when its files are gone."""
        path = (self.root / CURRENT).resolve()
        found = manifests.read(path)
        return FinishedRun(path, found) if found else None

    def begin(self, now_ms: int) -> Run:
        """Begins a run with this moment, or with the millisecond after the run that readers see. Whoever begins last
        may publish: all other unfinished runs are removed, also those of killed exporters, which may fill the disk.
        Raises OSError where nothing can be written."""
        (self.root / RUNS).mkdir(parents=True, exist_ok=True)
        with alone_in(self.root):
            previous = self.current()
            as_of = max(now_ms, previous.manifest.as_of + 1 if previous else 0)
            for left in self._unfinished():
                _take_away(left)
            path = self.root / RUNS / f"{as_of}.{secrets.token_hex(8)}"
            path.mkdir()
        return Run(path, previous, as_of)

    def publish(self, run: Run, manifest: Manifest) -> None:
        """Shows readers the whole run at one moment. Raises RunOvertaken, OSError."""
        with alone_in(self.root):
            if not run.is_there():
                raise RunOvertaken(f"Run {run.as_of} was taken away by another exporter, which began later.")
            run.finish(manifest, self.root / RUNS / str(run.as_of))
            swing = self.root / f"{CURRENT}.next"
            swing.unlink(missing_ok=True)
            swing.symlink_to(Path(RUNS) / str(run.as_of))
            swing.replace(self.root / CURRENT)
        _sync_directory(self.root)

    def prune(self, *, keep_after_ms: int) -> None:
        """Removes finished runs, except the last three and those that a delayed reader may still see."""
        runs = sorted(self.runs(), reverse=True)
        seen = [as_of for as_of in runs if as_of <= keep_after_ms]
        oldest_seen = seen[0] if seen else 0
        for as_of in runs[RUNS_KEPT:]:
            if as_of < oldest_seen:
                _take_away(self.root / RUNS / str(as_of))

    def runs(self) -> list[int]:
        """The finished runs, by the moment that they show."""
        return sorted(int(path.name) for path in self._all() if _is_finished(path))

    def _unfinished(self) -> list[Path]:
        return [path for path in self._all() if not _is_finished(path)]

    def _all(self) -> list[Path]:
        with contextlib.suppress(OSError):
            return list((self.root / RUNS).iterdir())
        return []


def _is_finished(path: Path) -> bool:
    return path.name.isdigit() and (path / manifests.NAME).exists()


def _take_away(path: Path) -> None:
    """Removes a run. It is renamed first, so that readers and writers see it whole or not at all."""
    gone = path.with_name(f"{path.name}{GONE}")
    with contextlib.suppress(OSError):
        path.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
