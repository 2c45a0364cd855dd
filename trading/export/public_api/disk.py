"""Whether the next export will find room, asked of the file system at the moment of the request."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from trading.export.public_api.snapshot import Snapshot

# What the first run, or a manifest and a status file, need at least.
LEAST_BYTES = 256 * 1024


@dataclass(frozen=True)
class DiskRoom:
    """`needed_bytes` is for a run in which every document has changed. `free_files`: None where there is no limit."""

    free_bytes: int
    free_files: int | None
    needed_bytes: int
    needed_files: int

    @property
    def is_full(self) -> bool:
        return self.free_bytes < self.needed_bytes or (
            self.free_files is not None and self.free_files < self.needed_files
        )


def room(root: Path, snapshot: Snapshot | None) -> DiskRoom | None:
    """None when the file system cannot be asked."""
    files = snapshot.manifest.files if snapshot else []
    try:
        there = os.statvfs(_nearest(root))
    except OSError:
        return None
    is_root = os.geteuid() == 0
    return DiskRoom(
        free_bytes=there.f_frsize * (there.f_bfree if is_root else there.f_bavail),
        free_files=(there.f_ffree if is_root else there.f_favail) if there.f_files else None,
        needed_bytes=LEAST_BYTES + sum(entry.size + entry.gzip_size for entry in files),
        # Two files a document, the manifest, the directories.
        needed_files=4 + 2 * len(files),
    )


def _nearest(root: Path) -> Path:
    """The directory itself, or the one in which it would be made."""
    while not root.exists() and root != root.parent:
        root = root.parent
    return root
