"""The versions of traders that the other database kept: they come with their numbers and dates.

A trader that was made here keeps its own versions: the numbers of the other database would mean others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from traders.controls.services import Asked, control
from traders.models import TraderConfigVersion
from traders.schema.controls.rows import ControlKind
from traders.schema.messages import _
from traders.schema.settings.stored import trader_spec
from traders.versions import queries as configs
from traders.versions import writer
from traders.versions.dated import writer as dated
from traders.versions.dated.writer import DatedVersion
from traders.versions.lock import locked_fleet
from trading.imports.adopt.move import Move
from trading.imports.adopt.readers.configs import EarlierVersion, read_history
from trading.imports.adopt.readers.values import Row, trader_id
from trading.imports.adopt.source import Source, UnreadableSource
from trading.imports.owners import require_spelling
from trading.record.rules.errors import InvalidRecord

HISTORY, VERSIONS = "trader_config_history", "trader_config_versions"
# Of a version that came with its number and date.
SOURCE = "adopt"
_STOPPED = "moved in from {source}; start it when the earlier engine is stopped"


def with_history() -> frozenset[str]:
    """The traders whose versions here are those of the other database."""
    return frozenset(TraderConfigVersion.objects.filter(version=1, source=SOURCE).values_list("id", flat=True))


def _has_histories(source: Source) -> bool:
    return source.has(HISTORY, "trader_id", "version", "config_snapshot", "changed_at")


def require_histories(source: Source) -> None:
    """Raises UnreadableSource."""
    if not _has_histories(source):
        raise UnreadableSource(
            _("the database %(name)s keeps no versions of traders: run adopt without --only-versions", name=source.name)
        )


def adopt_histories(move: Move, actor: str) -> None:
    """Writes what is new. New traders are stopped, so that no engine starts them. Raises what the database refuses,
    such as shares of the capital that are together too large."""
    if not _has_histories(move.source):
        return
    report = move.report.table(VERSIONS)
    moved = with_history()
    with locked_fleet():
        made, more = list[list[EarlierVersion]](), list[list[EarlierVersion]]()
        here = {name.lower(): name for name in configs.shares()}
        for name, rows in _by_trader(move):
            existing = here.get(name.lower())
            try:
                require_spelling(name, existing, "trader_id")
                if existing is not None and existing not in moved:
                    _leave(move, name, len(rows))
                    continue
                versions = _new_versions(move, name, rows, has_some=existing is not None)
            except InvalidRecord as error:
                for row in rows:
                    move.refuse(VERSIONS, row, error, there=HISTORY)
                continue
            here[name.lower()] = name
            report.inserted += len(versions)
            if versions:
                (more if existing is not None else made).append(versions)
        numbers = _change_sets([version for history in (*made, *more) for version in history])
        dated.write_histories([_dated(history, numbers) for history in made])
        dated.append_versions([_dated(history, numbers) for history in more])
    names = [history[0].spec.id for history in made]
    if names:
        control(ControlKind.STOP, names, Asked(_STOPPED.format(source=move.source.name), actor, once=SOURCE))
    move.with_history = frozenset({*moved, *names})
    move.report.traders_moved = names
    move.report.phantoms = sum(version.is_phantom for history in (*made, *more) for version in history)


def _by_trader(move: Move) -> Iterator[tuple[str, Sequence[Row]]]:
    rows = move.source.table(HISTORY, order=("trader_id", "version", "id"), at_once=100)
    for _there, group in groupby(rows, key=lambda row: row["trader_id"]):
        found = list(group)
        try:
            yield trader_id(found[0], move.ids, "trader_id"), found
        except InvalidRecord as error:
            for row in found:
                move.refuse(VERSIONS, row, error, there=HISTORY)


def _new_versions(move: Move, name: str, rows: Sequence[Row], *, has_some: bool) -> list[EarlierVersion]:
    """Raises InvalidRecord. Versions that were made here since have taken the numbers of later ones there."""
    if not has_some:
        return read_history(name, rows)
    last = TraderConfigVersion.objects.filter(id=name).order_by("-version")[0]
    left = [row for row in rows if row["version"] > last.version]
    move.report.table(VERSIONS).known += len(rows) - len(left)
    if left and last.source != SOURCE:
        _leave(move, name, len(left))
        return []
    return read_history(name, left, first=last.version + 1, before=trader_spec(last)) if left else []


def _leave(move: Move, name: str, count: int) -> None:
    move.report.table(VERSIONS).skipped += count
    move.report.notes.append(
        _(
            "%(trader_id)s has versions that were made here: %(count)s of the other database are left behind",
            trader_id=name,
            count=count,
        )
    )


def _change_sets(versions: Sequence[EarlierVersion]) -> Mapping[tuple[str, int], int]:
    """{(trader, version): number}, in order of time."""
    in_time = sorted(versions, key=lambda version: (version.at, version.spec.id))
    return {(version.spec.id, version.number): writer.next_change_set() for version in in_time}


def _dated(history: Sequence[EarlierVersion], numbers: Mapping[tuple[str, int], int]) -> list[DatedVersion]:
    first = history[0]
    return [
        DatedVersion(
            spec=version.spec,
            number=version.number,
            changed_fields=version.changed,
            reason=version.reason,
            actor=version.actor,
            account_id=None,
            source=SOURCE,
            change_set=numbers[version.spec.id, version.number],
            at=version.at,
            first_at=first.at,
            created_by=first.actor,
        )
        for version in history
    ]
