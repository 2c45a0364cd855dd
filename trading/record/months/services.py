"""Equity by month: divides the table, makes months ahead of time, and takes old ones out."""

from __future__ import annotations

from datetime import datetime

from trading.record.months import queries, writer
from trading.record.months.rules import BEFORE, LATER, MONTHS_AHEAD, CannotDivide, EquityPart, Month

# Of the exporter: engines would wait behind it for as long.
PATIENCE_SECONDS = 2.0


def parts() -> list[EquityPart]:
    """In order of time; none where the table is one."""
    return queries.parts()


def divide(now: datetime) -> list[Month]:
    """Divides the table from next month on, and makes the months ahead. Raises CannotDivide."""
    with writer.alone():
        if queries.is_divided():
            raise CannotDivide("The table is divided by month already.")
        writer.divide(Month.of(now).next)
        made = _make_ahead(now)
    writer.look_again()
    return made


def make_ahead(now: datetime) -> list[Month]:
    """The months that are missing, up to MONTHS_AHEAD from now. Asks one statement where none is, or where the table is
    one."""
    if not _missing(now):
        return []
    with writer.alone(PATIENCE_SECONDS):
        made = _make_ahead(now)
    writer.look_again()
    return made


def take_out(months: int) -> list[Month]:
    """As many of the newest months of the part `before`, each in a transaction of its own. Ends where it holds no row.
    Raises CannotDivide."""
    taken = []
    for _ in range(months):
        with writer.alone():
            found = {part.table: part for part in _of_divided()}
            end_ms = found[BEFORE].to_ms
            if end_ms is None or queries.count_of(found[BEFORE]) == 0:
                break
            month = Month.of_ms(end_ms - 1)
            writer.take_out_of_before(month)
            taken.append(month)
    if taken:
        writer.look_again()
    return taken


def detached_by(upto: Month, now: datetime) -> list[tuple[EquityPart, int]]:
    """The parts that `detach` takes out, with their points. Raises CannotDivide."""
    found = _of_divided()
    if upto >= Month.of(now):
        raise CannotDivide(f"{upto} is not over yet.")
    if upto not in [part.month for part in found]:
        raise CannotDivide(
            f"{upto} is no part of the table. `equity_months --take-out N` makes parts of what is older."
        )
    old = [part for part in found if part.to_ms is not None and part.to_ms <= upto.next.begins_ms]
    return [(part, queries.count_of(part)) for part in old]


def detach(upto: Month, now: datetime) -> list[tuple[EquityPart, int]]:
    """Takes the months up to this one out of the table, with all that is older: they stay as tables of their own, and
    count nowhere. Raises CannotDivide."""
    with writer.alone():
        old = detached_by(upto, now)
        writer.detach([part for part, _ in old], upto)
    writer.look_again()
    return old


def _of_divided() -> list[EquityPart]:
    found = queries.parts()
    if not found:
        raise CannotDivide("The table is one. `equity_months --divide` divides it.")
    return found


def _missing(now: datetime) -> list[Month]:
    """None, too, where the table is spread over servers or divided by another program."""
    ends = {part.table: part.from_ms for part in queries.parts()}
    begins_ms = ends.get(LATER)
    last = Month.of(now)
    for _ in range(MONTHS_AHEAD):
        last = last.next
    missing = []
    if begins_ms is not None:
        month = Month.of_ms(begins_ms)
        while month <= last:
            missing.append(month)
            month = month.next
    return missing


def _make_ahead(now: datetime) -> list[Month]:
    missing = _missing(now)
    for month in missing:
        writer.add_month(month)
    return missing
