"""Lines about the documents that the exporter writes."""

from __future__ import annotations

import time
from itertools import pairwise

from django.conf import settings

from nof0site.acceptance.rules import Measured, corrected, failed, passed, passed_unless
from traders.schema.messages import TranslatableText, _
from trading.export.directory import manifest as manifests
from trading.export.directory.runs import RUNS, ExportDirectory
from trading.export.documents.names import Document

PLAN_SECONDS = 60
LONGEST_MS = 5_000
# A beat may come late by the time of a cycle, and a reader may look just before the next one.
LATE = 1.5
BEATS_MISSED = 3
_START = _(
    "Start the exporter: `manage.py serve` runs it, or `manage.py export_json --every 60` on the machine of EXPORT_DIR."
)


def cadence() -> Measured:
    """The newest run is young, and the last runs followed each other at the wanted pace."""
    every = settings.EXPORT_SECONDS or PLAN_SECONDS
    runs = _directory().runs()
    if not runs:
        return failed(_("No export in %(root)s.", root=settings.EXPORT_DIR), _START)
    age = time.time() - runs[-1] / 1000
    apart = min(((late - early) / 1000 for early, late in pairwise(runs)), default=None)
    figure = _(
        "The newest of %(runs)s kept runs is %(age)s s old; runs are %(apart)s s apart.",
        runs=len(runs),
        age=f"{age:.0f}",
        apart="?" if apart is None else f"{apart:.0f}",
    )
    if age > BEATS_MISSED * every or (apart or 0) > LATE * every:
        return failed(figure, _START, _("Wanted: one every %(every)s s.", every=every))
    if every > PLAN_SECONDS:
        return corrected(figure, _("This site exports every %(every)s s (EXPORT_SECONDS).", every=every))
    return passed(figure)


def duration() -> Measured:
    """The longest of the kept runs."""
    root = settings.EXPORT_DIR / RUNS
    kept = [found for as_of in _directory().runs() if (found := manifests.read(root / str(as_of)))]
    if not kept:
        return failed(_("No export in %(root)s.", root=settings.EXPORT_DIR), _START)
    longest = max(one.duration_ms for one in kept)
    figure = _("The longest of %(runs)s kept runs took %(seconds)s s.", runs=len(kept), seconds=f"{longest / 1000:.2f}")
    if longest < LONGEST_MS:
        return passed(figure)
    return failed(figure, _("Look at the log of the exporter and at slow queries (P7.1); lower EXPORT_TRADES."))


def documents() -> Measured:
    """Readers see every document, and none that stands from an earlier run because it could not be made."""
    current = _directory().current()
    if current is None:
        return failed(_("No export in %(root)s.", root=settings.EXPORT_DIR), _START)
    entries = {entry.name: entry for entry in current.manifest.files}
    wrong: list[str] = [name for name in Document if name not in entries or not entries[name].size]
    wrong += [name for name, entry in entries.items() if entry.is_stale]
    figure = _(
        "%(count)s documents of one run (%(files)s files) answer every request of the read API.",
        count=len(set(Document) & entries.keys()),
        files=len(entries),
    )
    return passed_unless(wrong, figure=figure, then=_why_stale())


def _why_stale() -> TranslatableText:
    return _("The log of the exporter says why: `manage.py export_json` once shows the same.")


def _directory() -> ExportDirectory:
    return ExportDirectory(settings.EXPORT_DIR)
