"""One export: it reads everything as of one moment, makes every document that can be made, and shows readers all of
them at once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from django.db import Error
from msgspec import structs

from trading.export.directory.manifest import DocumentSource, Manifest, ManifestEntry
from trading.export.directory.runs import ExportDirectory, Run, digest
from trading.export.documents.names import Document, of_trader
from trading.export.parts.all import Parts
from trading.export.parts.options import Options
from trading.export.parts.planned import PlannedDocument
from trading.export.queries.snapshot import ReplicaLost, is_lost, on_its_own, snapshot
from trading.record.exclusions import queries as exclusions

log = logging.getLogger(__name__)


class ExportStopped(Exception):
    """The export was told to end. It finished the current file; readers still see the previous run."""


@dataclass
class Exporter:
    """Keeps read rows and encoded texts between cycles. `is_stopping` is asked between two files."""

    options: Options
    is_stopping: Callable[[], bool] = lambda: False

    def __post_init__(self) -> None:
        self.directory = ExportDirectory(self.options.root)
        self.parts = Parts(self.options)
        self._signatures: dict[str, object] = {}
        self._of_run = 0

    def cycle(self, *, analytics_seconds: float | None = 0.1) -> Manifest:
        """Raises OSError where the run cannot be written, ExportStopped, RunOvertaken, and django.db.Error when the
        database is away. Readers then see the previous run."""
        try:
            return self._cycle(analytics_seconds)
        except ReplicaLost as error:
            log.warning("The replica failed, so the primary is read: %s", error)
            return self._cycle(analytics_seconds)

    def _cycle(self, analytics_seconds: float | None) -> Manifest:
        began = time.monotonic()
        run = self.directory.begin(time.time_ns() // 1_000_000)
        as_of, previous = run.as_of, run.previous
        if previous is None or previous.manifest.as_of != self._of_run:
            # Another exporter, or none, was at work since: what this one remembers of files is nothing.
            self._signatures = {}
            if previous is not None:
                self.parts.take_over(previous)
        try:
            with snapshot():
                entries = list(self._entries(run, as_of, analytics_seconds))
                aside = sum(exclusions.counts_by_kind().values())
            took_ms = round((time.monotonic() - began) * 1000)
            manifest = Manifest(
                as_of, took_ms, entries, len(self.parts.left_out.rows), aside, self.parts.accounts.inception_ms
            )
            self.directory.publish(run, manifest)
        except BaseException:
            run.abandon()
            self._signatures = {}
            raise
        self._of_run = as_of
        self.directory.prune(keep_after_ms=as_of - self.options.delay_ms)
        return manifest

    def _entries(self, run: Run, as_of: int, analytics_seconds: float | None) -> Iterator[ManifestEntry]:
        self.parts.begin(analytics_seconds)
        for document in Document:
            yield self._entry(run, document, as_of, partial(self._planned, document))
        for trader_id in self.parts.traders_with_analytics():
            name = of_trader(trader_id)
            yield self._entry(run, name, as_of, partial(self.parts.plan_of_one, trader_id))

    def _planned(self, document: Document) -> PlannedDocument:
        with on_its_own():
            return self.parts.plan(document)

    def _entry(self, run: Run, name: str, as_of: int, plan: Callable[[], PlannedDocument]) -> ManifestEntry:
        if self.is_stopping():
            raise ExportStopped
        try:
            return self._rendered(run, name, as_of, plan())
        except OSError:
            raise
        except Exception as error:
            if isinstance(error, Error) and is_lost(error):
                raise
            # One document must not take the others with it, whatever is wrong with it.
            log.exception("The document %s could not be made; what was there before stays.", name)
            self._signatures.pop(name, None)
            return _failed(run, name, as_of, f"{type(error).__name__}: {error}"[:500])

    def _rendered(self, run: Run, name: str, as_of: int, planned: PlannedDocument) -> ManifestEntry:
        before = run.previous.manifest.entry(name) if run.previous else None
        if before and before.size and self._is_as_before(name, before, planned) and run.keep(name):
            self._signatures[name] = planned.signature
            return _kept(before, planned.source)
        made = planned.render(as_of)
        self._signatures[name] = planned.signature
        entry = ManifestEntry(name=name, source=planned.source, as_of=as_of, rows=planned.rows, slices=made.slices)
        return run.put(entry, made.body)

    def _is_as_before(self, name: str, before: ManifestEntry, planned: PlannedDocument) -> bool:
        """Compares its signature; after a start, makes the document for the moment of the previous one and compares
        that."""
        if name in self._signatures:
            return self._signatures[name] == planned.signature
        return digest(planned.render(before.as_of).body) == before.sha256


def _kept(before: ManifestEntry, source: DocumentSource) -> ManifestEntry:
    return structs.replace(before, source=source, is_stale=False, error=None)


def _failed(run: Run, name: str, as_of: int, why: str) -> ManifestEntry:
    before = run.previous.manifest.entry(name) if run.previous else None
    if before is None or not before.size or not run.keep(name):
        return ManifestEntry(name=name, source=DocumentSource.PREVIOUS, as_of=as_of, is_stale=True, error=why)
    return structs.replace(before, source=DocumentSource.PREVIOUS, is_stale=True, error=why)
