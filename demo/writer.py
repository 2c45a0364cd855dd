"""Stores the sample fleet, all of it or nothing."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.db.models.functions import Lower

from demo import configs
from demo.errors import TradersExist
from demo.sample.equity import SOURCE
from demo.sample.fleet import SampleTrader
from demo.sample.plan import SamplePlan
from demo.sample.prices import MARKETS
from demo.sample.styles import persona
from demo.sample.thoughts.decisions import SampleDecision
from demo.sample.thoughts.messages import messages_of
from traders.database import sql
from traders.models import TraderConfig
from traders.schema import jsonio
from traders.schema.symbols import base_asset
from trading.models import Symbol
from trading.record.stored.copying import bulk_load, copy_rows
from trading.record.stored.spread import judging, results
from trading.record.stored.spread.form import is_spread
from trading.record.writing import bulk_trades as bulk
from trading.schema.position import PositionRecord

BATCH = 2_000
_IDS = "SELECT nextval(pg_get_serial_sequence('decision_journal', 'id')) FROM generate_series(1, %s)"
_COLUMNS = {
    "decision_journal": (
        *("id", "trader_id", "config_version", "cycle_number", "decided_at", "success", "detail", "created_at"),
    ),
    "conversation_messages": ("trader_id", "decision_id", "conversation", "sequence", "role", "content", "sent_at"),
    "positions": ("id", "trader_id", "symbol", "side", "status", "detail", "created_at", "updated_at"),
    "trades": bulk.TRADE_COLUMNS,
    "equity_snapshots": (*("trader_id", "ts_ms", "equity_usd", "realized_pnl_usd", "unrealized_pnl_usd", "source"),),
}
TABLES = tuple(_COLUMNS)

T = TypeVar("T")
Row = tuple[Any, ...]


def load(fleet: Iterable[SampleTrader], plan: SamplePlan, done: Callable[[int], None]) -> dict[str, int]:
    """{table: rows written}. `done` is called after each trader with the number so far.

    COPY, as every bulk import writes, with the moments of the records themselves in place of the clock's. The
    configurations are written last: the foreign keys of the records are looked at at the end, and the fleet is locked
    for a moment only. Raises TradersExist.
    """
    rows = dict.fromkeys(TABLES, 0)
    with bulk_load(name="demo"):
        if taken := _taken(plan):
            raise TradersExist(taken)
        _write_symbols(plan.start)
        heads = []
        for trader in fleet:
            _write_records(trader, rows)
            heads.append(configs.Head.of(trader))
            done(len(heads))
        rows |= configs.write(heads)
        # Citus refuses it in the transaction that wrote: there each server's autovacuum does it.
        if not is_spread():
            _analyze()
    return rows


def _taken(plan: SamplePlan) -> list[str]:
    """The plan's ids that the database holds already, ignoring case."""
    ids = [persona(index).id for index in range(plan.traders)]
    found = TraderConfig.objects.annotate(lower=Lower("pk")).filter(lower__in=ids).order_by("pk")
    return list(found.values_list("pk", flat=True))


def _write_records(trader: SampleTrader, rows: dict[str, int]) -> None:
    for batch in _batches(trader.decisions()):
        ids = _decision_ids(len(batch))
        _copy("decision_journal", (_decision_row(*pair) for pair in zip(ids, batch, strict=True)), rows)
        _copy("conversation_messages", _message_rows(trader.id, zip(ids, batch, strict=True)), rows)
    for held in _batches(trader.positions()):
        _copy("positions", map(_position_row, held), rows)
    for closed in _batches(trader.trades()):
        _copy("trades", map(bulk.trade_row, closed), rows)
        results.trades_added((one.trader_id, one.id) for one in closed)
    for marks in _batches(trader.equity()):
        _copy(
            "equity_snapshots",
            ((trader.id, mark.ts_ms, mark.equity, mark.realized, mark.unrealized, SOURCE) for mark in marks),
            rows,
        )
        judging.equity_added((trader.id, mark.ts_ms, SOURCE) for mark in marks)


def _copy(table: str, lines: Iterable[Row], rows: dict[str, int]) -> None:
    whole = list(lines)
    copy_rows(table, _COLUMNS[table], whole)
    rows[table] += len(whole)


def _decision_row(decision_id: int, decision: SampleDecision) -> Row:
    entry = decision.entry
    return (
        *(decision_id, entry.trader_id, entry.config_version, decision.cycle, entry.decided_at, entry.success),
        *(jsonio.dumps_finite(entry.detail.stored()), entry.decided_at),
    )


def _message_rows(trader_id: str, decisions: Iterable[tuple[int, SampleDecision]]) -> Iterator[Row]:
    for decision_id, decision in decisions:
        for message in messages_of(decision):
            yield (
                *(trader_id, decision_id, message.conversation, message.sequence, message.role, message.content),
                message.sent_at,
            )


def _position_row(position: PositionRecord) -> Row:
    detail = position.detail
    opened, closed = detail.entry.time_ms, detail.close.time_ms if detail.close else detail.entry.time_ms
    return (
        *(position.id, position.trader_id, position.symbol, position.side, position.status),
        *(jsonio.dumps_finite(detail.stored()), _moment(opened), _moment(closed)),
    )


def _write_symbols(since: datetime) -> None:
    Symbol.objects.bulk_create(
        (
            Symbol(
                symbol=market.symbol,
                base_asset=base_asset(market.symbol),
                price_decimals=market.price_decimals,
                quantity_decimals=market.quantity_decimals,
                first_seen_at=since,
            )
            for market in MARKETS
        ),
        ignore_conflicts=True,
    )


def _decision_ids(count: int) -> list[int]:
    return sql.values(_IDS, [count])


def _analyze() -> None:
    """Updates the planner's statistics after the load."""
    sql.execute(f"ANALYZE {', '.join(TABLES)}")


def _batches(items: Iterator[T]) -> Iterator[list[T]]:
    while batch := list(itertools.islice(items, BATCH)):
        yield batch


def _moment(ts_ms: int) -> datetime:
    return datetime.fromtimestamp(ts_ms / 1000, UTC)
