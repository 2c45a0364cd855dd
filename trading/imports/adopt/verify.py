"""Both sides beside each other, by trader and month: what the other database has, and what became of it here.

The sums of the other side are of its columns as they stand; those of this side are read from the stored rows that its
rows lead to. What was refused, or says again what another row says, is taken off; whatever is left is a difference.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Context, Decimal
from typing import Any

from traders.schema.messages import _
from trading.imports.adopt import conversations
from trading.imports.adopt.histories import with_history
from trading.imports.adopt.kinds import BATCH, EQUITY_TABLES, adopt_symbols
from trading.imports.adopt.move import ORDER, LeftColumn, Move, MoveReport, Repeated, batches
from trading.imports.adopt.readers import values
from trading.imports.adopt.readers.decisions import conversation_name, read_decision, read_messages
from trading.imports.adopt.readers.equity import read_equity
from trading.imports.adopt.readers.positions import read_position
from trading.imports.adopt.readers.trades import read_trade
from trading.imports.adopt.readers.values import Row
from trading.imports.adopt.services import left_apart, left_behind
from trading.imports.adopt.source import opened, require_adopted
from trading.imports.adopt.traders import require_ids
from trading.imports.arena.equity import money
from trading.imports.batches import BENCHMARKS, ImportContext
from trading.imports.owners import Owners
from trading.models import ConversationMessage, EquitySnapshot, Position, Trade
from trading.record.rules.errors import InvalidRecord
from trading.record.rules.identity import Likeness, likeness
from trading.record.stored import rows as stored_rows
from trading.record.stored import symbols
from trading.record.writing.bulk_decisions import recorded_at
from trading.schema.position import PositionRecord
from trading.schema.trade import TradeRecord

UNDATED = "no date"
# The default context would round sums to 28 digits.
_EXACT = Context(prec=1000)
Cell = tuple[str, str, str]
"""(what is counted, trader there, month)."""


@dataclass
class Figures:
    """`amounts` are sums in USD by name, to the last digit."""

    rows: int = 0
    amounts: dict[str, Decimal] = field(default_factory=dict)

    def add(self, amounts: Mapping[str, Decimal]) -> None:
        self.rows += 1
        for name, amount in amounts.items():
            self.amounts[name] = _EXACT.add(self.amount(name), amount)

    def amount(self, name: str) -> Decimal:
        return self.amounts.get(name, Decimal(0))

    def __sub__(self, other: Figures) -> Figures:
        names = {*self.amounts, *other.amounts}
        left = {name: _EXACT.subtract(self.amount(name), other.amount(name)) for name in names}
        return Figures(self.rows - other.rows, {name: amount for name, amount in left.items() if amount})

    def __bool__(self) -> bool:
        return bool(self.rows or any(self.amounts.values()))


@dataclass
class Compared:
    """`explained` is what the other side has and this side does not, for a reason: {reason: figures}."""

    there: Figures = field(default_factory=Figures)
    here: Figures = field(default_factory=Figures)
    explained: dict[str, Figures] = field(default_factory=lambda: defaultdict(Figures))

    @property
    def difference(self) -> Figures:
        left = self.there - self.here
        for figures in self.explained.values():
            left = left - figures
        return left


@dataclass
class Comparison:
    source: str
    cells: dict[Cell, Compared] = field(default_factory=lambda: defaultdict(Compared))
    left_behind: list[LeftColumn] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def differing(self) -> list[Cell]:
        return [cell for cell, compared in sorted(self.cells.items()) if compared.difference]


REFUSED, REPEATED, BENCHMARK = "refused", "said again by another row", "of a benchmark"
OTHER_WAY, SINCE = "recorded before from another source", "closed here since"
TRADES, OPEN, CLOSED, DECISIONS, MESSAGES, EQUITY = (
    "trades",
    "positions open",
    "positions closed",
    "decisions",
    "messages",
    "equity",
)


def verify(*, dsn: str, ids: Mapping[str, str], add_symbols: Collection[str] = ()) -> Comparison:
    """Writes nothing. Raises UnreadableSource."""
    with opened(dsn) as source:
        require_adopted(source)
        require_ids(source, ids)
        report = MoveReport(dry_run=True)
        known = {*symbols.known(), *symbols.MAJORS, *add_symbols}
        context = ImportContext(
            report=report,
            owners=Owners(file="", actor=""),
            known=known,
            on_reject=lambda reject: None,
            strict=False,
        )
        move = Move(source, context, report, ids, with_history())
        adopt_symbols(move)
        found = Comparison(source.name)
        _trades(move, found)
        _positions(move, found)
        _equity(move, found)
        _decisions(move, found)
        found.left_behind = left_behind(source) + left_apart(move)
    return found


def _trades(move: Move, found: Comparison) -> None:
    repeated = Repeated(move.source)

    def read() -> Iterator[tuple[Cell, Mapping[str, Decimal], TradeRecord]]:
        for row in move.source.table("trades", order=ORDER):
            columns = move.reader.trade(row)
            cell = (TRADES, _trader(columns), _month(columns, "exit_ts_ms"))
            amounts = {name: _amount(columns, column) for name, column in _AMOUNTS.items()}
            if columns.get("realized_gross_pnl") is None:
                amounts["gross"] = amounts["net"]
            found.cells[cell].there.add(amounts)
            if columns.get("model_id") in BENCHMARKS:
                found.cells[cell].explained[BENCHMARK].add(amounts)
                continue
            try:
                trade = read_trade(columns, move.ids, move.context.spell)
                move.context.owners.require_own(trade.trader_id)
                move.context.require_symbol(trade.symbol)
                if repeated.is_repeated(columns):
                    found.cells[cell].explained[REPEATED].add(amounts)
                else:
                    yield cell, amounts, trade
            except InvalidRecord:
                found.cells[cell].explained[REFUSED].add(amounts)

    for part in batches(read(), BATCH):
        stored = {
            trade.id: trade
            for trade in _stored_trades(
                [trade.id for _cell, _amounts, trade in part], {trade.trader_id for _cell, _amounts, trade in part}
            )
        }
        beside = _beside([trade for _cell, _amounts, trade in part if trade.id not in stored])
        for cell, amounts, trade in part:
            if trade.id in stored:
                found.cells[cell].here.add(_amounts_of(stored[trade.id]))
            elif _is_like(trade, beside):
                found.cells[cell].explained[OTHER_WAY].add(amounts)


_AMOUNTS = {"net": "realized_net_pnl", "gross": "realized_gross_pnl", "commission": "total_commission_dollars"}


def _stored_trades(names: Collection[str], traders: Collection[str]) -> list[TradeRecord]:
    return list(stored_rows.trades(stored_rows.TRADES.named(names, traders)))


def _beside(trades: Sequence[TradeRecord]) -> dict[tuple[str, str, int], list[TradeRecord]]:
    found: dict[tuple[str, str, int], list[TradeRecord]] = defaultdict(list)
    if trades:
        near = stored_rows.TRADES.filter(
            trader__in={trade.trader_id for trade in trades}, close_ts_ms__in={trade.close_ts_ms for trade in trades}
        )
        for one in stored_rows.trades(near):
            found[one.trader_id, one.symbol, one.close_ts_ms].append(one)
    return found


def _is_like(trade: TradeRecord, beside: Mapping[tuple[str, str, int], Sequence[TradeRecord]]) -> bool:
    candidates = beside.get((trade.trader_id, trade.symbol, trade.close_ts_ms), ())
    return any(likeness(one, trade) is Likeness.SAME for one in candidates)


def _amounts_of(trade: TradeRecord) -> dict[str, Decimal]:
    pnl = trade.detail.pnl
    return {"net": pnl.net, "gross": pnl.gross, "commission": pnl.commission}


def _positions(move: Move, found: Comparison) -> None:
    def read() -> Iterator[tuple[Cell, PositionRecord]]:
        for row in move.source.table("positions", order=("id",)):
            columns = move.reader.position(row)
            kind = OPEN if str(columns.get("status")).strip().lower() == "open" else CLOSED
            cell = (kind, _trader(columns), _month(columns, "entry_time_ms"))
            found.cells[cell].there.add({})
            if columns.get("model_id") in BENCHMARKS:
                found.cells[cell].explained[BENCHMARK].add({})
                continue
            try:
                position = read_position(columns, move.ids, move.context.spell)
                move.context.owners.require_own(position.trader_id)
                move.context.require_symbol(position.symbol)
                yield cell, position
            except InvalidRecord:
                found.cells[cell].explained[REFUSED].add({})

    for part in batches(read(), BATCH):
        held = Position.objects.filter(
            trader__in={position.trader_id for _cell, position in part},
            opened_ms__in={position.detail.entry.time_ms for _cell, position in part},
        )
        status = {row[:4]: row[4] for row in held.values_list("trader_id", "symbol", "side", "opened_ms", "status")}
        for cell, position in part:
            entry = position.detail.entry
            here = status.get((position.trader_id, position.symbol, str(position.side), entry.time_ms))
            if here == str(position.status):
                found.cells[cell].here.add({})
            elif here is not None and position.is_open and _has_trade(position):
                found.cells[cell].explained[SINCE].add({})


def _has_trade(position: PositionRecord) -> bool:
    entered = position.detail.entry.time_ms
    found = Trade.objects.filter(trader=position.trader_id, symbol=position.symbol, close_ts_ms__gte=entered)
    return found.exists()


def _equity(move: Move, found: Comparison) -> None:
    def read() -> Iterator[tuple[Cell, Mapping[str, Decimal], Any]]:
        for table in EQUITY_TABLES:
            for row in move.source.table(table, order=("ts_ms", "event_at", "id")):
                try:
                    columns = move.reader.equity(row)
                except InvalidRecord:
                    cell = (EQUITY, str(row.get("provider")), UNDATED)
                    found.cells[cell].there.add({})
                    found.cells[cell].explained[REFUSED].add({})
                    continue
                cell = (EQUITY, _trader(columns), _month(columns, "ts_ms"))
                amounts = {"equity": _amount(columns, "dollar_equity")}
                found.cells[cell].there.add(amounts)
                if columns.get("model_id") in BENCHMARKS:
                    found.cells[cell].explained[BENCHMARK].add(amounts)
                    continue
                try:
                    point = read_equity(columns, move.ids)
                    move.context.owners.require_own(point.trader_id)
                    yield cell, amounts, point
                except InvalidRecord:
                    found.cells[cell].explained[REFUSED].add(amounts)

    for part in batches(read(), BATCH):
        points = EquitySnapshot.objects.filter(
            trader__in={point.trader_id for _c, _a, point in part}, ts_ms__in={point.ts_ms for _c, _a, point in part}
        )
        here = {row[:2]: row[2] for row in points.values_list("trader_id", "ts_ms", "equity_usd")}
        for cell, _amounts, point in part:
            if (point.trader_id, point.ts_ms) in here:
                found.cells[cell].here.add({"equity": here[point.trader_id, point.ts_ms]})


def _decisions(move: Move, found: Comparison) -> None:
    taken: set[str] = set()
    for part in batches(conversations.linked_cycles(move), conversations.AT_ONCE):
        said = conversations.messages_of(move, [link for _row, link in part if link is not None])
        read: list[tuple[Cell, str, datetime, str | None, int, str | None]] = []
        for row, link in part:
            columns = move.reader.decision(row)
            cell = (DECISIONS, _trader(columns), _month(columns, "executed_at"))
            found.cells[cell].there.add({})
            if columns.get("model_id") in BENCHMARKS:
                found.cells[cell].explained[BENCHMARK].add({})
                continue
            try:
                cycle = read_decision(columns, move.ids)
                move.context.owners.require_own(cycle.trader_id)
            except InvalidRecord:
                found.cells[cell].explained[REFUSED].add({})
                continue
            key = cycle.detail.origin.key if cycle.detail.origin else None
            read.append((cell, cycle.trader_id, cycle.decided_at, key, len(said.get(link or "", ())), link))
        recorded = recorded_at([(trader, at) for _c, trader, at, *_rest in read])
        spoken = _spoken({trader for trader, _at in recorded}, [one.id for one in recorded.values()])
        for cell, trader, at, key, count, link in read:
            one = recorded.get((trader, at))
            if one is None:
                continue
            found.cells[cell].here.add({})
            if one.key == key and link is not None and spoken.get(one.id):
                taken.add(link)
                messages = found.cells[MESSAGES, cell[1], cell[2]]
                messages.there.rows += count
                messages.here.rows += spoken[one.id]
    _messages(move, found, taken)


def _spoken(traders: Collection[str], decision_ids: Collection[int]) -> Counter[int]:
    return Counter(
        ConversationMessage.objects.filter(trader__in=traders, decision__in=decision_ids).values_list(
            "decision_id", flat=True
        )
    )


def _messages(move: Move, found: Comparison, taken: set[str]) -> None:
    """Of conversations that belong to no decision here."""
    if not move.has_conversations:
        return
    left = (row for row in move.source.rows(move.statements.conversations) if row["conversation_id"] not in taken)
    for part in batches(left, conversations.AT_ONCE):
        said = conversations.messages_of(move, [row["conversation_id"] for row in part])
        names = {conversation_name(row["conversation_id"]) for row in part}
        spoken = Counter(
            ConversationMessage.objects.filter(conversation__in=names).values_list("trader_id", "conversation")
        )
        for row in part:
            messages = said.get(row["conversation_id"], [])
            if not messages:
                continue
            month = _month(messages[0], "ts_ms" if messages[0].get("ts_ms") is not None else "created_at")
            cell = found.cells[MESSAGES, _trader(row), month]
            cell.there.rows += len(messages)
            if row["model_id"] in BENCHMARKS:
                cell.explained[BENCHMARK].rows += len(messages)
                continue
            try:
                trader = values.trader_id(row, move.ids)
                move.context.owners.require_own(trader)
                read_messages(messages, trader, row["conversation_id"])
                conversations.count_apart(move, row, messages)
            except InvalidRecord:
                cell.explained[REFUSED].rows += len(messages)
                continue
            cell.here.rows += spoken[trader, conversation_name(row["conversation_id"])]


def _trader(row: Row) -> str:
    return str(row.get("model_id"))


def _month(row: Row, column: str) -> str:
    try:
        return f"{values.of_ms(values.moment_ms(row, column)):%Y-%m}"
    except InvalidRecord:
        return UNDATED


def _amount(row: Row, column: str) -> Decimal:
    """0 where there is no amount of money: such a row is refused, and would make its sum one that says nothing."""
    try:
        return money(values.number_or_none(row, column) or Decimal(0), column)
    except InvalidRecord:
        return Decimal(0)


def total_of(figures: Iterable[Figures], name: str) -> Decimal:
    """To the last digit."""
    found = Figures()
    for one in figures:
        found.add({name: one.amount(name)})
    return found.amount(name)


def difference_words(compared: Compared) -> str:
    left = compared.difference
    parts = [str(_("%(rows)s rows", rows=f"{left.rows:+,}"))] if left.rows else []
    parts += [f"{name} {amount:+f}" for name, amount in sorted(left.amounts.items())]
    return ", ".join(parts)
