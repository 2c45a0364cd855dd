"""What every reader of the files may rely on, at any moment."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

from trading.export.directory.manifest import Manifest, ManifestEntry, read

Documents = dict[str, Any]


class Pruned(Exception):
    """While the run was read, readers were given newer ones, and it was cleared away."""


def whole_run(root: Path) -> tuple[Manifest, Documents]:
    """The run that `current` leads to, every file of it as the manifest says. Raises Pruned, and FileNotFoundError
    where there is none."""
    path = root / (root / "current").readlink()
    try:
        manifest = read(path)
        if manifest is None:
            raise FileNotFoundError(path)
        documents = {entry.name: _document(path, entry) for entry in manifest.files}
    except FileNotFoundError:
        if root / (root / "current").readlink() == path:
            raise
        raise Pruned from None
    assert str(manifest.as_of) == path.name
    return manifest, documents


def _document(path: Path, entry: ManifestEntry) -> Any:
    body, packed = (path / f"{entry.name}.json").read_bytes(), (path / f"{entry.name}.json.gz").read_bytes()
    assert hashlib.sha256(body).hexdigest() == entry.sha256, entry.name
    assert hashlib.sha256(packed).hexdigest() == entry.gzip_sha256, entry.name
    assert gzip.decompress(packed) == body
    document = json.loads(body)
    # The leaderboard alone names no time.
    assert document.get("serverTime", entry.as_of) == entry.as_of, entry.name
    return document
