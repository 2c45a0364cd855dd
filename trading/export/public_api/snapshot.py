"""One run of the exporter in memory: immutable, shared by all threads, replaced as a whole."""

from __future__ import annotations

import gzip
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from pathlib import Path

from trading.export.directory import manifest as manifests
from trading.export.directory.manifest import Manifest, ManifestEntry, Slices, file_name, gzip_name
from trading.export.documents.names import MAX_AGE, document_of

Headers = tuple[tuple[str, str], ...]
Lines = list[tuple[bytes, bytes]]
SLICES_KEPT = 64
GZIP_LEVEL = 1
# Compressing less than this saves no packet.
GZIP_FROM_BYTES = 500


@dataclass(frozen=True, slots=True)
class Form:
    """A document plain or compressed. `etag` is quoted, as headers have it."""

    etag: str
    content: bytes
    headers: tuple[tuple[str, str], ...]
    headers_of_304: tuple[tuple[str, str], ...]
    # The same as ASGI wants them.
    lines: Lines
    lines_of_304: Lines
    etag_line: bytes


@dataclass(frozen=True, slots=True)
class DocumentBody:
    """`packed` None: plain only."""

    plain: Form
    packed: Form | None
    last_modified: str


@dataclass(frozen=True)
class Snapshot:
    manifest: Manifest
    bodies: dict[str, DocumentBody]
    failed: dict[str, str]
    slicer: Slicer | None

    @property
    def as_of(self) -> int:
        return self.manifest.as_of

    def made_at(self, name: str) -> int:
        """When the document that is there was rendered, in ms; it may be of an earlier run."""
        entry = self.manifest.entry(name)
        return entry.as_of if entry else self.as_of


class Slicer:
    """account-totals from an hour on: its head, the newest rows of traders that lie before the hour, the rows from an
    offset on, its tail. Nothing is parsed."""

    def __init__(self, name: str, body: DocumentBody, entry: ManifestEntry, slices: Slices) -> None:
        self._name, self._body, self._entry, self._slices = name, body, entry, slices
        self._hours = [hour for hour, _ in slices.markers]
        self._at = lru_cache(maxsize=SLICES_KEPT)(self._cut)

    def from_hour(self, hour: int) -> DocumentBody:
        return self._at(bisect_left(self._hours, hour))

    def _cut(self, place: int) -> DocumentBody:
        whole, slices = self._body.plain.content, self._slices
        end = len(whole) - slices.tail
        start = slices.markers[place][1] if place < len(slices.markers) else end
        # Positions move with the price though no equity was recorded in the hour, so these rows may have changed.
        rows = [whole[at : at + length] for at, length in slices.newest if at < start]
        if start < end:
            rows.append(whole[start:end])
        plain = whole[: slices.head] + b",".join(rows) + whole[end:]
        packed = gzip.compress(plain, GZIP_LEVEL, mtime=0) if len(plain) >= GZIP_FROM_BYTES else None
        return make_body(self._name, plain, packed, f"{self._entry.sha256[:32]}-{place}", self._entry.as_of)


def load(run: Path) -> Snapshot | None:
    """None of a run that is not whole, or was pruned while it was read."""
    manifest = manifests.read(run)
    if manifest is None:
        return None
    bodies, failed, slicer = {}, {}, None
    try:
        for entry in manifest.files:
            if entry.error:
                failed[entry.name] = entry.error
            if not entry.size:
                continue
            plain, packed = (run / file_name(entry.name)).read_bytes(), (run / gzip_name(entry.name)).read_bytes()
            if len(plain) != entry.size or len(packed) != entry.gzip_size:
                return None
            bodies[entry.name] = make_body(entry.name, plain, packed, entry.sha256[:32], entry.as_of)
            if entry.slices:
                slicer = Slicer(entry.name, bodies[entry.name], entry, entry.slices)
    except OSError:
        return None
    return Snapshot(manifest, bodies, failed, slicer)


def make_body(name: str, plain: bytes, packed: bytes | None, etag: str, as_of: int) -> DocumentBody:
    modified = formatdate(as_of // 1000, usegmt=True)
    shared = (
        ("Cache-Control", f"public, max-age={MAX_AGE[document_of(name)]}"),
        ("Last-Modified", modified),
        ("Vary", "Accept-Encoding"),
        ("X-Content-Type-Options", "nosniff"),
    )
    # Another form of the document has another strong validator.
    compressed = _form(packed, f'"{etag}-gz"', shared, (("Content-Encoding", "gzip"),)) if packed is not None else None
    return DocumentBody(_form(plain, f'"{etag}"', shared), compressed, modified)


def _form(content: bytes, etag: str, shared: Headers, more: Headers = ()) -> Form:
    tag, length = ("ETag", etag), ("Content-Length", str(len(content)))
    # What RFC 9110 asks of a 304, and no more: each header is a tenth of its cost.
    kept = (*(header for header in shared if header[0] in ("Cache-Control", "Vary")), tag)
    headers = ("Content-Type", "application/json"), *shared, tag, *more, length
    return Form(etag, content, headers, kept, as_lines(headers), as_lines(kept), etag.encode())


def as_lines(headers: Iterable[tuple[str, str]]) -> Lines:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
