"""The fleet as an export needs it: who trades, with what result, and what is held. Reads only."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from traders.database import sql
from traders.schema.settings.fleet import FLEET_ID
from trading.record.stored.safe_sql import bounded, has_own_capital, is_bounded, is_moment_ms, number
from trading.record.stored.spread import reads

# Cycle numbers rise by one and no decision is ever deleted, so the last number is the count, less those set aside.
# A trade of a time that is none stands in the roll-up's first or last close: the next one inside is looked up.
_TRADERS = f"""
SELECT c.id AS trader_id, c.version, c.display_name, c.model AS llm_model, c.retired AS is_retired,
       {has_own_capital("c.detail")} AS is_on_paper
  FROM trader_config c ORDER BY c.id
"""
_RESULTS = f"""
SELECT wanted.id AS trader_id,
       coalesce(r.trades, 0) AS trades, coalesce(r.wins, 0) AS wins, coalesce(r.losses, 0) AS losses,
       coalesce(r.net, 0) AS net,
       CASE WHEN {is_moment_ms("r.first_ms")} THEN r.first_ms
            ELSE (SELECT min(close_ts_ms) FROM trades t
                   WHERE t.trader_id = wanted.id AND exclusion_id IS NULL AND {is_moment_ms("close_ts_ms")})
       END AS first_close_ms,
       CASE WHEN {is_moment_ms("r.last_ms")} THEN r.last_ms
            ELSE (SELECT max(close_ts_ms) FROM trades t
                   WHERE t.trader_id = wanted.id AND exclusion_id IS NULL AND {is_moment_ms("close_ts_ms")})
       END AS last_close_ms,
       coalesce((SELECT max(cycle_number) FROM decision_journal j WHERE j.trader_id = wanted.id), 0)
           - (SELECT count(*) FROM decision_journal j WHERE j.trader_id = wanted.id AND j.exclusion_id IS NOT NULL)
           AS invocations,
       coalesce(o.net, 0) AS net_of_open
  FROM unnest(%(traders)s::text[]) AS wanted (id)
  LEFT JOIN (SELECT trader_id, sum(trades)::bigint AS trades, sum(wins)::bigint AS wins,
                    sum(losses)::bigint AS losses, coalesce(sum({bounded("net_pnl")}), 0) AS net,
                    min(first_close_ms) AS first_ms, max(last_close_ms) AS last_ms
               FROM version_results GROUP BY trader_id) r ON r.trader_id = wanted.id
  LEFT JOIN (SELECT trader_id, sum(coalesce({number("detail", "realized.net")},
                                             - {number("detail", "entry.commission")}, 0)) AS net
               FROM positions WHERE status = 'open' AND exclusion_id IS NULL GROUP BY trader_id) o
            ON o.trader_id = wanted.id
"""
_NEWEST = "SELECT trader_id, max(id) AS newest FROM record_exclusions GROUP BY trader_id"
_SUMS = f"""
SELECT trader_id, coalesce(sum(net_pnl) FILTER (WHERE net_pnl > 0), 0) AS won,
       coalesce(sum(net_pnl) FILTER (WHERE net_pnl < 0), 0) AS lost
  FROM trades WHERE trader_id = ANY (%s) AND exclusion_id IS NULL AND {is_bounded("net_pnl")} GROUP BY trader_id
"""
_SYNCS = """
SELECT (SELECT extract(epoch FROM max(synced_at))::float8 FROM yaml_base) AS at,
       (SELECT count(*) FROM sync_conflicts) AS conflicts,
       (SELECT count(*) FROM yaml_base WHERE trader_id <> %s) AS traders,
       (SELECT count(*) FROM trader_config_versions WHERE source = 'sync' AND change_set = (
               SELECT max(change_set) FROM trader_config_versions WHERE source = 'sync')) AS written
"""


@dataclass(frozen=True, slots=True)
class Result:
    """A trader and the sums that the database keeps of its trades. `exclusion` is its newest entry in
    `record_exclusions`, 0 without any: what was computed under another one is no longer so. `net_of_open` is what the
    parts of open positions realized, less their commissions. `is_on_paper`: its capital is none of the fleet's."""

    trader_id: str
    version: int
    display_name: str
    llm_model: str
    is_retired: bool
    trades: int
    wins: int
    losses: int
    net: Decimal
    first_close_ms: int | None
    last_close_ms: int | None
    invocations: int
    exclusion: int
    net_of_open: Decimal = Decimal(0)
    is_on_paper: bool = False


@dataclass(frozen=True, slots=True)
class SyncState:
    """Of manager.yaml: when it was last synced (seconds since 1970), conflicts that wait, traders it declared then, and
    traders of which the last sync that changed any wrote a version."""

    at: float | None = None
    conflicts: int = 0
    traders: int = 0
    written: int = 0


def results() -> list[Result]:
    """Of the whole fleet, in order of id."""
    traders = sql.rows(_TRADERS)
    done = {row.trader_id: row for row in reads.rows(_RESULTS, {"traders": [one.trader_id for one in traders]})}
    newest = dict(sql.rows(_NEWEST))
    return [
        Result(**(one._asdict() | done[one.trader_id]._asdict()), exclusion=newest.get(one.trader_id, 0))
        for one in traders
    ]


def gains_and_losses(trader_ids: Collection[str]) -> dict[str, tuple[Decimal, Decimal]]:
    """{trader: (sum of net gains, sum of net losses)}, over every trade, from an index alone."""
    return {row.trader_id: (row.won, row.lost) for row in sql.rows(_SUMS, [list(trader_ids)])}


def sync_state() -> SyncState:
    return sql.rows_as(SyncState, _SYNCS, [FLEET_ID])[0]
