"""The hot queries over millions of trades, with and without the indexes made for them, and the size of a trade."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from benchmarks import record_pages, trade_size, trading_rows
from benchmarks.report import Table, seconds
from benchmarks.servers import empty_tables
from trading.record.writing import positions, trades

TRADERS = 100
TRADER = "trader_042"
WARM_UP, RUNS, SLOW_RUNS = 2, 9, 3
COVERING = ("idx_trades_recent_covering", "idx_trades_version_results", "idx_positions_open_covering")
OTHERS = (
    *("idx_trades_trader_time", "idx_trades_time", "idx_trades_symbol_time"),
    *("idx_positions_trader_status", "positions_one_open"),
)


@dataclass(frozen=True)
class Query:
    name: str
    sql: str
    parameters: tuple[Any, ...]


QUERIES = (
    Query("last 100 trades of a trader", trades._RECENT, (TRADER, 100)),
    Query("open positions of a trader", positions._OPEN_OF_TRADER, (TRADER,)),
    Query(
        "result of each version of a trader: the roll-up",
        "SELECT entry_version, trades, wins, net_pnl FROM version_results WHERE trader_id = %s ORDER BY entry_version",
        (TRADER,),
    ),
    Query(
        "result of one version: its trades, summed",
        "SELECT count(*), sum(net_pnl) FROM trades WHERE trader_id = %s AND entry_version = %s"
        " AND exclusion_id IS NULL",
        (TRADER, 7),
    ),
    Query(
        "result of each version: all its trades, summed",
        "SELECT entry_version, count(*), sum(net_pnl) FROM trades WHERE trader_id = %s AND exclusion_id IS NULL"
        " GROUP BY entry_version",
        (TRADER,),
    ),
)


@dataclass(frozen=True)
class Answer:
    """Server time in ms, and how the rows were found."""

    ms: float
    scan: str


def run(count: int, say: Callable[[str], None]) -> list[Table]:
    say(f"{count:,} trades of {TRADERS} traders")
    empty_tables()
    started = time.perf_counter()
    trading_rows.make_record(traders=TRADERS, trades=count)
    trading_rows.vacuum()
    say(f"made in {seconds(time.perf_counter() - started)} s")
    pages = record_pages.table(count, TRADER)
    with_all = {query: _answer(query) for query in QUERIES}
    with _without(COVERING):
        without_covering = {query: _answer(query) for query in QUERIES}
    with _without((*COVERING, *OTHERS)):
        without_any = {query: _answer(query, SLOW_RUNS) for query in QUERIES}
    say("the same trades in the legacy layout")
    return [_table(count, with_all, without_covering, without_any), pages, trade_size.table()]


@contextmanager
def _without(indexes: Sequence[str]) -> Iterator[None]:
    """As if they had never been made: dropping is taken back."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {', '.join(indexes)}")
        yield
        transaction.set_rollback(True)


def _answer(query: Query, runs: int = RUNS) -> Answer:
    plans = [_explained(query) for _ in range(WARM_UP + runs)][WARM_UP:]
    middle = statistics.median(plan["Execution Time"] for plan in plans)
    return Answer(middle, _scan(plans[-1]["Plan"]))


def _explained(query: Query) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {query.sql}", query.parameters)
        [[plan]] = cursor.fetchone()
    return dict(plan)


def _scan(step: dict[str, Any]) -> str:
    """The step that reads the table."""
    while "Relation Name" not in step:
        step = step["Plans"][0]
    return str(step["Node Type"])


def _table(count: int, *answers: dict[Query, Answer]) -> Table:
    return Table(
        f"Hot queries over {count:,} trades of {TRADERS} traders, ms on the server",
        ("Query", "all indexes", "by", "without the covering ones", "by", "without any", "by"),
        [
            (query.name, *(cell for found in answers for cell in (f"{found[query].ms:.3f}", found[query].scan)))
            for query in QUERIES
        ],
        (
            f"`Execution Time` of EXPLAIN ANALYZE, warm, median of {RUNS} runs (without any index {SLOW_RUNS}). The "
            f"covering ones are {', '.join(f'`{name}`' for name in COVERING)}; the others "
            f"{', '.join(f'`{name}`' for name in OTHERS)}. A trader has {count // TRADERS:,} trades in "
            f"{trading_rows.VERSIONS} versions.",
        ),
    )
