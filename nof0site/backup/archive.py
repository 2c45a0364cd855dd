"""The file of a backup: a tar of the dump, the published documents and the settings, and a manifest with their digests.

The manifest is the last entry, so an archive that was cut short has none.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FORMAT = 1
MANIFEST, DUMP, SETTINGS, EXPORT = "manifest.json", "database.dump", "settings.json", "export/"
_CHUNK = 1 << 20


class BadArchive(Exception):
    """The file cannot be restored; the message says why."""


@dataclass(frozen=True)
class TableProof:
    """`digest` is the sum of a digest of each row, in any order: two tables with equal rows have the same."""

    rows: int
    digest: str


@dataclass(frozen=True)
class BackupManifest:
    """`migrations` names every applied one; `files` has the size and SHA-256 of each other entry."""

    release: str
    made_at: str
    postgresql: int
    migrations: list[str]
    tables: dict[str, TableProof]
    export_run: str = ""
    files: dict[str, tuple[int, str]] = field(default_factory=dict)
    format: int = FORMAT


class ArchiveWriter:
    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.files: dict[str, tuple[int, str]] = {}

    def add_file(self, name: str, path: Path) -> None:
        with path.open("rb") as source:
            info = tarfile.TarInfo(name)
            info.size = os.fstat(source.fileno()).st_size
            reader = _DigestingReader(source)
            self._tar.addfile(info, reader)
        self.files[name] = (info.size, reader.digest.hexdigest())

    def add_bytes(self, name: str, content: bytes) -> None:
        self.files[name] = (len(content), hashlib.sha256(content).hexdigest())
        self._put(name, content)

    def finish(self, manifest: BackupManifest) -> None:
        self._put(MANIFEST, json.dumps(asdict(manifest) | {"files": self.files}, indent=1).encode())

    def _put(self, name: str, content: bytes) -> None:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        self._tar.addfile(info, io.BytesIO(content))


@contextmanager
def new_archive(path: Path) -> Iterator[ArchiveWriter]:
    """Writes beside the path and renames at the end, once all of it is on disk: the file is whole, or not there."""
    if path.exists():
        raise BadArchive(f"{path} exists already; choose another name")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        # Password hashes and encrypted secrets lie in it.
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            with tarfile.open(fileobj=stream, mode="w|") as tar:
                yield ArchiveWriter(tar)
            stream.flush()
            os.fsync(stream.fileno())
        os.link(unfinished, path)  # unlike a rename it replaces no file that came meanwhile
    finally:
        unfinished.unlink(missing_ok=True)


def unpack(path: Path, folder: Path) -> BackupManifest:
    """The entries as files below `folder`, each held to its size and digest. Raises BadArchive."""
    found: dict[str, tuple[int, str]] = {}
    try:
        with tarfile.open(path, mode="r|") as tar:
            for entry in tar:
                if not entry.isreg() or not _is_safe(entry.name):
                    raise BadArchive(f"{path} holds {entry.name!r}, which no backup holds")
                target = folder / entry.name
                target.parent.mkdir(parents=True, exist_ok=True)
                source = tar.extractfile(entry)
                assert source is not None
                with target.open("wb") as out:
                    reader = _DigestingReader(source)
                    while chunk := reader.read(_CHUNK):
                        out.write(chunk)
                found[entry.name] = (entry.size, reader.digest.hexdigest())
    except tarfile.TarError as error:
        raise BadArchive(f"{path} is no backup, or is damaged: {error}") from error
    manifest = _manifest(path, folder / MANIFEST)
    found.pop(MANIFEST)
    if wrong := sorted(name for name in {*found, *manifest.files} if found.get(name) != manifest.files.get(name)):
        raise BadArchive(f"{path} is damaged: {', '.join(wrong[:5])} differ from the manifest")
    if DUMP not in found:
        raise BadArchive(f"{path} holds no {DUMP}")
    return manifest


def _manifest(path: Path, file: Path) -> BackupManifest:
    if not file.exists():
        raise BadArchive(f"{path} has no manifest: it is no backup, or was cut short")
    try:
        read: dict[str, Any] = json.loads(file.read_bytes())
        if read["format"] != FORMAT:
            raise BadArchive(f"{path} has the format {read['format']}, this release reads {FORMAT}: use a newer one")

        read["tables"] = {name: TableProof(**proof) for name, proof in read["tables"].items()}
        read["files"] = {name: (size, digest) for name, (size, digest) in read["files"].items()}
        return BackupManifest(**read)
    except (ValueError, KeyError, TypeError) as error:
        raise BadArchive(f"{path} has a damaged manifest: {error}") from error


def _is_safe(name: str) -> bool:
    parts = Path(name).parts
    return bool(parts) and not Path(name).is_absolute() and ".." not in parts


class _DigestingReader:
    """A file that notes the SHA-256 of what is read of it."""

    def __init__(self, source: Any) -> None:
        self._source = source
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        content: bytes = self._source.read(size)
        self.digest.update(content)
        return content
