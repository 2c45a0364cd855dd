"""What traders had realized at moments, from the trades and the parts of open positions."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from trading.record.stored.equity.earned import of_entry, of_event, of_fill
from trading.record.stored.safe_sql import bounded, is_bounded, is_moment_ms, items, moment_ms
from trading.record.stored.spread import reads

# All that was ever earned less what came later: of a new point only the few trades behind it are read.
# Until its close a trade counts with the fills before: what they earned, less every commission.
# OFFSET 0: the planner looks for the later trades by the index; it expects a third of all, and would read the table.
_RUN = f"""
since AS (SELECT trader_id, min(ts_ms) AS ts_ms FROM asked GROUP BY trader_id),
whole AS (
    SELECT r.trader_id, coalesce(sum({bounded("r.net_pnl")}), 0) AS net
      FROM since s JOIN version_results r ON r.trader_id = s.trader_id GROUP BY r.trader_id),
later AS (
    SELECT t.*
      FROM since s CROSS JOIN LATERAL (
           SELECT t.id, t.trader_id, t.close_ts_ms, t.net_pnl AS net,
                  {moment_ms("t.detail", "time.open_ts_ms")} AS opened_ms
             FROM trades t
            WHERE t.trader_id = s.trader_id AND t.close_ts_ms > s.ts_ms AND t.exclusion_id IS NULL
              AND {is_bounded("t.net_pnl")} AND {is_moment_ms("t.close_ts_ms")} OFFSET 0) t),
parts AS (
    SELECT id, trader_id, {moment_ms("f", "ts_ms")} AS ts_ms,
           {of_fill("f")} AS amount
      FROM later l
     CROSS JOIN LATERAL (SELECT side, detail FROM trades t
                          WHERE t.id = l.id AND t.trader_id = l.trader_id OFFSET 0) t
     CROSS JOIN LATERAL jsonb_array_elements({items("t.detail", "fills")}) AS f
     WHERE {moment_ms("f", "ts_ms")} < l.close_ts_ms),
before_close AS (SELECT trader_id, id, sum(amount) AS amount FROM parts GROUP BY trader_id, id),
held AS (
    SELECT p.trader_id, p.opened_ms, p.detail FROM since s JOIN positions p ON p.trader_id = s.trader_id
     WHERE p.status = 'open' AND p.exclusion_id IS NULL AND {is_moment_ms("p.opened_ms")}),
deltas AS (
    SELECT trader_id, ts_ms, amount, 0 AS held FROM parts
    UNION ALL SELECT trader_id, opened_ms, 0, 1 FROM later
    UNION ALL SELECT trader_id, l.close_ts_ms, l.net - coalesce(b.amount, 0),
                     CASE WHEN l.opened_ms IS NULL THEN 0 ELSE -1 END
                FROM later l LEFT JOIN before_close b USING (trader_id, id)
    UNION ALL SELECT trader_id, opened_ms, {of_entry("detail")}, 1 FROM held
    UNION ALL SELECT h.trader_id, {moment_ms("e", "at_ms")}, {of_event("e")}, 0
                FROM held h CROSS JOIN LATERAL jsonb_array_elements({items("h.detail", "events")}) AS e
    UNION ALL SELECT trader_id, ts_ms, NULL, 0 FROM asked),
run AS (
    SELECT trader_id, ts_ms, amount IS NULL AS is_asked,
           sum(amount) OVER (PARTITION BY trader_id ORDER BY ts_ms) AS amount,
           sum(held) OVER (PARTITION BY trader_id ORDER BY ts_ms) AS held,
           max(ts_ms) FILTER (WHERE amount IS NOT NULL) OVER (PARTITION BY trader_id) AS last_ms
      FROM deltas WHERE ts_ms IS NOT NULL),
base AS (
    SELECT s.trader_id, coalesce(w.net, 0) - coalesce(l.net, 0) AS net
      FROM since s LEFT JOIN whole w USING (trader_id)
      LEFT JOIN (SELECT trader_id, sum(net) AS net FROM later GROUP BY trader_id) l USING (trader_id)
     WHERE w.trader_id IS NOT NULL OR s.trader_id IN (SELECT trader_id FROM held)),
found AS (
    SELECT r.trader_id, r.ts_ms, r.held::int AS held, coalesce(r.last_ms > r.ts_ms, false) AS is_past,
           b.net + coalesce(r.amount, 0) AS realized
      FROM run r JOIN base b USING (trader_id) WHERE r.is_asked)
"""
_GIVEN = "SELECT DISTINCT * FROM unnest(%(traders)s::text[], %(moments)s::bigint[]) AS a (trader_id, ts_ms)"
_LACKS = f"""realized_pnl_usd IS NULL AND exclusion_id IS NULL AND {is_moment_ms("ts_ms")}"""
# On another server than the points, where these are spread.
_MOVED = """moved AS MATERIALIZED (
    SELECT trader_id, ts_ms, amount_usd, kind FROM equity_transfers WHERE trader_id = ANY (%(traders)s))"""
AT = f"WITH asked AS ({_GIVEN}), {_RUN} SELECT * FROM found"
# What was held at a moment of the past cannot be valued any more. Where every transfer is known, the initial one
# included, it is what the equity has beyond transfers and realized P&L.
_PARTS = f"""
SELECT e.trader_id, e.ts_ms, f.realized,
       coalesce(e.unrealized_pnl_usd, CASE WHEN f.held = 0 THEN 0
           ELSE {bounded("e.equity_usd")} - f.realized - (
               SELECT sum(amount_usd) FILTER (WHERE t.ts_ms <= e.ts_ms) FROM moved t
                WHERE t.trader_id = e.trader_id HAVING bool_or(kind = 'initial' AND t.ts_ms <= e.ts_ms))
           END) AS unrealized
  FROM found f JOIN equity_snapshots e ON e.trader_id = f.trader_id AND e.ts_ms = f.ts_ms
 WHERE e.realized_pnl_usd IS NULL AND e.exclusion_id IS NULL
"""
FILL = f"""
WITH asked AS (SELECT trader_id, ts_ms FROM equity_snapshots
                WHERE trader_id = ANY (%(traders)s) AND ts_ms >= %(since)s AND {_LACKS}), {_MOVED}, {_RUN}
UPDATE equity_snapshots e SET realized_pnl_usd = p.realized, unrealized_pnl_usd = p.unrealized
  FROM ({_PARTS}) p WHERE e.trader_id = p.trader_id AND e.ts_ms = p.ts_ms
"""
# Points whose parts a program that writes SQL left out, although the record tells them by now.
NOT_DERIVED = f"""
WITH asked AS (SELECT trader_id, ts_ms FROM equity_snapshots
                WHERE trader_id = ANY (%(traders)s) AND {_LACKS}), {_MOVED}, {_RUN}
SELECT trader_id, ts_ms FROM ({_PARTS}) p ORDER BY trader_id, ts_ms
"""


@dataclass(frozen=True, slots=True)
class RealizedAt:
    """`realized` in USD: gross P&L of what was closed until then, less all commissions paid, plus funding. `held` is
    how many positions the trader held. `is_past`: something was opened, changed or closed since."""

    trader_id: str
    ts_ms: int
    held: int
    is_past: bool
    realized: Decimal


def realized_at(moments: Collection[tuple[str, int]]) -> dict[tuple[str, int], RealizedAt]:
    """{(trader, milliseconds): what it had realized} of those of which a trade or an open position is recorded: of the
    others nothing can be said. One statement."""
    if not moments:
        return {}
    asked = {"traders": [one[0] for one in moments], "moments": [one[1] for one in moments]}
    return {(row.trader_id, row.ts_ms): row for row in reads.rows_as(RealizedAt, AT, asked, beside=["moments"])}
