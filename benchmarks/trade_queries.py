"""The hot queries over millions of trades, with and without the indexes made for them, and the size of a trade."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from benchmarks import trade_size, trading_rows
from benchmarks.record_pages import TRADER, TRADERS, make
from benchmarks.report import Table
from trading.record.writing import trades

WARM_UP, RUNS, SLOW_RUNS = 2, 9, 3
COVERING = ("idx_trades_recent_covering", "idx_trades_version_results", "idx_positions_open_covering")
# What stands in the place of the first: the same keys, and a look into the table for each row.
PLAIN = "CREATE INDEX plain ON trades (trader_id, close_ts_ms)"
OTHERS = (
    *("idx_trades_time", "idx_trades_symbol_time"),
    *("idx_positions_trader_status", "positions_one_open"),
)


@dataclass(frozen=True)
class Query:
    name: str
    sql: str
    parameters: tuple[Any, ...]


QUERIES = (
    Query("last 100 trades of a trader", trades.RECENT, (TRADER, 100)),
    Query(
        "open positions of a trader",
        "SELECT symbol, side, quantity, entry_price, leverage FROM positions"
        " WHERE trader_id = %s AND status = 'open' AND exclusion_id IS NULL ORDER BY symbol",
        (TRADER,),
    ),
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
    make(count, say)
    with_all = {query: _answer(query) for query in QUERIES}
    with _without(COVERING, PLAIN):
        without_covering = {query: _answer(query) for query in QUERIES}
    with _without((*COVERING, *OTHERS)):
        without_any = {query: _answer(query, SLOW_RUNS) for query in QUERIES}
    say("the same trades in the legacy layout")
    return [_table(count, with_all, without_covering, without_any), *trade_size.tables()]


@contextmanager
def _without(indexes: Sequence[str], instead: str = "") -> Iterator[None]:
    """As if they had never been made: the drop is rolled back."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {', '.join(indexes)}; {instead}")
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
        ("Query", "all indexes", "by", "plain ones instead of the covering", "by", "without any", "by"),
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
