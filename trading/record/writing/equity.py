"""Equity of traders at moments, with realized and unrealized P&L."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from decimal import Decimal

from traders.schema.moments import now_ms
from trading.live.keys import PRICE
from trading.live.unrealized import unrealized_now
from trading.models import EquitySnapshot
from trading.record.stored.copying import copy_rows
from trading.record.stored.equity.realized import FILL, realized_at
from trading.record.stored.outcome import WriteOutcome, sorted_out
from trading.record.stored.spread import judging, reads
from trading.schema.facts import EquityPoint
from trading.schema.trade import MS_PER_SECOND

_COLUMNS = (
    *("trader_id", "ts_ms", "equity_usd", "source", "realized_pnl_usd", "unrealized_pnl_usd"),
    "available_usd",
)
# What is sent may be a wrong point that was corrected, or at its moment what the correction says.
_STORED = """
WITH RECURSIVE line AS (
    SELECT k.trader_id, k.ts_ms, k.equity_usd AS said, e.ts_ms AS at, e.equity_usd, e.exclusion_id
      FROM unnest(%(traders)s::text[], %(moments)s::bigint[], %(equity)s::numeric[]) AS k (trader_id, ts_ms, equity_usd)
      JOIN equity_snapshots e ON e.trader_id = k.trader_id AND e.ts_ms = k.ts_ms
    UNION ALL
    SELECT l.trader_id, l.ts_ms, l.said, e.ts_ms, e.equity_usd, e.exclusion_id
      FROM line l JOIN equity_snapshots e ON e.trader_id = l.trader_id AND e.corrects_ts_ms = l.at)
SELECT trader_id, ts_ms, equity_usd, exclusion_id IS NOT NULL AS is_aside
  FROM line ORDER BY equity_usd = said, at
"""

NEWEST_MINUTES = 10

Key = tuple[str, int]


def copy_equity(batch: Sequence[EquityPoint]) -> WriteOutcome:
    """Adds the points of moments without recorded equity; the same equity from another source is recognised. Call it
    inside `copying.bulk_load`."""
    stored, aside = _stored(batch)
    new, outcome = sorted_out(batch, stored, key=_key, content=_content, name=_name)
    outcome.set_aside = sum(_key(point) in aside and stored[_key(point)] == _content(point) for point in batch)
    copy_rows("equity_snapshots", _COLUMNS, map(_row, new))
    judging.equity_added((point.trader_id, point.ts_ms, point.source) for point in new)
    return outcome


def with_parts(points: Sequence[EquityPoint]) -> list[EquityPoint]:
    """The point with the values that its source left out: realized P&L from trades and parts of open positions,
    unrealized P&L from current prices, for points of the last seconds only. Unrealized P&L is 0 if the trader held
    nothing. A value that cannot be derived stays None."""
    known = realized_at([_key(point) for point in points if None in (point.realized, point.unrealized)])
    young_ms = now_ms() - PRICE.allowed_age * MS_PER_SECOND
    holding = {one.trader_id for one in known.values() if one.held and not one.is_past and one.ts_ms >= young_ms}
    gains = {name: found.total for name, found in unrealized_now(holding).items()} if holding else {}

    def whole(point: EquityPoint) -> EquityPoint:
        found = known.get(_key(point))
        if found is None:
            return point
        is_now = found.trader_id in holding and found.ts_ms >= young_ms and not found.is_past
        unrealized = (gains.get(found.trader_id) if is_now else None) if found.held else Decimal(0)
        return replace(
            point,
            realized=found.realized if point.realized is None else point.realized,
            unrealized=unrealized if point.unrealized is None else point.unrealized,
        )

    return [whole(point) for point in points]


def fill_parts(trader_ids: Collection[str], *, since_ms: int = 0) -> int:
    """Derives realized and unrealized P&L of stored points without realized P&L, where that is possible by now; returns
    their number. In the caller's transaction, after the trades."""
    return reads.execute(FILL, {"traders": list(trader_ids), "since": since_ms})


def fill_newest(now_ms: int) -> int:
    """As `fill_parts`, of the points of the last minutes: those of programs that write SQL."""
    since_ms = now_ms - NEWEST_MINUTES * 60 * MS_PER_SECOND
    traders = EquitySnapshot.objects.filter(ts_ms__gte=since_ms, realized_pnl_usd=None, source="engine", exclusion=None)
    names = sorted(set(traders.values_list("trader_id", flat=True)))
    return fill_parts(names, since_ms=since_ms) if names else 0


def fill_all() -> int:
    """As `fill_parts`, of all traders."""
    names = EquitySnapshot.objects.filter(realized_pnl_usd=None, exclusion=None).order_by().values_list("trader_id")
    return fill_parts([name for (name,) in names.distinct()])


def _row(point: EquityPoint) -> tuple[object, ...]:
    parts = (point.realized, point.unrealized, point.available)
    amounts = [None if amount is None else f"{amount:f}" for amount in parts]
    return (*_key(point), f"{point.equity:f}", point.source, *amounts)


def _stored(batch: Sequence[EquityPoint]) -> tuple[dict[Key, object], set[Key]]:
    """{key: content} of the recorded points, and the keys of those that were set aside. For a point with corrections
    the content is that of the equal one, else that of the last."""
    asked = {
        "traders": [point.trader_id for point in batch],
        "moments": [point.ts_ms for point in batch],
        "equity": [point.equity for point in batch],
    }
    found = reads.rows(_STORED, asked, beside=["moments", "equity"])
    stored = {(trader, ts_ms): (equity, is_aside) for trader, ts_ms, equity, is_aside in found}
    contents: dict[Key, object] = {key: equity for key, (equity, _aside) in stored.items()}
    return contents, {key for key, (_equity, is_aside) in stored.items() if is_aside}


def _key(point: EquityPoint) -> Key:
    return point.trader_id, point.ts_ms


def _content(point: EquityPoint) -> Decimal:
    return point.equity


def _name(point: EquityPoint) -> str:
    return f"{point.trader_id} {point.ts_ms}"
