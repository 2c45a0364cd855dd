"""What guards add to a recorded trade and to an equity point: none registered, all off, and all on, in turn."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from itertools import count

from django.db import connection

from benchmarks import trading_rows
from benchmarks.meter import Cost, metered
from benchmarks.report import Table, seconds
from benchmarks.servers import empty_tables
from traders.versions import services as configs
from traders.versions.edit import services as edit
from trading.guards import services as guards
from trading.record import followers
from trading.record.writing import services as record
from trading.schema.common import Side
from trading.schema.facts import EquityPoint
from trading.schema.trade import Pnl, Prices, Quantity, Time, TradeDetail

TRADER = "trader_001"
TRADES, POINTS = 4_000, 50_000
WARM_UP, ROUNDS = 3, 30
# Far from every figure, so that nothing fires.
LIMITS = {
    "max_daily_loss_usd": Decimal(1_000_000),
    "max_daily_loss_pct": Decimal(99),
    "max_drawdown_pct": Decimal(99),
    "max_version_drawdown_pct": Decimal(99),
    "loss_cooldown_after": 1000,
    "max_errors_in_a_row": 1000,
}
# A point a minute, up to a minute ago.
HISTORY = """
INSERT INTO equity_snapshots (trader_id, ts_ms, equity_usd, source)
SELECT %(trader)s, %(now)s - n * 60000::bigint, round((10000 + 400 * sin(n / 900.0))::numeric, 2), 'engine'
  FROM generate_series(1::bigint, %(points)s) AS n
"""
_numbers = count()


def run(say: Callable[[str], None]) -> list[Table]:
    say(f"a trader with {POINTS:,} points of equity and {TRADES // 2:,} trades, {ROUNDS} rounds")
    empty_tables()
    trading_rows.make_record(traders=2, trades=TRADES)
    with connection.cursor() as cursor:
        cursor.execute(HISTORY, {"trader": TRADER, "now": _now_ms(), "points": POINTS})
        cursor.execute("VACUUM ANALYZE equity_snapshots, trades")
    facts = {"an equity point": _point, "a trade": _trade}
    off = dict.fromkeys(LIMITS, 0)
    ways: dict[str, Callable[[], None]] = {
        "without guards": followers.register,
        "all off": lambda: _with(off),
        "all on": lambda: _with(LIMITS),
    }
    names = tuple(ways)
    spent: dict[tuple[str, str], list[Cost]] = {(fact, name): [] for fact in facts for name in names}
    for number in range(WARM_UP + ROUNDS):
        for name, way in ways.items():
            way()
            for fact, write in facts.items():
                with metered() as cost:
                    write()
                if number >= WARM_UP:
                    spent[fact, name].append(cost)
    return [_table(facts, names, spent)]


def _with(limits: dict[str, Decimal] | dict[str, int]) -> None:
    """The guards registered, with these limits. A trader that has them already gets no new version."""
    followers.register(guards.after)
    stored = configs.existing(TRADER)
    flat = stored.flat | {f"detail.exec_guards.{name}": value for name, value in limits.items()}
    if flat != stored.flat:
        edit.save(config_id=TRADER, flat=flat, expected_version=stored.version, reason="measured", actor="bench")


def _point() -> None:
    record.equity_points(TRADER, [EquityPoint(TRADER, _now_ms(), Decimal(10_000 + next(_numbers) % 50), "engine")])


def _trade() -> None:
    closed_ms = _now_ms()
    detail = TradeDetail(
        time=Time(open_ts_ms=closed_ms - 60_000, close_ts_ms=closed_ms, duration_seconds=Decimal(60)),
        prices=Prices(avg_entry=Decimal(100), avg_exit=Decimal(101)),
        quantity=Quantity(total=Decimal(1)),
        pnl=Pnl(gross=Decimal(1), commission=Decimal(0), net=Decimal(1 - 2 * (next(_numbers) % 2))),
    )
    record.trade(trader_id=TRADER, symbol="BTC", side=Side.LONG, closed_at_ns=closed_ms * 1_000_000, detail=detail)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _table(facts: Iterable[str], names: Sequence[str], spent: dict[tuple[str, str], list[Cost]]) -> Table:
    rows = []
    for fact in facts:
        base = statistics.median(cost.seconds for cost in spent[fact, names[0]])
        for name in names:
            costs = spent[fact, name]
            median = statistics.median(cost.seconds for cost in costs)
            statements = statistics.median(cost.statements for cost in costs)
            rows.append((f"{fact}, {name}", seconds(median), seconds(median - base), f"{statements:.0f}"))
    return Table(
        "Recording one row with guards",
        ("What", "seconds", "more than without", "SQL statements"),
        rows,
        (
            f"Medians of {ROUNDS} rounds in turn, the live store included. All on: daily loss in USD and in %, "
            "drawdown, drawdown of the version, losses in a row, errors in a row.",
        ),
    )
