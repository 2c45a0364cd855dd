"""Each kind of the arena's files: how its records become rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from traders.schema.jsonio import Json
from traders.schema.messages import _
from traders.schema.moments import ms_of
from trading.imports.arena import conversations, equity, exported, positions, prices, trades
from trading.imports.arena.document import ArenaDocument
from trading.imports.arena.unreadable_file import UnreadableArenaFile
from trading.imports.batches import Candidate, ImportContext
from trading.imports.journal_service import import_journal
from trading.record.rules.closing import closed_by
from trading.record.rules.errors import InvalidRecord
from trading.record.stored.outcome import WriteOutcome
from trading.record.writing.bulk_decisions import copy_conversations
from trading.record.writing.bulk_positions import copy_positions
from trading.record.writing.bulk_trades import copy_trades
from trading.record.writing.closings import Opening, trades_that_closed
from trading.record.writing.equity import copy_equity
from trading.record.writing.messages import copy_messages
from trading.schema.common import Versions
from trading.schema.contract import TRADER
from trading.schema.facts import EquityPoint
from trading.schema.message import MessageRecord
from trading.schema.position import PositionRecord, Reported
from trading.schema.published import ConversationEntry, is_own_row
from trading.schema.trade import TradeRecord

BATCH = 2000
# Prompts are long: a batch of messages must be small to stay small.
MESSAGES = 100
MOST_SYMBOLS = 10_000

SYMBOLS, TRADES, POSITIONS = "symbols", "trades", "positions"
CONVERSATIONS, EQUITY, JOURNAL = "conversation_messages", "equity_snapshots", "decision_journal"


def import_symbols(context: ImportContext, document: ArenaDocument) -> None:
    found: set[str] = set()
    for index, record in document:
        try:
            found.add(prices.read_symbol(record))
            if len(found) > MOST_SYMBOLS:
                raise UnreadableArenaFile(
                    document.path,
                    _(
                        "must name at most %(most)s symbols, as no market has more",
                        most=f"{MOST_SYMBOLS:,}",
                    ),
                )
        except InvalidRecord as error:
            context.refuse(SYMBOLS, document.path, index, error, record)
    new = context.record_symbols(found)
    context.report.table(SYMBOLS).known += len(found) - new


def import_trades(context: ImportContext, document: ArenaDocument) -> None:
    def read() -> Iterator[Candidate[TradeRecord]]:
        for index, record in document:
            if context.is_benchmark(TRADES, record):
                continue
            try:
                trade = trades.read_trade(record, context.spell)
                context.require_symbol(trade.symbol)
                yield Candidate(index, record, trade.trader_id, trade)
            except InvalidRecord as error:
                context.refuse(TRADES, document.path, index, error, record)

    def attributed(trade: TradeRecord) -> TradeRecord:
        entry, exit_ = trade.detail.fills
        versions = Versions(
            entry=context.owners.version(trade.trader_id, entry.ts_ms, entry.order_id),
            exit=context.owners.version(trade.trader_id, exit_.ts_ms, exit_.order_id),
        )
        return replace(trade, detail=trade.detail.model_copy(update={"versions": versions}))

    def copied(batch: Sequence[TradeRecord]) -> WriteOutcome:
        context.record_symbols({trade.symbol for trade in batch})
        return copy_trades(batch)

    context.take(TRADES, document.path, read(), copied, size=BATCH, check=attributed)


def import_positions(context: ImportContext, document: ArenaDocument) -> None:
    def read() -> Iterator[Candidate[PositionRecord]]:
        for index, record in document:
            if context.is_benchmark(POSITIONS, record):
                continue
            for trader_id, held, read in _held(context, document, index, record):
                yield Candidate(index, held, trader_id, read, f"positions.{read.symbol}")

    def attributed(position: PositionRecord) -> PositionRecord:
        entry, orders = position.detail.entry, position.detail.orders
        version = context.owners.version(position.trader_id, entry.time_ms, orders.entry_oid if orders else None)
        parts = {"versions": Versions(entry=version), "reported": _dated(position.detail.reported, context.served_ms)}
        return replace(position, detail=position.detail.model_copy(update=parts))

    def copied(batch: Sequence[PositionRecord]) -> WriteOutcome:
        context.record_symbols({position.symbol for position in batch})
        return copy_positions(_as_closed_since(batch))

    context.take(POSITIONS, document.path, read(), copied, size=BATCH, check=attributed)


def import_conversations(context: ImportContext, document: ArenaDocument) -> None:
    """Conversations of our own export are decisions; their messages come with them."""
    entries: list[Candidate[ConversationEntry]] = []

    def read() -> Iterator[Candidate[MessageRecord]]:
        for index, record in document:
            if context.is_benchmark(CONVERSATIONS, record):
                continue
            try:
                messages = conversations.read_conversation(record)
                if exported.has_decision(record):
                    conversation = exported.read_conversation(record, messages)
                    entries.append(Candidate(index, record, conversation.trader_id, conversation))
            except InvalidRecord as error:
                context.refuse(CONVERSATIONS, document.path, index, error, record)
                continue
            if len(entries) >= MESSAGES:
                _take_conversations(context, document, entries)
            if not exported.has_decision(record):
                for message in messages:
                    yield Candidate(index, record, message.trader_id, message, f"messages.{message.sequence}")

    context.take(CONVERSATIONS, document.path, read(), copy_messages, size=MESSAGES)
    _take_conversations(context, document, entries)


def _take_conversations(
    context: ImportContext, document: ArenaDocument, conversations: list[Candidate[ConversationEntry]]
) -> None:
    """And empties the list."""

    def attributed(conversation: ConversationEntry) -> ConversationEntry:
        entry = conversation.entry
        version = context.owners.named_version(conversation.trader_id, ms_of(entry.decided_at), entry.config_version)
        return replace(conversation, entry=replace(entry, config_version=version))

    def copied(batch: Sequence[ConversationEntry]) -> WriteOutcome:
        copied = copy_conversations(batch)
        context.report.table(CONVERSATIONS).inserted += copied.messages
        return copied.decisions

    context.take(JOURNAL, document.path, conversations, copied, size=MESSAGES, check=attributed)
    conversations.clear()


def import_cycles(context: ImportContext, directory: Path) -> None:
    """An engine's journal files beside the arena's, in the transaction of this import."""
    done = import_journal(directory, on_reject=context.on_reject, strict=context.strict)
    table = context.report.table(JOURNAL)
    table.inserted += done.inserted.total()
    table.known += done.known
    table.refused += done.refused
    table.redacted += done.redacted


def import_totals(context: ImportContext, document: ArenaDocument) -> None:
    _import_equity(context, document, TRADER, equity.read_account)


def import_inception(context: ImportContext, document: ArenaDocument) -> None:
    """An export of ours has the same in its account-totals."""

    def point(record: Json) -> EquityPoint | None:
        is_known = context.has_totals and isinstance(record, dict) and is_own_row(record)
        return None if is_known else equity.read_inception(record)

    _import_equity(context, document, TRADER, point)


def import_leaderboard(context: ImportContext, document: ArenaDocument, served_ms: int) -> None:
    """An export of ours has the same in its account-totals, with its moment."""

    def point(record: Json) -> EquityPoint | None:
        is_known = isinstance(record, dict) and is_own_row(record, "id")
        return None if is_known else equity.read_standing(record, served_ms)

    _import_equity(context, document, "id", point)


def _import_equity(
    context: ImportContext, document: ArenaDocument, owner: str, read_point: Callable[[Json], EquityPoint | None]
) -> None:
    """`read_point` gives None for what other records of the import determine."""

    def read() -> Iterator[Candidate[EquityPoint]]:
        for index, record in document:
            if context.is_benchmark(EQUITY, record, owner):
                continue
            try:
                point = read_point(record)
                if point is None:
                    context.report.table(EQUITY).derived += 1
                    continue
                yield Candidate(index, record, point.trader_id, point)
            except InvalidRecord as error:
                context.refuse(EQUITY, document.path, index, error, record)

    def copied(batch: Sequence[EquityPoint]) -> WriteOutcome:
        outcome = copy_equity(batch)
        if outcome.inserted:
            context.with_equity |= {point.trader_id for point in batch}
        return outcome

    context.take(EQUITY, document.path, read(), copied, size=BATCH)


def _held(
    context: ImportContext, document: ArenaDocument, index: int, record: Json
) -> Iterator[tuple[str, Json, PositionRecord]]:
    """The positions of one account that can be taken; the others are refused one by one."""
    try:
        for trader_id, held, read in positions.read_account(record, context.spell):
            try:
                if isinstance(read, InvalidRecord):
                    raise read
                context.require_symbol(read.symbol)
            except InvalidRecord as error:
                context.refuse(POSITIONS, document.path, index, error, held)
            else:
                yield trader_id, held, read
    except InvalidRecord as error:
        context.refuse(POSITIONS, document.path, index, error, record)


def _dated(reported: Reported | None, served_ms: int | None) -> Reported | None:
    """Prices that the source did not date are of when the files were served."""
    if reported is None or reported.at_ms is not None or not reported.current_price:
        return reported
    return reported.model_copy(update={"at_ms": served_ms})


def _as_closed_since(batch: Sequence[PositionRecord]) -> list[PositionRecord]:
    found = trades_that_closed({opening for position in batch if (opening := _opening(position))})
    return [closed_by(position, found.get(_opening(position) or ("", "", ""), ())) for position in batch]


def _opening(position: PositionRecord) -> Opening | None:
    orders = position.detail.orders
    if orders is None or orders.entry_oid is None:
        return None
    return position.trader_id, position.symbol, str(orders.entry_oid)
