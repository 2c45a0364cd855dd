"""Bulk load of trades: ours beside bulk_create and beside COPY of rows that are text already, with every index."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import psutil
from django.db import connection, transaction

from benchmarks.report import Table, seconds, times
from benchmarks.servers import empty_tables
from demo import configs
from demo.sample.fleet import fleet_of
from demo.sample.plan import SamplePlan
from trading import models
from trading.record.stored.copying import bulk_load, copy_rows
from trading.record.writing import bulk_trades as bulk
from trading.schema.trade import TradeRecord

TRADES, TRADERS, DAYS = 20_000, 10, 30
BATCH = 2_000
ROUNDS = 7
END = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds: on the clock, of this process's processor, and of the server's for this session (None: the server is on
    another machine)."""

    clock: float
    client: float
    server: float | None


@dataclass(frozen=True)
class Input:
    """The same trades as objects, and as the text that COPY takes."""

    heads: Sequence[configs.Head]
    trades: Sequence[TradeRecord]
    blocks: Sequence[bytes]


def run(say: Callable[[str], None]) -> list[Table]:
    say(f"loading {TRADES:,} trades, {ROUNDS} rounds")
    given = _input()
    ways: dict[str, Callable[[Input], None]] = {
        "COPY of text, nothing else": _raw,
        "COPY of rows, nothing else": _copy_rows,
        "ours": _ours,
        "bulk_create": _bulk_create,
        "ours, all of them known already": _again,
    }
    spent: dict[str, list[Spent]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            spent[name].append(_timed(given, way))
    return [_table(spent)]


def _input() -> Input:
    fleet = list(fleet_of(SamplePlan(traders=TRADERS, days=DAYS, trades=TRADES, seed=1, end=END)))
    trades = [trade for trader in fleet for trade in trader.trades()]
    given = Input([configs.Head.of(trader) for trader in fleet], trades, [])
    _timed(given, _copy_rows)
    columns = ", ".join(bulk.TRADE_COLUMNS)
    with connection.cursor() as cursor, cursor.copy(f"COPY (SELECT {columns} FROM trades) TO STDOUT") as copy:
        blocks = [bytes(block) for block in copy]
    # What stays for all rounds is no garbage to look through in each of them.
    gc.freeze()
    return replace(given, blocks=blocks)


def _timed(given: Input, way: Callable[[Input], None]) -> Spent:
    """On an empty table, where the way does not say otherwise."""
    empty_tables()
    with bulk_load(name="bench"):
        configs.write(given.heads)
    if way is _again:
        _ours(given)
    gc.collect()
    clock, client, server = time.perf_counter(), time.process_time(), _server_seconds()
    way(given)
    after = _server_seconds()
    spent = Spent(
        time.perf_counter() - clock,
        time.process_time() - client,
        None if server is None or after is None else after - server,
    )
    if models.Trade.objects.count() != len(given.trades):
        raise AssertionError("not all trades arrived")
    return spent


def _server_seconds() -> float | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [number] = cursor.fetchone()
    try:
        process = psutil.Process(number)
    except psutil.NoSuchProcess:
        return None
    return sum(process.cpu_times()[:2]) if process.name().startswith("postgres") else None


def _raw(given: Input) -> None:
    columns = ", ".join(bulk.TRADE_COLUMNS)
    with (
        transaction.atomic(),
        connection.cursor() as cursor,
        cursor.copy(f"COPY trades ({columns}) FROM STDIN") as copy,
    ):
        for block in given.blocks:
            copy.write(block)


def _copy_rows(given: Input) -> None:
    with transaction.atomic():
        copy_rows("trades", bulk.TRADE_COLUMNS, map(bulk.trade_row, given.trades))


def _ours(given: Input) -> None:
    with bulk_load(name="bench"):
        for start in range(0, len(given.trades), BATCH):
            bulk.copy_trades(given.trades[start : start + BATCH])


def _again(given: Input) -> None:
    _ours(given)


def _bulk_create(given: Input) -> None:
    models.Trade.objects.bulk_create(
        [
            models.Trade(
                id=trade.id,
                trader_id=trade.trader_id,
                symbol=trade.symbol,
                side=trade.side,
                close_ts_ms=trade.close_ts_ms,
                detail=trade.stored(),
            )
            for trade in given.trades
        ],
        batch_size=BATCH,
    )


def _table(spent: dict[str, list[Spent]]) -> Table:
    medians = {name: statistics.median(one.clock for one in found) for name, found in spent.items()}
    raw, created = medians["COPY of text, nothing else"], medians["bulk_create"]
    return Table(
        f"Loading {TRADES:,} trades",
        ("Way", "seconds", "best", "rows/s", "of raw COPY", "of bulk_create", "CPU us a row: client", "server"),
        [
            (
                name,
                seconds(median),
                seconds(min(one.clock for one in spent[name])),
                f"{TRADES / median:,.0f}",
                f"{100 * raw / median:.0f} %",
                times(created / median),
                _us([one.client for one in spent[name]]),
                _us([one.server for one in spent[name]]),
            )
            for name, median in medians.items()
        ],
        (
            f"Medians of {ROUNDS} rounds in turn, each into an empty table with all indexes, checks and the roll-up; "
            f"best is the quickest round. Ours begins with validated trades, looks up which are recorded already, "
            f"writes their JSON and copies them, {BATCH:,} at a time, while the server stores the last ones: for that "
            "it needs a second core with nothing else to do. The times of the processors are the least of the rounds: "
            "with two free cores the larger one counts, with one their sum.",
        ),
    )


def _us(found: Sequence[float | None]) -> str:
    known = [one for one in found if one is not None]
    return f"{1e6 * min(known) / TRADES:.1f}" if known else "-"
