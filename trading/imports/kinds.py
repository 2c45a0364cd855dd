"""Each kind of the arena's files: how its records become rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from traders.schema.jsonio import Json
from traders.schema.messages import _
from trading.imports.arena import conversations, equity, positions, prices, trades
from trading.imports.arena.broken import BrokenFile
from trading.imports.arena.document import ArenaDocument
from trading.imports.batches import Candidate, Desk
from trading.imports.journal_service import import_journal
from trading.record.rules.closing import closed_by
from trading.record.rules.errors import InvalidRecord
from trading.record.stored.outcome import WriteOutcome
from trading.record.writing.bulk_positions import copy_positions
from trading.record.writing.bulk_trades import copy_trades
from trading.record.writing.closings import Opening, trades_that_closed
from trading.record.writing.equity import copy_equity
from trading.record.writing.messages import copy_messages
from trading.schema.common import Versions
from trading.schema.contract import TRADER
from trading.schema.facts import EquityPoint
from trading.schema.message import MessageRecord
from trading.schema.position import PositionRecord
from trading.schema.trade import TradeRecord

BATCH = 2000
# Prompts are long: a batch of messages must be small to stay small.
MESSAGES = 100
MOST_SYMBOLS = 10_000

SYMBOLS, TRADES, POSITIONS = "symbols", "trades", "positions"
CONVERSATIONS, EQUITY, JOURNAL = "conversation_messages", "equity_snapshots", "decision_journal"


def import_symbols(desk: Desk, document: ArenaDocument) -> None:
    found: set[str] = set()
    for index, record in document:
        try:
            found.add(prices.read_symbol(record))
            if len(found) > MOST_SYMBOLS:
                raise BrokenFile(
                    document.path,
                    _(
                        "must name at most %(most)s symbols, as no market has more",
                        most=f"{MOST_SYMBOLS:,}",
                    ),
                )
        except InvalidRecord as error:
            desk.refuse(SYMBOLS, document.path, index, error, record)
    new = desk.record_symbols(found)
    desk.report.table(SYMBOLS).known += len(found) - new


def import_trades(desk: Desk, document: ArenaDocument) -> None:
    def read() -> Iterator[Candidate[TradeRecord]]:
        for index, record in document:
            if desk.is_benchmark(TRADES, record):
                continue
            try:
                trade = trades.read_trade(record, desk.spell)
                desk.require_symbol(trade.symbol)
                yield Candidate(index, record, trade.trader_id, trade)
            except InvalidRecord as error:
                desk.refuse(TRADES, document.path, index, error, record)

    def attributed(trade: TradeRecord) -> TradeRecord:
        _require_active(desk, trade.trader_id, trade.close_ts_ms, "exit_time", "closed")
        entry, exit_ = trade.detail.fills
        versions = Versions(
            entry=desk.owners.version(trade.trader_id, entry.ts_ms, entry.order_id),
            exit=desk.owners.version(trade.trader_id, exit_.ts_ms, exit_.order_id),
        )
        return replace(trade, detail=trade.detail.model_copy(update={"versions": versions}))

    def copied(batch: Sequence[TradeRecord]) -> WriteOutcome:
        desk.record_symbols({trade.symbol for trade in batch})
        return copy_trades(batch)

    desk.take(TRADES, document.path, read(), copied, size=BATCH, check=attributed)


def import_positions(desk: Desk, document: ArenaDocument) -> None:
    def read() -> Iterator[Candidate[PositionRecord]]:
        for index, record in document:
            if desk.is_benchmark(POSITIONS, record):
                continue
            for trader_id, held, read in _held(desk, document, index, record):
                yield Candidate(index, held, trader_id, read, f"positions.{read.symbol}")

    def attributed(position: PositionRecord) -> PositionRecord:
        entry, orders = position.detail.entry, position.detail.orders
        _require_active(desk, position.trader_id, entry.time_ms, "entry_time", "was opened")
        version = desk.owners.version(position.trader_id, entry.time_ms, orders.entry_oid if orders else None)
        return replace(position, detail=position.detail.model_copy(update={"versions": Versions(entry=version)}))

    def copied(batch: Sequence[PositionRecord]) -> WriteOutcome:
        desk.record_symbols({position.symbol for position in batch})
        return copy_positions(_as_closed_since(batch))

    desk.take(POSITIONS, document.path, read(), copied, size=BATCH, check=attributed)


def import_conversations(desk: Desk, document: ArenaDocument) -> None:
    def read() -> Iterator[Candidate[MessageRecord]]:
        for index, record in document:
            if desk.is_benchmark(CONVERSATIONS, record):
                continue
            try:
                messages = conversations.read_conversation(record)
            except InvalidRecord as error:
                desk.refuse(CONVERSATIONS, document.path, index, error, record)
                continue
            for message in messages:
                yield Candidate(index, record, message.trader_id, message, f"messages.{message.sequence}")

    desk.take(CONVERSATIONS, document.path, read(), copy_messages, size=MESSAGES)


def import_cycles(desk: Desk, directory: Path) -> None:
    """An engine's journal files beside the arena's, in the transaction of this import."""
    done = import_journal(directory, on_reject=desk.on_reject, strict=desk.strict)
    table = desk.report.table(JOURNAL)
    table.inserted, table.known, table.refused = done.inserted.total(), done.known, done.refused
    table.redacted = done.redacted


def import_inception(desk: Desk, document: ArenaDocument) -> None:
    _import_equity(desk, document, TRADER, equity.read_inception)


def import_leaderboard(desk: Desk, document: ArenaDocument, served_ms: int) -> None:
    _import_equity(desk, document, "id", lambda record: equity.read_standing(record, served_ms))


def _import_equity(desk: Desk, document: ArenaDocument, owner: str, read_point: Callable[[Json], EquityPoint]) -> None:
    def read() -> Iterator[Candidate[EquityPoint]]:
        for index, record in document:
            if desk.is_benchmark(EQUITY, record, owner):
                continue
            try:
                point = read_point(record)
                yield Candidate(index, record, point.trader_id, point)
            except InvalidRecord as error:
                desk.refuse(EQUITY, document.path, index, error, record)

    desk.take(EQUITY, document.path, read(), copy_equity, size=BATCH)


def _held(desk: Desk, document: ArenaDocument, index: int, record: Json) -> Iterator[tuple[str, Json, PositionRecord]]:
    """The positions of one account that can be taken; the others are refused one by one."""
    try:
        for trader_id, held, read in positions.read_account(record, desk.spell):
            try:
                if isinstance(read, InvalidRecord):
                    raise read
                desk.require_symbol(read.symbol)
            except InvalidRecord as error:
                desk.refuse(POSITIONS, document.path, index, error, held)
            else:
                yield trader_id, held, read
    except InvalidRecord as error:
        desk.refuse(POSITIONS, document.path, index, error, record)


def _as_closed_since(batch: Sequence[PositionRecord]) -> list[PositionRecord]:
    found = trades_that_closed({opening for position in batch if (opening := _opening(position))})
    return [closed_by(position, found.get(_opening(position) or ("", "", ""), ())) for position in batch]


def _opening(position: PositionRecord) -> Opening | None:
    orders = position.detail.orders
    if orders is None or orders.entry_oid is None:
        return None
    return position.trader_id, position.symbol, str(orders.entry_oid)


def _require_active(desk: Desk, trader_id: str, ts_ms: int, field: str, what: str) -> None:
    if desk.owners.was_retired(trader_id, ts_ms):
        raise InvalidRecord(
            field, _("%(what)s after the trader %(trader_id)s was retired", what=what, trader_id=trader_id)
        )
