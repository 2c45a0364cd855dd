"""Hot queries that leave out what was set aside: by the mark and partial indexes, by an anti-join, and not at all."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from benchmarks import trading_rows
from benchmarks.report import Table, seconds
from benchmarks.servers import empty_tables
from trading.record.exclusions import queries as exclusion_log
from trading.record.exclusions import services as service
from trading.record.exclusions import writer as exclusions
from trading.schema.exclusion import ExclusionAction, RecordKey, RecordKind

TRADERS = 100
TRADER = "trader_042"
WARM_UP, RUNS = 2, 9
# Spread over all traders and times.
ASIDE = 1_000
AT_ONCE = 100
# The covering indexes as they were before rows could be set aside.
WHOLE_INDEXES = """
DROP INDEX idx_trades_recent_covering, idx_trades_version_results;
CREATE INDEX ON trades (trader_id, close_ts_ms DESC)
    INCLUDE (symbol, side, net_pnl, confidence, leverage, quantity);
CREATE INDEX ON trades (trader_id, entry_version, close_ts_ms) INCLUDE (net_pnl);
"""
COUNTED = "t.exclusion_id IS NULL"
ANTI_JOIN = "NOT EXISTS (SELECT FROM record_exclusions x WHERE x.kind = 'trade' AND x.record_id = t.id)"


@dataclass(frozen=True)
class Query:
    name: str
    sql: str
    parameters: tuple[Any, ...]


QUERIES = (
    Query(
        "last 100 trades of a trader",
        "SELECT close_ts_ms, symbol, side, net_pnl, confidence, leverage, quantity FROM trades t"
        " WHERE trader_id = %s AND {counted} ORDER BY close_ts_ms DESC LIMIT 100",
        (TRADER,),
    ),
    Query(
        "result of one version: its trades, summed",
        "SELECT count(*), sum(net_pnl) FROM trades t WHERE trader_id = %s AND entry_version = %s AND {counted}",
        (TRADER, 7),
    ),
    Query(
        "result of each version: all its trades, summed",
        "SELECT entry_version, count(*), sum(net_pnl) FROM trades t WHERE trader_id = %s AND {counted} GROUP BY 1",
        (TRADER,),
    ),
    Query(
        "a page of the trades list",
        "SELECT id, net_pnl FROM trades t WHERE {counted} ORDER BY close_ts_ms DESC, id LIMIT 51",
        (),
    ),
)


def run(count: int, say: Callable[[str], None]) -> list[Table]:
    say(f"{count:,} trades of {TRADERS} traders, {ASIDE:,} of them set aside")
    empty_tables()
    trading_rows.make_record(traders=TRADERS, trades=count)
    trading_rows.vacuum()
    with _whole_indexes():
        before = [_answer(query, "true") for query in QUERIES]
    took = _set_aside(count)
    trading_rows.vacuum()
    marked = [_answer(query, COUNTED) for query in QUERIES]
    with _whole_indexes():
        joined = [_answer(query, ANTI_JOIN) for query in QUERIES]
    return [_table(count, before, marked, joined), _writes(took)]


@contextmanager
def _whole_indexes() -> Iterator[None]:
    """Rolled back afterwards."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(WHOLE_INDEXES)
        yield
        transaction.set_rollback(True)


def _set_aside(count: int) -> dict[str, float]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM (SELECT id, row_number() OVER (ORDER BY close_ts_ms, id) AS n FROM trades) t"
            " WHERE n %% %s = 0",
            [max(1, count // ASIDE)],
        )
        keys = [RecordKey(RecordKind.TRADE, name) for (name,) in cursor.fetchall()]
    started = time.perf_counter()
    service.preview(keys[:1])
    previewed = time.perf_counter()
    _written(keys[:1])
    one = time.perf_counter()
    _written(keys[1 : 1 + AT_ONCE])
    some = time.perf_counter()
    _written(keys[1 + AT_ONCE :])
    exclusion_log.logged(exclusion_log.ExclusionFilter(), older_than=None, size=50)
    return {
        "preview of one trade": previewed - started,
        "one trade": one - previewed,
        f"{AT_ONCE} trades of as many traders": some - one,
    }


def _written(keys: list[RecordKey]) -> None:
    with exclusions.locked():
        rows = list(exclusions.lock_rows(keys).values())
        exclusions.write(rows, ExclusionAction.EXCLUDE, reason="benchmark", actor="bench", account_id=None)


def _answer(query: Query, counted: str) -> tuple[float, str]:
    """Server time in ms, and how the trades were found."""
    plans = []
    for _ in range(WARM_UP + RUNS):
        with connection.cursor() as cursor:
            cursor.execute(
                f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {query.sql.format(counted=counted)}", query.parameters
            )
            plans.append(cursor.fetchone()[0][0])
    middle = statistics.median(plan["Execution Time"] for plan in plans[WARM_UP:])
    return middle, next(
        step["Node Type"] for step in _steps(plans[-1]["Plan"]) if step.get("Relation Name") == "trades"
    )


def _steps(step: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield step
    for inner in step.get("Plans", []):
        yield from _steps(inner)


def _table(count: int, *answers: list[tuple[float, str]]) -> Table:
    return Table(
        f"Leaving out what was set aside, over {count:,} trades of {TRADERS} traders, ms on the server",
        ("Query", "before", "by", "mark", "by", "anti-join", "by"),
        [
            (query.name, *(cell for found in answers for cell in (f"{found[n][0]:.3f}", found[n][1])))
            for n, query in enumerate(QUERIES)
        ],
        (
            "`before`: nothing can be set aside, indexes without the mark. `mark`: `exclusion_id IS NULL`, indexes "
            f"that hold it or leave the rows out, {ASIDE:,} trades set aside. `anti-join`: the same trades, the "
            "indexes without the mark and NOT EXISTS in `record_exclusions` by the trade's id. `Execution Time` of "
            f"EXPLAIN ANALYZE, warm, median of {RUNS} runs.",
        ),
    )


def _writes(took: dict[str, float]) -> Table:
    return Table(
        "Setting trades aside, s",
        ("What", "s"),
        [(name, seconds(value)) for name, value in took.items()],
        ("Row, entry and sums of the version in one transaction; a preview reads the trader's figures twice.",),
    )
