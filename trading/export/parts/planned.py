"""A document about to be made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from trading.export.directory.manifest import DocumentSource, Slices


@dataclass(frozen=True)
class MadeDocument:
    body: bytes
    slices: Slices | None = None


@dataclass(frozen=True)
class PlannedDocument:
    """`signature` is equal as long as `render` would give the same for one moment; `render` takes the moment in ms."""

    signature: object
    source: DocumentSource
    rows: int
    render: Callable[[int], MadeDocument]
