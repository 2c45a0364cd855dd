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
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import structs

from trading.exporter import manifest as manifests
from trading.exporter.alone import alone_in
from trading.exporter.manifest import Entry, Manifest, file_name, gzip_name

CURRENT, RUNS = "current", "runs"
UNFINISHED = f"{manifests.NAME}.next"
# The fastest: every cycle waits for it, and a proxy may do better once for everybody.
GZIP_LEVEL = 1
RUNS_KEPT = 3


class Overtaken(Exception):
    """Another exporter published a newer run meanwhile, which readers see."""


@dataclass(frozen=True)
class Finished:
    path: Path
    manifest: Manifest


@dataclass
class Run:
    """A run that is being written."""

    path: Path
    previous: Finished | None
    _directories: set[Path] = field(default_factory=set)

    def put(self, entry: Entry, body: bytes) -> Entry:
        """Writes the document and its compressed form; the entry with their sizes and digests."""
        packed = gzip.compress(body, GZIP_LEVEL, mtime=0)
        self._write(file_name(entry.name), body)
        self._write(gzip_name(entry.name), packed)
        return structs.replace(
            entry, size=len(body), sha256=digest(body), gzip_size=len(packed), gzip_sha256=digest(packed)
        )

    def keep(self, name: str) -> bool:
        """Takes the document over from the run before. False when it is not there."""
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

    def finish(self, manifest: Manifest) -> None:
        """From now on the run counts: its manifest is there, whole."""
        for directory in self._directories:
            _sync_directory(directory)
        self._write(UNFINISHED, manifests.encoded(manifest))
        self._place(UNFINISHED).replace(self._place(manifests.NAME))
        _sync_directory(self.path)

    def abandon(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def _write(self, name: str, content: bytes) -> None:
        with self._place(name).open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def _place(self, name: str) -> Path:
        place = self.path / name
        if place.parent not in self._directories:
            place.parent.mkdir(parents=True, exist_ok=True)
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

    def current(self) -> Finished | None:
        """The run that readers see; None before the first, or when its files are gone."""
        path = (self.root / CURRENT).resolve()
        found = manifests.read(path)
        return Finished(path, found) if found else None

    def begin(self, as_of: int) -> Run:
        """Raises OSError where nothing can be written."""
        previous = self.current()
        path = self.root / RUNS / str(as_of)
        # Left behind by a killed exporter, if it is there at all.
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return Run(path, previous)

    def publish(self, run: Run) -> None:
        """Readers see the run, all of it, from one moment to the next. Raises Overtaken where they see a newer one."""
        with alone_in(self.root):
            seen = self.current()
            if seen and seen.manifest.as_of >= int(run.path.name):
                raise Overtaken(f"Run {run.path.name} is older than {seen.path.name}, which another exporter wrote.")
            swing = self.root / f"{CURRENT}.next"
            swing.unlink(missing_ok=True)
            swing.symlink_to(Path(RUNS) / run.path.name)
            swing.replace(self.root / CURRENT)
        _sync_directory(self.root)

    def prune(self, *, keep_after_ms: int) -> None:
        """Removes unfinished runs, and finished ones but for the last three and what is no older than the first that
        a delayed reader still sees."""
        runs = sorted(self.runs(), reverse=True)
        seen = [as_of for as_of in runs if as_of <= keep_after_ms]
        oldest_seen = seen[0] if seen else 0
        for as_of in runs[RUNS_KEPT:]:
            if as_of < oldest_seen:
                shutil.rmtree(self.root / RUNS / str(as_of), ignore_errors=True)
        newest = runs[0] if runs else 0
        for path in self._all():
            if int(path.name) < newest and not (path / manifests.NAME).exists():
                shutil.rmtree(path, ignore_errors=True)

    def runs(self) -> list[int]:
        """The finished ones, by the moment they show."""
        return sorted(int(path.name) for path in self._all() if (path / manifests.NAME).exists())

    def _all(self) -> list[Path]:
        with contextlib.suppress(OSError):
            return [path for path in (self.root / RUNS).iterdir() if path.name.isdigit()]
        return []


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
