"""Files of the arena -> the trading record, in one transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from pathlib import Path

from trading.imports import kinds as import_kinds
from trading.imports.arena import equity
from trading.imports.arena.document import ArenaDocument
from trading.imports.arena.files import KEYS, ArenaKind, FoundFiles, find
from trading.imports.batches import ImportContext
from trading.imports.owners import Owners
from trading.imports.report import ImportReport
from trading.live import services as live
from trading.record.stored import symbols
from trading.record.stored.copying import bulk_load
from trading.record.writing.equity import fill_parts
from trading.schema.reject import OnReject

OnBytes = Callable[[int], None]

_IMPORTS: dict[ArenaKind, Callable[[ImportContext, ArenaDocument], None]] = {
    ArenaKind.PRICES: import_kinds.import_symbols,
    ArenaKind.TRADES: import_kinds.import_trades,
    ArenaKind.POSITIONS: import_kinds.import_positions,
    ArenaKind.CONVERSATIONS: import_kinds.import_conversations,
    ArenaKind.TOTALS: import_kinds.import_totals,
    ArenaKind.INCEPTION: import_kinds.import_inception,
}


def import_arena(
    *,
    path: Path,
    actor: str,
    on_reject: OnReject,
    add_symbols: Collection[str] = (),
    dry_run: bool = False,
    strict: bool = False,
    on_bytes: OnBytes = lambda count: None,
) -> ImportReport:
    """Takes every good record that is not recorded yet; the others go to `on_reject`, and stop nothing.

    Raises UnreadableArenaFile, StrictImport when `strict` and a record was refused, and what the database refuses: then
    nothing is written. `on_bytes` hears how much was read.
    """
    found, began = find(path), time.monotonic()
    report = ImportReport(dry_run, notes=list(found.notes))
    with bulk_load(dry_run=dry_run, name="arena"):
        owners = Owners(file=path.name or str(path), actor=actor)
        known = {*symbols.known(), *symbols.MAJORS, *add_symbols}
        context = ImportContext(
            report=report,
            owners=owners,
            known=known,
            on_reject=on_reject,
            strict=strict,
        )
        context.has_totals = ArenaKind.TOTALS in found.files
        _import_files(context, found, on_bytes)
        fill_parts(context.with_equity)
        live.fleet_changed()
    report.traders_created = sorted(owners.created)
    report.seconds = time.monotonic() - began
    _note_benchmarks(report)
    return report


def _import_files(context: ImportContext, found: FoundFiles, on_bytes: OnBytes) -> None:
    for kind, path in found.files.items():
        if kind is ArenaKind.JOURNAL:
            import_kinds.import_cycles(context, path)
            continue
        document = ArenaDocument(path, KEYS[kind], on_bytes)
        if kind is not ArenaKind.LEADERBOARD:
            _IMPORTS[kind](context, document)
            context.served_ms = context.served_ms or equity.served_ms(document.server_time)
        elif context.served_ms is not None:
            import_kinds.import_leaderboard(context, document, context.served_ms)
        else:
            context.report.notes.append(f"{path.name}: left alone, for no file says of when it is (serverTime)")


def _note_benchmarks(report: ImportReport) -> None:
    if skipped := sum(table.skipped for table in report.tables.values()):
        report.notes.append(f"{skipped:,} {'record' if skipped == 1 else 'records'} of a benchmark, which is no trader")
