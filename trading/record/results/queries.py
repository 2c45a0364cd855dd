"""What each version of a configuration earned: read from the roll-up that the database keeps."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from traders.database import sql
from trading.models import SET_ASIDE, Trade, VersionResult

BEFORE_V1 = 0
# The deepest fall of the running sum below its highest point so far, the start (0) among the points.
_DRAWDOWNS = """
SELECT coalesce(entry_version, 0) AS version, max(peak - run) AS fall FROM (
    SELECT entry_version, run,
           greatest(0, max(run) OVER (PARTITION BY entry_version ORDER BY close_ts_ms, n)) AS peak
      FROM (SELECT entry_version, close_ts_ms, n,
                   sum(net_pnl) OVER (PARTITION BY entry_version ORDER BY close_ts_ms, n) AS run
              FROM (SELECT entry_version, close_ts_ms, net_pnl,
                           row_number() OVER (PARTITION BY entry_version ORDER BY close_ts_ms, net_pnl) AS n
                      FROM trades WHERE trader_id = %s AND {of_version} AND exclusion_id IS NULL) t) r) p
 GROUP BY entry_version
"""
# Two statements, because no index serves a condition that holds for NULL as well.
_OF_VERSIONS = _DRAWDOWNS.format(of_version="entry_version = ANY (%s)")
_OF_BEFORE = _DRAWDOWNS.format(of_version="entry_version IS NULL")


@dataclass(frozen=True, slots=True)
class VersionOutcome:
    """The trades that a version opened. `entry_version` 0 stands for those from before the first version."""

    trader_id: str
    entry_version: int
    trades: int
    wins: int
    losses: int
    straddling: int
    net_pnl: Decimal
    gross_pnl: Decimal
    commission: Decimal
    first_close_ms: int
    last_close_ms: int

    @property
    def win_rate_pct(self) -> Decimal | None:
        return Decimal(100) * self.wins / self.trades if self.trades else None


COLUMNS = tuple(VersionOutcome.__dataclass_fields__)


def of_trader(trader_id: str) -> dict[int, VersionOutcome]:
    """{version: its outcome}; versions without trades are left out."""
    found = VersionResult.objects.filter(trader=trader_id).order_by("entry_version").values(*COLUMNS)
    return {outcome.entry_version: outcome for outcome in (VersionOutcome(**row) for row in found)}


def drawdowns(trader_id: str, versions: Collection[int]) -> dict[int, Decimal]:
    """{version: deepest fall in USD of its trades' running net P&L, in order of their closes}."""
    found = sql.rows(_OF_VERSIONS, [trader_id, list(versions)])
    if BEFORE_V1 in versions:
        found += sql.rows(_OF_BEFORE, [trader_id])
    return {row.version: row.fall for row in found}


def trades_aside(trader_id: str) -> int:
    """How many of the trader's trades are in no sum, because they were set aside; from a tiny index."""
    return Trade.objects.filter(SET_ASIDE, trader=trader_id).count()
