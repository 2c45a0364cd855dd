"""The equity that a version began with, in USD: the last one from before it became valid, else the trader's start."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from traders.database import sql
from trading.record.stored.safe_sql import EQUITY_COUNTS, epoch_ms

# What configurations and transfers say, looked up first: where the record is spread both are on the first server, and
# the rest of the statement goes to the server of the trader.
GIVEN = """
given AS MATERIALIZED (SELECT amount_usd FROM equity_transfers WHERE trader_id = %(trader)s AND kind = 'initial')"""
BEGAN = f"""
began AS MATERIALIZED (
    SELECT version, {epoch_ms("history_date")} AS at_ms FROM trader_config_versions
     WHERE id = %(trader)s AND version = ANY (%(versions)s))"""
# The equity at the start of the trader.
START = f"""
SELECT coalesce(
    (SELECT amount_usd FROM given),
    (SELECT equity_usd FROM equity_snapshots WHERE trader_id = %(trader)s AND {EQUITY_COUNTS} AND equity_usd > 0
      ORDER BY ts_ms LIMIT 1))
"""
# The moment is a bigint, as the column is: against a numeric no index finds it.
BASES = f"""
SELECT v.version, coalesce(
    (SELECT equity_usd FROM equity_snapshots WHERE trader_id = %(trader)s AND {EQUITY_COUNTS}
        AND ts_ms <= v.at_ms ORDER BY ts_ms DESC LIMIT 1), ({START})) AS base
  FROM began v
"""
_KNOWN = f"""
WITH {GIVEN}, {BEGAN}
SELECT version, base FROM ({BASES} UNION ALL SELECT NULL, ({START})) b WHERE base IS NOT NULL
"""


def version_bases(trader_id: str, versions: Collection[int]) -> dict[int | None, Decimal]:
    """{version: its base}, and None: of what is from before the first version. Without equity there is none."""
    return {row.version: row.base for row in sql.rows(_KNOWN, {"trader": trader_id, "versions": sorted(versions)})}
