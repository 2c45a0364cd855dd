"""The results of versions, from the sums that the database keeps, and their drawdowns."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from traders.database import sql
from traders.schema.moments import LATEST_MS
from trading.live.unrealized import unrealized_now
from trading.models import OPEN_AND_COUNTED, SET_ASIDE, Position, Trade, VersionResult
from trading.record.stored.equity.bases import BASES, BEGAN, GIVEN, START
from trading.record.stored.equity.earned import earned

BEFORE_V1 = 0


def _falls(where: str, given: str, bases: str) -> str:
    """The maximum drawdown of the net P&L of each version, fill by fill; fills of one moment count together, as rows of
    one moment have one running sum. The start (0) is the first point, and open positions at their mark prices are the
    last. In USD, and in % of the base plus the P&L at the peak."""
    return f"""
WITH {given}, earned AS ({earned(f"t.trader_id = %(trader)s AND {where}")}),
bases AS ({bases}),
steps AS (
    SELECT coalesce(entry_version, {BEFORE_V1}) AS version, ts_ms, amount FROM earned
    UNION ALL
    SELECT version, {LATEST_MS}, gain FROM unnest(%(marked)s::integer[], %(gains)s::numeric[]) AS m (version, gain)),
runs AS (SELECT version, ts_ms, sum(amount) OVER (PARTITION BY version ORDER BY ts_ms) AS run FROM steps),
peaks AS (
    SELECT version, run, greatest(0, max(run) OVER (PARTITION BY version ORDER BY ts_ms)) AS peak FROM runs)
SELECT p.version, max(p.peak - p.run) AS usd,
       CASE WHEN b.base > 0 THEN least(100 * max((p.peak - p.run) / (b.base + p.peak)), 100) END AS pct
  FROM peaks p LEFT JOIN bases b USING (version) GROUP BY p.version, b.base
"""


# Two statements, because no index serves a condition that holds for NULL as well.
_OF_VERSIONS = _falls("t.entry_version = ANY (%(versions)s)", f"{GIVEN}, {BEGAN}", BASES)
_OF_BEFORE = _falls("t.entry_version IS NULL", GIVEN, f"SELECT {BEFORE_V1} AS version, ({START}) AS base")


@dataclass(frozen=True, slots=True)
class EntryVersionResult:
    """The trades that a version opened. `entry_version` 0: trades from before the first version."""

    trader_id: str
    entry_version: int
    trades: int
    wins: int
    losses: int
    straddling: int
    net_pnl: Decimal
    gross_pnl: Decimal
    commission: Decimal
    funding: Decimal
    first_close_ms: int
    last_close_ms: int

    @property
    def win_rate_pct(self) -> Decimal | None:
        return Decimal(100) * self.wins / self.trades if self.trades else None


@dataclass(frozen=True, slots=True)
class VersionDrawdown:
    """In USD, and in % of the equity that the version began with and what it had earned; None without such equity."""

    usd: Decimal
    pct: Decimal | None


COLUMNS = tuple(EntryVersionResult.__dataclass_fields__)


def of_trader(trader_id: str) -> dict[int, EntryVersionResult]:
    """{version: its result}; versions without trades are left out."""
    found = VersionResult.objects.filter(trader=trader_id).order_by("entry_version").values(*COLUMNS)
    return {result.entry_version: result for result in (EntryVersionResult(**row) for row in found)}


def drawdowns(trader_id: str, versions: Collection[int]) -> dict[int, VersionDrawdown]:
    """{version: how deep fell what the positions that it opened earned}. The base is the last equity from before the
    version, else what the trader began with."""
    marks = _marks(trader_id)
    asked = [version for version in versions if version != BEFORE_V1]
    found = _asked(_OF_VERSIONS, trader_id, asked, marks) if asked else []
    if BEFORE_V1 in versions:
        found += _asked(_OF_BEFORE, trader_id, [BEFORE_V1], marks)
    return {row.version: VersionDrawdown(row.usd, row.pct) for row in found}


def _asked(statement: str, trader_id: str, versions: list[int], marks: list[tuple[int, Decimal]]) -> list[Any]:
    own = [mark for mark in marks if mark[0] in versions]
    return sql.rows(
        statement,
        {
            "trader": trader_id,
            "versions": versions,
            "marked": [version for version, _gain in own],
            "gains": [gain for _version, gain in own],
        },
    )


def _marks(trader_id: str) -> list[tuple[int, Decimal]]:
    """(version that opened it, unrealized P&L) of each open position with a fresh price."""
    now = unrealized_now([trader_id]).get(trader_id)
    gains = now.gains if now else {}
    if not gains:
        return []
    held = Position.objects.filter(OPEN_AND_COUNTED, trader=trader_id).values_list("symbol", "entry_version")
    opened_by = dict(held)
    return [(opened_by[symbol] or BEFORE_V1, gain) for symbol, gain in gains.items() if symbol in opened_by]


def trades_aside(trader_id: str) -> int:
    """How many of the trader's trades are in no sum, because they were set aside; from a tiny index."""
    return Trade.objects.filter(SET_ASIDE, trader=trader_id).count()
