"""Suspect equity, judged by the writer where no trigger does.

The twins of `nof0_judge_new_equity`, `nof0_judge_changed_equity` and of the triggers that explain a step. The judgement
itself is the same function of the database.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping

from traders.database import sql
from trading.record.stored.spread.form import is_spread

_JUDGE = "SELECT nof0_judge_equity(%s, %s, %s)"
_SUSPECT = "SELECT ts_ms FROM equity_snapshots WHERE trader_id = %s AND is_suspect ORDER BY ts_ms"
ENGINE = "engine"
"""The source whose points are judged."""


def equity_added(points: Iterable[tuple[str, int, str]]) -> None:
    """After the insert of points (trader, milliseconds, source), in its transaction."""
    spans = dict[str, tuple[int, int]]()
    for trader_id, ts_ms, source in points:
        if source == ENGINE:
            first, last = spans.get(trader_id, (ts_ms, ts_ms))
            spans[trader_id] = min(first, ts_ms), max(last, ts_ms)
    if spans and is_spread():
        for trader_id in sorted(spans):
            equity_changed(trader_id, *spans[trader_id])


def equity_changed(trader_id: str, from_ms: int, upto_ms: int) -> None:
    """Judges the points between two moments. Only where the record is spread."""
    sql.rows(_JUDGE, [trader_id, from_ms, upto_ms])


def explained(moments: Mapping[str, Iterable[int]]) -> None:
    """After an entry, a fill or a transfer of a trader at each of these moments (ms): the first suspect point at or
    after it is judged again."""
    if not moments or not is_spread():
        return
    for trader_id in sorted(moments):
        suspect = sql.values(_SUSPECT, [trader_id])
        places = {bisect_left(suspect, moment) for moment in moments[trader_id]} if suspect else set()
        for place in sorted(places - {len(suspect)}):
            equity_changed(trader_id, suspect[place], suspect[place])
