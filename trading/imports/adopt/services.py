"""The database of an earlier program -> the records of this one, in one transaction."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from typing import Any

from psycopg import sql

from traders.schema.messages import TranslatableText, _
from traders.schema.secrets import find_secret
from traders.words.kept_messages import kept
from trading.imports.adopt import conversations, histories, kinds, prices
from trading.imports.adopt.move import LeftColumn, Move, MoveReport, whole
from trading.imports.adopt.readers.columns import LeftBehind, fate_of
from trading.imports.adopt.readers.values import moment
from trading.imports.adopt.source import Source, opened, require_adopted
from trading.imports.adopt.traders import require_ids
from trading.imports.batches import ImportContext
from trading.imports.owners import Owners
from trading.live import services as live
from trading.models import MoveIn
from trading.record.stored import symbols
from trading.record.stored.copying import bulk_load
from trading.record.writing.equity import fill_parts
from trading.schema.reject import OnReject, Reject

# Of one move on its page; its file has all of them.
MOST_REJECTS = 200
LONGEST_MESSAGE = 500
LONGEST_SAID = 200
_APART = _("of a conversation that belongs to no decision: its messages alone are kept")


def adopt(
    *,
    dsn: str,
    actor: str,
    on_reject: OnReject,
    ids: Mapping[str, str] | None = None,
    add_symbols: Collection[str] = (),
    dry_run: bool = False,
    only_versions: bool = False,
) -> MoveReport:
    """Records what is not recorded yet, and closes what was closed there since. `ids` is {trader there: trader here}.
    `only_versions` takes the versions of traders alone, so that cycle files can be imported before their decisions.

    What cannot be taken goes to `on_reject`, and stops nothing. Raises UnreadableSource, and what the database refuses:
    then nothing is written. The other database is only read.
    """
    began = time.monotonic()
    with opened(dsn) as source:
        require_adopted(source)
        require_ids(source, ids or {})
        if only_versions:
            histories.require_histories(source)
        report = MoveReport(dry_run, source=source.name, generation=source.generation.code)
        rejects = _Rejects(on_reject)
        with bulk_load(dry_run=dry_run, name="adopt"):
            owners = Owners(file=f"the database {source.name}", actor=actor, known_as=known_as(source, ids or {}))
            known = {*symbols.known(), *symbols.MAJORS, *add_symbols}
            context = ImportContext(report=report, owners=owners, known=known, on_reject=rejects.add, strict=False)
            move = Move(source, context, report, ids or {})
            # Before the placeholders of traders without versions.
            histories.adopt_histories(move, actor)
            if not only_versions:
                _take(move)
            report.left_behind = left_behind(source) + left_apart(move)
            report.traders_created = sorted(owners.created)
            fill_parts(context.with_equity)
            report.seconds = time.monotonic() - began
            MoveIn.objects.create(
                actor=actor,
                source=source.name,
                generation=source.generation.code,
                refused=report.rejected,
                report=summary(report),
                rejects=rejects.first,
            )
            live.fleet_changed()
    report.seconds = time.monotonic() - began
    return report


def _take(move: Move) -> None:
    kinds.adopt_symbols(move)
    kinds.adopt_trades(move)
    kinds.adopt_positions(move)
    kinds.adopt_equity(move)
    conversations.adopt_messages(move, conversations.adopt_decisions(move))
    prices.adopt_prices(move)
    tables = move.report.tables
    if skipped := sum(table.skipped for name, table in tables.items() if name != histories.VERSIONS):
        move.report.notes.append(_("rows of a benchmark, which is no trader: %(count)s", count=f"{skipped:,}"))


def known_as(source: Source, ids: Mapping[str, str]) -> dict[str, str]:
    """{trader here: what the other database says of it}."""
    found: dict[str, str] = {}
    for row in source.table("models") if source.has("models", "id", "display_name", "created_at") else ():
        since = moment(row, "created_at")
        said = f"{source.name} knew it" + (f" since {since:%Y-%m-%d}" if since else "")
        if name := _plain(row["display_name"]):
            said += f" as {name!r}"
        if description := _plain(row.get("description")):
            said += f": {description}"
        found[ids.get(row["id"], row["id"])] = f"{said}."
    return found


def _plain(text: Any) -> str:
    """One line that a description may hold, and nothing of a text with a secret in it."""
    line = " ".join(text.split()) if isinstance(text, str) else ""
    return line[:LONGEST_SAID] if line.isprintable() and not find_secret(line) else ""


def left_behind(source: Source) -> list[LeftColumn]:
    """Of each table in one statement: how many rows hold something in a column that has no place here."""
    found = []
    for table, columns in sorted(source.tables.items()):
        fates = {column: fate_of(source.generation, table, column) for column in columns}
        left = {column: fate for column, fate in fates.items() if isinstance(fate, LeftBehind)}
        if not left:
            continue
        counted = sql.SQL(", ").join(
            sql.SQL(
                "count(*) FILTER (WHERE {column} IS NOT NULL AND {column}::text NOT IN ('', '{{}}')) AS {name}"
            ).format(column=sql.Identifier(column), name=sql.Identifier(column))
            for column in left
        )
        row = next(source.rows(sql.SQL("SELECT {} FROM {}").format(counted, sql.Identifier(table))))
        found += [LeftColumn(table, column, row[column], fate.reason) for column, fate in left.items() if row[column]]
    return found


def left_apart(move: Move) -> list[LeftColumn]:
    """Of the conversations that led to no decision, once they are read."""
    return [LeftColumn(*place, rows, _APART) for place, rows in sorted(move.apart.items()) if rows]


def summary(report: MoveReport) -> dict[str, Any]:
    """What the page of a move shows."""
    return {
        "tables": {name: asdict(table) for name, table in report.tables.items()},
        "traders_created": report.traders_created,
        "notes": [kept(note) if isinstance(note, TranslatableText) else note for note in report.notes],
        "closed": report.closed,
        "repeated": dict(report.repeated),
        "traders_moved": report.traders_moved,
        "phantoms": report.phantoms,
        "price_days": report.price_days,
        "left_behind": [
            {"table": one.table, "column": one.column, "rows": one.rows, "reason": kept(one.reason)}
            for one in report.left_behind
        ],
        "seconds": round(report.seconds, 3),
    }


class _Rejects:
    """Passes each reject on, and keeps the first ones."""

    def __init__(self, on_reject: OnReject) -> None:
        self._on_reject = on_reject
        self.first: list[dict[str, Any]] = []

    def add(self, reject: Reject) -> None:
        self._on_reject(replace(reject, record=whole(reject.record)))
        if len(self.first) < MOST_REJECTS:
            message = reject.message
            said = kept(message, _cut) if isinstance(message, TranslatableText) else _cut(message)
            self.first.append({"table": reject.file, "row": reject.index, "field": reject.field, "message": said})


def _cut(text: str) -> str:
    return text[:LONGEST_MESSAGE]
