"""The manifest of a run (`manifest.json`). It is written last, so that a run without one was never finished."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import msgspec

NAME = "manifest.json"


class DocumentSource(StrEnum):
    """LIVE: moving data came from the live store. REBUILT: from PostgreSQL alone. PREVIOUS: the last run's file."""

    LIVE = "live"
    REBUILT = "rebuilt"
    PREVIOUS = "previous"


class Slices(msgspec.Struct, frozen=True):
    """How to cut a document at an hour: `head` bytes, the rows from an offset on, `tail` bytes. `markers` are (hour,
    offset of its first row), ascending. `newest` are (offset, length) of the newest row of each trader, ascending; they
    are part of every cut, because only these rows change."""

    head: int
    tail: int
    markers: list[tuple[int, int]]
    newest: list[tuple[int, int]] = []


class ManifestEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file. `as_of` (ms) is the export that rendered it, which is its `serverTime`; `size` 0: there is none, and
    `error` says why. `is_stale`: it could not be rendered this time, and an earlier one stands."""

    name: str
    source: DocumentSource
    as_of: int
    rows: int = 0
    size: int = 0
    sha256: str = ""
    gzip_size: int = 0
    gzip_sha256: str = ""
    is_stale: bool = False
    error: str | None = None
    slices: Slices | None = None


class Manifest(msgspec.Struct, frozen=True):
    """`as_of` (ms) is the moment of the record that all files of the run show. `unreadable` counts the rows that they
    are made without, because they cannot be read, `set_aside` those that an operator set aside. Hours are counted from
    `inception_ms`."""

    as_of: int
    duration_ms: int
    files: list[ManifestEntry]
    unreadable: int = 0
    set_aside: int = 0
    inception_ms: int = 0

    def entry(self, name: str) -> ManifestEntry | None:
        return next((entry for entry in self.files if entry.name == name), None)


def encoded(manifest: Manifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1)


def read(run: Path) -> Manifest | None:
    """The manifest; None for a run that was never finished or is gone."""
    try:
        return msgspec.json.decode((run / NAME).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError):
        return None


def file_name(name: str) -> str:
    return f"{name}.json"


def gzip_name(name: str) -> str:
    return f"{name}.json.gz"
