"""Sets rows of the record aside, with a reason, and includes them again. A preview does the same and rolls it back."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields
from typing import Any

from django.db import transaction

from traders.versions.reason import required_reason
from trading.live import services as live
from trading.record.exclusions import figures, queries, writer
from trading.record.exclusions.figures import TraderFigures
from trading.record.rules.errors import UnknownRecord
from trading.schema.exclusion import Exclusion, ExclusionAction, RecordKey, RecordKind

PREVIEW_REASON = "preview"


@dataclass(frozen=True)
class ExclusionChange:
    """What was done, or would be done.

    `entries`: what was written. `already`: rows that needed no change, with the entry that set each aside (None if
    the row counts). `before` and `after`: the figures by trader.
    """

    action: ExclusionAction
    entries: tuple[Exclusion, ...]
    already: tuple[tuple[RecordKey, Exclusion | None], ...]
    before: dict[str, TraderFigures]
    after: dict[str, TraderFigures]
    is_preview: bool

    @property
    def is_undo(self) -> bool:
        return self.action is ExclusionAction.INCLUDE

    def moved_figures(self) -> Iterator[tuple[str, str, Any, Any]]:
        """(trader, name of the figure, before, after) of the figures that differ, in order of trader."""
        for trader_id, old in self.before.items():
            new = self.after[trader_id]
            for one in fields(TraderFigures):
                was, now = getattr(old, one.name), getattr(new, one.name)
                if was != now:
                    yield trader_id, one.name, was, now


def mark(key: RecordKey) -> Exclusion | None:
    """The entry that set the row aside; None if the row counts or does not exist."""
    return queries.mark(key)


def history(kind: RecordKind, ids: Collection[str]) -> list[Exclusion]:
    """All entries of a row, under any of these ids, newest first."""
    return queries.of_record(kind, ids)


def set_aside(
    keys: Collection[RecordKey], *, reason: str, actor: str, account_id: int | None = None, undo: bool = False
) -> ExclusionChange:
    """Sets these rows aside, so that they count nowhere; with `undo` they count again. All of them or none.

    Rows that need no change stay as they are. Raises InvalidConfig for the reason, UnknownRecord, RecordBusy,
    ConcurrentRecord, and AlreadyOpen if a position is included again while its symbol has another open position.
    """
    said = required_reason(reason)
    change = _changed(keys, said, actor, account_id, undo=undo, dry_run=False)
    if change.entries:
        live.changed(*sorted({entry.trader_id for entry in change.entries}))
    return change


def preview(keys: Collection[RecordKey], *, undo: bool = False, actor: str = PREVIEW_REASON) -> ExclusionChange:
    """What `set_aside` would do: it does it and rolls it back. Raises the same errors."""
    return _changed(keys, PREVIEW_REASON, actor, None, undo=undo, dry_run=True)


def _changed(
    keys: Collection[RecordKey], reason: str, actor: str, account_id: int | None, *, undo: bool, dry_run: bool
) -> ExclusionChange:
    action = ExclusionAction.INCLUDE if undo else ExclusionAction.EXCLUDE
    with writer.locked():
        wanted = list(dict.fromkeys(keys))
        found = writer.lock_rows(wanted)
        if missing := [key for key in wanted if key not in found]:
            raise UnknownRecord(missing)
        rows = [found[key] for key in sorted(wanted)]
        due = [row for row in rows if (row.exclusion_id is not None) is undo]
        entries_of = queries.by_ids(row.exclusion_id for row in rows)
        already = tuple(
            (row.key, entries_of.get(row.exclusion_id) if row.exclusion_id is not None else None)
            for row in rows
            if (row.exclusion_id is not None) is not undo
        )
        traders = sorted({row.trader_id for row in rows})
        before = figures.of_traders(traders)
        entries = writer.write(due, action, reason=reason, actor=actor, account_id=account_id)
        after = figures.of_traders(traders)
        if dry_run:
            transaction.set_rollback(True)
    return ExclusionChange(action, tuple(entries), already, before, after, dry_run)
