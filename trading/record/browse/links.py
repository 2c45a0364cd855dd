"""Which decisions stand behind a trade, and which trades came of a decision: an order's id joins them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from traders.database.apart import TookTooLong, time_limit
from trading.record.stored import rows
from trading.record.stored.bounded import fetch
from trading.record.stored.safe_sql import items
from trading.schema.decision import ActionTaken
from trading.schema.ids import decision_name
from trading.schema.position import PositionRecord
from trading.schema.trade import FillType, TradeRecord

# An order is made by the decision just before it: looked for around the trade's entry and its exit alone.
AROUND = timedelta(minutes=30)
LIMIT_MS = 1_000
MOST = 10
_NAMING = f"""
SELECT j.id, j.cycle_number, j.decided_at,
       ARRAY(SELECT a ->> 'order_id' FROM jsonb_array_elements({items("j.detail", "actions")}) AS a) AS orders
  FROM decision_journal j
 WHERE j.trader_id = %(trader)s
   AND (j.decided_at BETWEEN %(entry_from)s AND %(entry_to)s OR j.decided_at BETWEEN %(exit_from)s AND %(exit_to)s)
   AND EXISTS (SELECT 1 FROM jsonb_array_elements({items("j.detail", "actions")}) AS a
                WHERE a ->> 'order_id' = ANY (%(orders)s))
 ORDER BY j.decided_at, j.id LIMIT %(most)s
"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DecisionNaming:
    """`name` is that of its page; `orders` are the ids that its actions name."""

    name: str
    cycle_number: int
    decided_at: datetime
    orders: frozenset[str]

    def names(self, order_ids: Iterable[int | str | None]) -> bool:
        return any(str(order) in self.orders for order in order_ids if order is not None)


def decisions_naming(
    trader_id: str, order_ids: Sequence[int | str | None], *, between: tuple[int, int]
) -> list[DecisionNaming]:
    """Oldest first. `between` are the milliseconds of the entry and of the exit. Empty when it would take too long:
    the page can be read without."""
    orders = sorted({str(order) for order in order_ids if order is not None})
    if not orders:
        return []
    entry, left = (_EPOCH + timedelta(milliseconds=ms) for ms in between)
    asked = {
        "trader": trader_id,
        "orders": orders,
        "entry_from": entry - AROUND,
        "entry_to": entry + AROUND,
        "exit_from": left - AROUND,
        "exit_to": left + AROUND,
        "most": MOST,
    }
    try:
        found = fetch(_NAMING, asked, limit_ms=LIMIT_MS)
    except TookTooLong:
        return []
    return [
        DecisionNaming(
            decision_name(trader_id, row.id), row.cycle_number, row.decided_at, frozenset(row.orders) - {None}
        )
        for row in found
    ]


@dataclass(frozen=True, slots=True)
class BehindTrade:
    """The decisions that opened it, those that closed it, and those that named its orders in other ways."""

    opened: list[DecisionNaming]
    closed: list[DecisionNaming]
    others: list[DecisionNaming]


def behind(
    found: Sequence[DecisionNaming], entry: Sequence[int | str | None], exit: Sequence[int | str | None]
) -> BehindTrade:
    opened = [one for one in found if one.names(entry)]
    closed = [one for one in found if one.names(exit)]
    return BehindTrade(opened, closed, [one for one in found if one not in opened and one not in closed])


@dataclass(frozen=True, slots=True)
class CameOfDecision:
    """Positions and trades that a decision opened, and trades that it closed. An opened position that was closed stands
    among the trades as well."""

    opened_positions: list[PositionRecord]
    opened_trades: list[TradeRecord]
    closed_trades: list[TradeRecord]

    @property
    def is_any(self) -> bool:
        return bool(self.opened_positions or self.opened_trades or self.closed_trades)


def came_of(trader_id: str, decided_at: datetime, actions: Sequence[ActionTaken]) -> CameOfDecision:
    """By the ids of its orders, in their symbols, from just before the decision on. Nothing when it would take too
    long."""
    orders = {str(action.order_id) for action in actions if action.order_id is not None}
    symbols = {action.symbol for action in actions if action.order_id is not None}
    if not orders:
        return CameOfDecision([], [], [])
    since, until = (round((decided_at + way * AROUND).timestamp() * 1000) for way in (-1, 1))
    own = {"trader": trader_id, "symbol__in": symbols}
    positions = rows.POSITIONS.filter(opened_ms__gte=since, opened_ms__lte=until, **own).order_by("opened_ms", "id")
    trades = rows.TRADES.filter(close_ts_ms__gte=since, **own).order_by("close_ts_ms", "id")
    try:
        with time_limit(LIMIT_MS):
            held = list(rows.positions(positions[:MOST]))
            closed = list(rows.trades(trades[: 2 * MOST]))
    except TookTooLong:
        return CameOfDecision([], [], [])

    def named(trade: TradeRecord, kind: FillType) -> bool:
        return any(fill.type is kind and str(fill.order_id) in orders for fill in trade.detail.fills)

    return CameOfDecision(
        [one for one in held if one.detail.orders and str(one.detail.orders.entry_oid) in orders],
        [one for one in closed if named(one, FillType.ENTRY)],
        [one for one in closed if named(one, FillType.EXIT)],
    )
