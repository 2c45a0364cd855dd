"""Rows and WAL that an hour of a hundred traders writes: the former engine's statements, and this site's record of the
same facts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from django.db import connection

from benchmarks import legacy_hour, trading_rows
from benchmarks.report import Table
from benchmarks.servers import empty_tables
from traders.runtime import writer as runtime
from traders.schema import jsonio
from trading.record.stored import symbols
from trading.record.stored.copying import bulk_load
from trading.record.writing import positions
from trading.record.writing.decisions import record_decision
from trading.record.writing.equity import copy_equity
from trading.schema.common import Side
from trading.schema.decision import Account, Action, ActionTaken, Decision, DecisionDetail, JournalEntry, ModelAnswer
from trading.schema.facts import EquityPoint
from trading.schema.message import DecisionMessage, MessageRole
from trading.schema.position import Entry, PositionDetail
from trading.schema.trade import Pnl

TRADERS, MINUTES, EVERY = 100, 60, 3
# No row of the traders that are made holds it.
SYMBOL = "AVAX"
PROMPT = "Account, positions, candidates and prices of this cycle. " * 60
ANSWER = '{"signal": "hold", "reasoning": "The trend holds and the risk is small enough to wait."} ' * 10
TARGET_PCT = 60
VIEWS, EVERY_MINUTE = "its views refreshed every 60 s", "equity every minute"
_RELATIONS = """
SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint FROM pg_stat_user_tables WHERE schemaname = ANY (%s)
"""
# Of each table the log of its rows and of its indexes, and what of it are images of whole pages; KB.
_LOG = """
WITH logged AS (
    SELECT DISTINCT ON (start_lsn) relfilenode, record_length AS size, block_fpi_length AS image
      FROM pg_get_wal_block_info(%s, %s) ORDER BY start_lsn, block_id)
SELECT coalesce(t.relname, c.relname, 'others'), sum(size) FILTER (WHERE i.indrelid IS NULL) / 1000.0,
       sum(size) FILTER (WHERE i.indrelid IS NOT NULL) / 1000.0, sum(image) / 1000.0
  FROM logged l LEFT JOIN pg_class c ON pg_relation_filenode(c.oid) = l.relfilenode
  LEFT JOIN pg_index i ON i.indexrelid = c.oid LEFT JOIN pg_class t ON t.oid = i.indrelid
 GROUP BY 1 ORDER BY sum(size) DESC LIMIT 12
"""
LogOfTable = tuple[str, float | None, float | None, float]


@dataclass
class Written:
    """`by_table` is empty where the server has no pg_walinspect."""

    rows: int = 0
    wal_bytes: int = 0
    by_table: list[LogOfTable] = field(default_factory=list)


def run(say: Callable[[str], None]) -> list[Table]:
    ways: dict[str, Written] = {}
    for name, views in (("former engine", False), (f"former engine, {VIEWS}", True)):
        say(name)
        ways[name] = _former(views=views)
    for name, every in (("this site, equity at each cycle", EVERY), (f"this site, {EVERY_MINUTE}", 1)):
        say(name)
        ways[name] = _ours(every)
    return [_table(ways), *_log_tables(ways)]


def _former(*, views: bool) -> Written:
    empty_tables()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS legacy CASCADE; {legacy_hour.TABLES}")
        try:
            with _measured(legacy_hour.SCHEMA) as written:
                for statement, parameters in _statements(views=views):
                    cursor.execute(statement, parameters)
        finally:
            cursor.execute("DROP SCHEMA legacy CASCADE")
    return written


def _statements(*, views: bool) -> Iterator[legacy_hour.Statement]:
    decisions = jsonio.dumps([_decision().model_dump(mode="json", exclude_none=True)])
    for minute, ts_ms in _minutes():
        yield from legacy_hour.of_minute(trading_rows.SYMBOLS, ts_ms)
        for number, trader in enumerate(_traders()):
            yield from legacy_hour.of_account(trader, ts_ms)
            if _decides(number, minute):
                yield from legacy_hour.of_cycle(trader, minute, ts_ms, PROMPT, ANSWER, decisions)
            if _opens(number, minute):
                yield from legacy_hour.of_position(trader, SYMBOL, ts_ms)
            if _closes(number, minute):
                yield from legacy_hour.of_close(trader, SYMBOL, ts_ms - 60_000 * MINUTES // 2, ts_ms)
        if views:
            yield from legacy_hour.of_views()


def _ours(equity_every: int) -> Written:
    """Moving data (prices, contexts, analytics) goes to Redis alone, so nothing stands here for it."""
    empty_tables()
    trading_rows.make_record(traders=TRADERS, trades=TRADERS)
    symbols.add([SYMBOL])
    with _measured("public") as written:
        for minute, ts_ms in _minutes():
            _equity(minute, ts_ms, equity_every)
            for number, trader in enumerate(_traders()):
                if _decides(number, minute):
                    _cycle(trader, ts_ms)
                if _opens(number, minute):
                    entry = Entry(
                        price=Decimal("45000.5"), quantity=Decimal("0.01"), time_ms=ts_ms, leverage=Decimal(10)
                    )
                    positions.open_position(
                        trader_id=trader, symbol=SYMBOL, side=Side.LONG, detail=PositionDetail(entry=entry)
                    )
                if _closes(number, minute):
                    positions.close_position(
                        trader_id=trader,
                        symbol=SYMBOL,
                        price=Decimal(45_500),
                        closed_at_ns=ts_ms * 1_000_000,
                        pnl=Pnl(gross=Decimal("5"), commission=Decimal("0.5"), net=Decimal("4.5")),
                    )
    return written


def _equity(minute: int, ts_ms: int, every: int) -> None:
    """The points that are due in this minute, loaded together: it saves time here, and hardly any WAL."""
    due = [trader for number, trader in enumerate(_traders()) if minute % every == number % every]
    amount = Decimal(10_000 + ts_ms % 311)
    with bulk_load(name="equity"):
        copy_equity([EquityPoint(trader, ts_ms, amount, unrealized=Decimal(12)) for trader in due])


def _cycle(trader: str, ts_ms: int) -> None:
    """A decision with its two messages, and the report of the trader's state."""
    at = datetime.fromtimestamp(ts_ms / 1000, UTC)
    detail = DecisionDetail(
        answer=ModelAnswer(model="deepseek-chat"),
        decisions=(_decision(),),
        account=Account(equity_usd=Decimal(10_000)),
        actions=(ActionTaken(symbol="BTC", action=Action.HOLD, ok=True),),
    )
    said = [DecisionMessage(MessageRole.USER, PROMPT, at), DecisionMessage(MessageRole.ASSISTANT, ANSWER, at)]
    record_decision(JournalEntry(trader, trading_rows.VERSIONS, at, True, detail), said)
    state = {"decision": {"last_at": at.isoformat()}, "allocation": {"equity_usd": 10_000}}
    runtime.report(trader, version=trading_rows.VERSIONS, is_running=True, detail=state, is_flat=False)


def _decision() -> Decision:
    return Decision(symbol="BTC", action=Action.HOLD, confidence=Decimal(85), reasoning="The trend holds.")


def _minutes() -> Iterator[tuple[int, int]]:
    """(minute, ms since 1970), up to now."""
    began_ms = time.time_ns() // 1_000_000 - (MINUTES + 1) * 60_000
    for minute in range(MINUTES):
        yield minute, began_ms + minute * 60_000


def _traders() -> Iterable[str]:
    return (f"trader_{number:03}" for number in range(1, TRADERS + 1))


def _decides(number: int, minute: int) -> bool:
    return minute % EVERY == number % EVERY


def _opens(number: int, minute: int) -> bool:
    return minute == number % (MINUTES // 2)


def _closes(number: int, minute: int) -> bool:
    return minute == number % (MINUTES // 2) + MINUTES // 2


@contextmanager
def _measured(schema: str) -> Iterator[Written]:
    """A vacuum first, as a running database has had one: the first look at a row logs a hint, and with checksums the
    whole page. Then a checkpoint, so that both ways write the images of their pages once. No commit waits for the disk,
    which changes nothing of what is written."""
    written = Written()
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")
        before, began = _rows(schema), _place()
        yield written
        written.wal_bytes = (ended := _place()) - began
        written.rows = _rows(schema) - before
        written.by_table = _log(began, ended)


def _log(began: int, ended: int) -> list[LogOfTable]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_walinspect'")
        if cursor.fetchone() == (0,):
            return []
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_walinspect")
        # What was written last may stand in memory still.
        cursor.execute("SET synchronous_commit = on; SELECT pg_switch_wal()")
        cursor.execute(_LOG, [f"{began >> 32:X}/{began & 0xFFFFFFFF:X}", f"{ended >> 32:X}/{ended & 0xFFFFFFFF:X}"])
        found: list[LogOfTable] = cursor.fetchall()
        return found


def _rows(schema: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(_RELATIONS, [[schema]])
        [count] = cursor.fetchone()
    return int(count)


def _place() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint")
        [place] = cursor.fetchone()
    return int(place)


def _table(ways: dict[str, Written]) -> Table:
    first, refreshed, ours, minutely = ways.values()
    return Table(
        f"An hour of {TRADERS} traders",
        ("Way", "rows written", "change", "WAL, MB", "change"),
        [
            (name, f"{one.rows:,}", rows, f"{one.wal_bytes / 1e6:.1f}", wal)
            for name, one in ways.items()
            for rows, wal in [_against(one, first)]
        ],
        (
            "Result: rows {} and WAL {} of the former engine with its views refreshed, {} and {} of it without them; "
            "target -{} %.".format(*_against(ours, refreshed), *_against(ours, first), TARGET_PCT),
            f"A decision of each trader every {EVERY} minutes with its two messages, a position opened and closed, and "
            f"every minute prices of {len(trading_rows.SYMBOLS)} symbols of {len(legacy_hour.PROVIDERS)} providers. "
            "The former engine synced each account every minute: a point of equity, and an upsert of analytics. "
            "`change` is against the first line. The hour begins with empty tables, so the views are as small "
            "as they ever are. "
            "With equity every minute this site records the same points as the former engine: rows "
            "{}, WAL {}.".format(*_against(minutely, first)),
        ),
    )


def _log_tables(ways: dict[str, Written]) -> Iterator[Table]:
    for name, one in (pair for pair in ways.items() if EVERY_MINUTE not in pair[0] and VIEWS not in pair[0]):
        if one.by_table:
            rows = [(table, *(f"{size or 0:,.0f}" for size in sizes)) for table, *sizes in one.by_table]
            yield Table(
                f"WAL by table in KB: {name}",
                ("Table", "rows", "indexes", "of it images of pages"),
                rows,
                ("As pg_walinspect reads it. A page is logged whole at its first change after a checkpoint.",),
            )


def _against(new: Written, old: Written) -> tuple[str, str]:
    """(rows, WAL) of the one against the other, in %."""
    return _change(new.rows, old.rows), _change(new.wal_bytes, old.wal_bytes)


def _change(new: int, old: int) -> str:
    return f"{100 * (new / old - 1):+.0f} %"
