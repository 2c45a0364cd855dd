"""The cycle files of trading engines into the decision journal: all of it in one transaction, or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from traders.schema.messages import _
from traders.versions.rules.in_force import NamedVersion
from trading.imports.journal_files.directory import OnFiles, cycle_files, read_json
from trading.imports.journal_files.record import Cycle, read_cycle
from trading.live import services as live
from trading.record.rules.attribution import Timeline
from trading.record.rules.errors import InvalidRecord, StrictImport, UnknownTrader
from trading.record.stored import symbols, versions
from trading.record.stored.copying import bulk_load
from trading.record.writing.bulk_decisions import copy_decisions
from trading.record.writing.clean import clean
from trading.schema.decision import JournalEntry
from trading.schema.reject import OnReject, Reject
from trading.schema.spelling import Spellings, spelled_detail

BATCH = 500
# Each file is read for its time, then for what it says.
READINGS = 2
EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


@dataclass
class JournalImport:
    """What was done with the files; `of_others` were of traders that were not asked for. `inserted` by trader.
    `redacted` counts the secrets taken out of texts, of files known already too."""

    files: int = 0
    inserted: Counter[str] = field(default_factory=Counter)
    known: int = 0
    refused: int = 0
    of_others: int = 0
    before_v1: int = 0
    redacted: int = 0
    dry_run: bool = False


def import_journal(
    directory: Path,
    *,
    on_reject: OnReject,
    trader_ids: Collection[str] = (),
    dry_run: bool = False,
    strict: bool = False,
    on_files: OnFiles = lambda count: None,
) -> JournalImport:
    """Records what is not recorded yet, in order of time; cycle numbers go on from what each trader has.

    A file that names no version belongs to the one valid at its time. Refused files go to `on_reject` and hinder no
    other, unless `strict`. `on_files` is called READINGS times for each file. Raises UnknownTrader for one that was
    asked for, StrictImport, OSError.
    """
    timelines = _Timelines(trader_ids)
    report = JournalImport(dry_run=dry_run)
    with bulk_load(dry_run=dry_run, name="journal"):
        paths = _told(cycle_files(directory, on_files), on_files)
        entries = _entries(paths, timelines, report, on_reject, strict)
        while batch := list(islice(entries, BATCH)):
            copied = copy_decisions(batch)
            report.inserted += copied.inserted
            report.known += copied.known
        live.fleet_changed()
    return report


def _told(paths: Iterable[Path], on_files: OnFiles) -> Iterator[Path]:
    for path in paths:
        yield path
        on_files(1)


def _entries(
    paths: Iterable[Path], timelines: _Timelines, report: JournalImport, on_reject: OnReject, strict: bool
) -> Iterator[JournalEntry]:
    for path in paths:
        report.files += 1
        name, record = _printable(path.name), None
        try:
            record = read_json(path)
            cycle = read_cycle(record, name)
            if timelines.asked_for(cycle.trader_id):
                entry, found = clean(timelines.entry(cycle, report))
                report.redacted += len(found)
                yield entry
            else:
                report.of_others += 1
        except InvalidRecord as error:
            report.refused += 1
            reject = Reject(name, error.reason, field=error.field, record=record)
            on_reject(reject)
            if strict:
                raise StrictImport(str(reject)) from None


class _Timelines:
    """Each trader's versions, asked for when its first file comes."""

    def __init__(self, asked: Collection[str]) -> None:
        self._asked = frozenset(asked)
        self._spellings: dict[str, Spellings] = {}
        self._found: dict[str, Timeline | None] = {name: self._of(name) for name in self._asked}
        for name, timeline in self._found.items():
            if timeline is None:
                raise UnknownTrader(name)

    def asked_for(self, trader_id: str) -> bool:
        return not self._asked or trader_id in self._asked

    def entry(self, cycle: Cycle, report: JournalImport) -> JournalEntry:
        """Raises InvalidRecord for an unknown trader, or a version it never had."""
        if cycle.trader_id not in self._found:
            self._found[cycle.trader_id] = self._of(cycle.trader_id)
        timeline = self._found[cycle.trader_id]
        if timeline is None:
            raise InvalidRecord(
                "trader_id",
                _(
                    "%(trader_id)s is no trader here; sync_traders makes traders from a manager.yaml, import_arena"
                    " from arena files",
                    trader_id=repr(cycle.trader_id),
                ),
            )
        named = None if cycle.version is None else NamedVersion(cycle.version)
        version = timeline.version_at_us((cycle.decided_at - EPOCH) // MICROSECOND, named)
        if version is not None and not timeline.has_version(version):
            last = len(timeline.since_us)
            raise InvalidRecord(
                "config_version",
                _(
                    "must be one of %(trader_id)s's 1 to %(last)s, was %(version)s",
                    trader_id=cycle.trader_id,
                    last=last,
                    version=version,
                ),
            )
        report.before_v1 += version is None
        detail = spelled_detail(cycle.detail, self._spell(cycle.trader_id))
        return JournalEntry(cycle.trader_id, version, cycle.decided_at, cycle.success, detail)

    def _spell(self, trader_id: str) -> Spellings:
        if trader_id not in self._spellings:
            self._spellings[trader_id] = symbols.spellings(symbols.exchange_of(trader_id))
        return self._spellings[trader_id]

    def _of(self, trader_id: str) -> Timeline | None:
        return versions.timelines([trader_id]).get(trader_id)


def _printable(name: str) -> str:
    """Names of files may be any bytes; what is stored is text."""
    return name.encode("utf-8", "backslashreplace").decode()
