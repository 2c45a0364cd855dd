"""Each kind of rows of the other database: how they become records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from traders.schema.messages import _
from traders.schema.symbols import is_symbol
from trading.imports.adopt.closings import Place, closed_as_traded, settle, settle_gone
from trading.imports.adopt.move import ORDER, Move, Repeated, row_id
from trading.imports.adopt.readers.equity import read_equity
from trading.imports.adopt.readers.positions import read_position
from trading.imports.adopt.readers.trades import read_trade
from trading.imports.batches import Candidate
from trading.record.rules.errors import InvalidRecord
from trading.record.stored.outcome import WriteOutcome
from trading.record.writing.bulk_positions import copy_positions
from trading.record.writing.bulk_trades import copy_trades
from trading.record.writing.equity import copy_equity
from trading.schema.common import Versions
from trading.schema.facts import EquityPoint
from trading.schema.position import PositionRecord
from trading.schema.trade import TradeRecord

# Each row is kept beside its record until it is written, in case it must be refused.
BATCH = 1000
SYMBOLS, TRADES, POSITIONS, EQUITY = "symbols", "trades", "positions", "equity_snapshots"
# {table of the source: whether records name what it lists}. What an exchange lists is known; it is recorded once it is
# traded.
_LISTS = ("symbols", "market_assets")
EQUITY_TABLES = ("account_equity_snapshots", "account_snapshots")


def adopt_symbols(move: Move) -> None:
    """Names that the other program knew may be used."""
    for table in _LISTS:
        if move.source.has(table, "symbol"):
            names = {row["symbol"] for row in move.source.table(table)}
            move.context.learn({name for name in names if isinstance(name, str) and is_symbol(name)})


def adopt_trades(move: Move) -> None:
    context, repeated = move.context, Repeated(move.source)

    def read() -> Iterator[Candidate[TradeRecord]]:
        for row in move.source.table("trades", order=ORDER):
            try:
                columns = move.reader.trade(row)
                if context.is_benchmark(TRADES, columns):
                    continue
                trade = read_trade(columns, move.ids, context.spell)
                context.require_symbol(trade.symbol)
                if repeated.is_repeated(columns):
                    move.report.repeated[TRADES] += 1
                    continue
                yield Candidate(row_id(row), row, trade.trader_id, trade)
            except InvalidRecord as error:
                move.refuse(TRADES, row, error)

    def attributed(trade: TradeRecord) -> TradeRecord:
        time, (entry, exit_) = trade.detail.time, trade.detail.fills
        versions = Versions(
            entry=context.owners.version(trade.trader_id, time.open_ts_ms, entry.order_id),
            exit=context.owners.version(trade.trader_id, time.close_ts_ms, exit_.order_id),
        )
        return replace(trade, detail=trade.detail.model_copy(update={"versions": versions}))

    def copied(batch: Sequence[TradeRecord]) -> WriteOutcome:
        context.record_symbols({trade.symbol for trade in batch})
        return copy_trades(batch)

    context.take(TRADES, Path(TRADES), read(), copied, size=BATCH, check=attributed)


def adopt_positions(move: Move) -> None:
    """After the trades: they close what is open here, and was opened again there."""
    context = move.context
    there: set[Place] = set()
    traders: set[str] = set()

    def read() -> Iterator[Candidate[PositionRecord]]:
        for row in move.source.table("positions", order=("id",)):
            try:
                columns = move.reader.position(row)
                if context.is_benchmark(POSITIONS, columns):
                    continue
                position = read_position(columns, move.ids, context.spell)
                context.require_symbol(position.symbol)
                there.add((position.trader_id, position.symbol))
                yield Candidate(row_id(row), row, position.trader_id, position)
            except InvalidRecord as error:
                move.refuse(POSITIONS, row, error)

    def attributed(position: PositionRecord) -> PositionRecord:
        traders.add(position.trader_id)
        entry, orders, close = position.detail.entry, position.detail.orders, position.detail.close
        owners = context.owners
        versions = Versions(
            entry=owners.version(position.trader_id, entry.time_ms, orders.entry_oid if orders else None),
            exit=None if close is None else owners.version(position.trader_id, close.time_ms),
        )
        return replace(position, detail=position.detail.model_copy(update={"versions": versions}))

    def copied(batch: Sequence[PositionRecord]) -> WriteOutcome:
        context.record_symbols({position.symbol for position in batch})
        timed = closed_as_traded(batch)
        batch = [one if one is before else attributed(one) for before, one in zip(batch, timed, strict=True)]
        left, closed, known = settle(batch)
        outcome = copy_positions([batch[place] for place in left])
        outcome.conflicts_at = [left[place] for place in outcome.conflicts_at]
        outcome.known += known
        move.report.closed += closed
        return outcome

    context.take(POSITIONS, Path(POSITIONS), read(), copied, size=BATCH, check=attributed)
    closed, left = settle_gone(traders, there)
    move.report.closed += closed
    move.report.notes += [
        _("%(position)s is open here, and the other database has neither it nor its trade", position=name)
        for name in left
    ]


def adopt_equity(move: Move) -> None:
    context = move.context

    def read(table: str) -> Iterator[Candidate[EquityPoint]]:
        for row in move.source.table(table, order=("ts_ms", "event_at", "id")):
            try:
                columns = move.reader.equity(row)
                if context.is_benchmark(EQUITY, columns):
                    continue
                point = read_equity(columns, move.ids)
                yield Candidate(row_id(row), row, point.trader_id, point)
            except InvalidRecord as error:
                move.refuse(EQUITY, row, error, there=table)

    def copied(batch: Sequence[EquityPoint]) -> WriteOutcome:
        outcome = copy_equity(batch)
        if outcome.inserted:
            context.with_equity |= {point.trader_id for point in batch}
        return outcome

    for table in EQUITY_TABLES:
        context.take(EQUITY, Path(table), read(table), copied, size=BATCH)
