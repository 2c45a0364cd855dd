"""What a decision with its messages takes on disk, and what lz4 and an archive of messages leave of it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from benchmarks import trading_rows
from benchmarks.report import Table
from benchmarks.servers import empty_tables
from trading.record.writing.decisions import record_decision
from trading.schema.decision import Action, ActionTaken, Decision, DecisionDetail, JournalEntry, ModelAnswer, Prompt
from trading.schema.message import DecisionMessage, MessageRole

DECISIONS, TRADER, DAY_SECONDS = 2_000, "trader_001", 86_400
# What the manager tells a model of each market: figures that no other cycle has.
SYMBOLS, CANDLES = ("BTC", "ETH", "SOL", "BNB", "XRP", "DOGE"), 20
JOURNAL, MESSAGES = "decision_journal", "conversation_messages"
_OF_TABLE = """
SELECT pg_relation_size(c.oid), pg_indexes_size(c.oid), coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0)
  FROM pg_class c WHERE c.oid = %s::regclass
"""
# The embedded server is built without it.
_HAS_LZ4 = "SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression'"
_AGAIN = """
CREATE TABLE again (LIKE {table} INCLUDING DEFAULTS);
ALTER TABLE again ALTER COLUMN {column} SET COMPRESSION {compression};
INSERT INTO again SELECT {columns} FROM {table} t;
VACUUM ANALYZE again
"""
# Read as a new value, since a compressed one is copied as it is.
_COLUMN = {JOURNAL: ("detail", "(t.detail::text)::jsonb"), MESSAGES: ("content", "t.content || ''")}


def run(say: Callable[[str], None]) -> list[Table]:
    empty_tables()
    trading_rows.make_record(traders=2, trades=100)
    say(f"{DECISIONS:,} decisions with three messages each")
    began = time.perf_counter()
    lengths = [_decide(number) for number in range(DECISIONS)]
    took_ms = 1000 * (time.perf_counter() - began) / DECISIONS
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM ANALYZE {JOURNAL}, {MESSAGES}")
        rows = [_line(cursor, table, table) for table in (JOURNAL, MESSAGES)]
        for compression in ("pglz", "lz4") if _row(cursor, _HAS_LZ4)[0] else ("pglz",):
            for table in (JOURNAL, MESSAGES):
                say(f"{table}, {compression}")
                _copy(cursor, table, compression)
                rows.append(_line(cursor, f"{table} without its indexes, {compression}", "again"))
                cursor.execute("DROP TABLE again")
    note = (
        f"{DECISIONS:,} decisions, each with the prompts and the answer in its detail, and again as three messages, of "
        f"{sum(lengths) / DECISIONS:,.0f} bytes together: a template, {CANDLES} candles of {len(SYMBOLS)} markets, a "
        f"reasoned answer. One takes {took_ms:.1f} ms to record."
    )
    return [Table("Bytes on disk of a decision", ("What", "table", "indexes", "long texts", "together"), rows, (note,))]


def _decide(number: int) -> int:
    figures = random.Random(number)
    at = datetime.fromtimestamp(time.time() - DAY_SECONDS + number, UTC)
    system = Path(settings.BASE_DIR, "etc/prompts/manager/majors_momentum.tmpl").read_text(encoding="utf-8")
    user = "\n".join(
        f"{symbol} " + " ".join(f"{figures.uniform(90, 110):.4f}/{figures.uniform(1, 900):.2f}" for _ in range(CANDLES))
        for symbol in SYMBOLS
        for _ in range(2)
    )
    answer = "\n".join(
        f"{symbol}: hold with confidence {figures.randint(60, 95)}. The trend of the last {figures.randint(3, 20)} "
        f"candles holds above {figures.uniform(90, 110):.4f}, and the risk is small enough to wait for "
        f"{figures.uniform(1, 9):.2f} %."
        for symbol in SYMBOLS
    )
    detail = DecisionDetail(
        prompt=Prompt(system_text=system, user_text=user),
        answer=ModelAnswer(model="deepseek-chat", text=answer),
        decisions=tuple(Decision(symbol=symbol, action=Action.HOLD) for symbol in SYMBOLS),
        actions=tuple(ActionTaken(symbol=symbol, action=Action.HOLD, ok=True) for symbol in SYMBOLS),
    )
    roles = (MessageRole.SYSTEM, system), (MessageRole.USER, user), (MessageRole.ASSISTANT, answer)
    said = [DecisionMessage(role, text, at) for role, text in roles]
    record_decision(JournalEntry(TRADER, trading_rows.VERSIONS, at, True, detail), said)
    return sum(len(text.encode()) for _, text in roles)


def _copy(cursor: Any, table: str, compression: str) -> None:
    column, rewrite = _COLUMN[table]
    cursor.execute(
        "SELECT string_agg(CASE attname WHEN %s THEN %s ELSE 't.' || quote_ident(attname) END, ', ' ORDER BY attnum)"
        " FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
        [column, rewrite, table],
    )
    [columns] = cursor.fetchone()
    for statement in _AGAIN.format(table=table, column=column, columns=columns, compression=compression).split(";"):
        cursor.execute(statement)


def _row(cursor: Any, statement: str, parameters: Sequence[Any] = ()) -> Any:
    cursor.execute(statement, parameters)
    return cursor.fetchone()


def _line(cursor: Any, title: str, table: str) -> tuple[str, ...]:
    sizes = _row(cursor, _OF_TABLE, [table])
    return (title, *(f"{size / DECISIONS:,.0f}" for size in sizes), f"{sum(sizes) / DECISIONS:,.0f}")
