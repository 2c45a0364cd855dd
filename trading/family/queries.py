"""Reads of families: who was cloned from whom, when each was there, and what its decisions came to."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.db.models.fields.json import KT

from traders.database import sql
from traders.models import TraderConfig
from traders.schema.settings.stored import StoredConfig
from traders.versions import queries as configs
from trading.analytics.intervals import Period
from trading.family.rules import FamilyTrader, FamilyUse
from trading.record.stored.safe_sql import EQUITY_IS_GOOD, epoch_ms, is_moment, items, number
from trading.record.stored.spread import reads

# The first and the last that is known of each trader: equity, else decisions.
_SPANS = f"""
SELECT wanted.id AS trader_id, coalesce(e.first_ms, d.first_ms) AS from_ms,
       greatest(coalesce(e.last_ms, d.last_ms), d.last_ms) AS to_ms
  FROM unnest(%(traders)s::text[]) AS wanted (id)
  LEFT JOIN LATERAL (SELECT min(ts_ms) AS first_ms, max(ts_ms) AS last_ms FROM equity_snapshots
                      WHERE trader_id = wanted.id AND {EQUITY_IS_GOOD}) e ON true
  LEFT JOIN LATERAL (SELECT min({epoch_ms("decided_at")}) AS first_ms, max({epoch_ms("decided_at")}) AS last_ms
                       FROM decision_journal
                      WHERE trader_id = wanted.id AND exclusion_id IS NULL AND {is_moment("decided_at")}) d ON true
"""
_USE = f"""
SELECT j.trader_id, j.config_version, count(*) AS decisions,
       count(*) FILTER (WHERE EXISTS (
           SELECT 1 FROM jsonb_array_elements({items("j.detail", "actions")}) AS a
            WHERE jsonb_typeof(a -> 'refused_by') = 'array' AND a -> 'refused_by' <> '[]')) AS refused,
       sum({number("j.detail", "usage.cost_usd")}) AS cost
  FROM decision_journal j
 WHERE j.trader_id = ANY (%(traders)s) AND j.exclusion_id IS NULL AND {is_moment("j.decided_at")}
   AND {epoch_ms("j.decided_at")} >= %(since)s AND {epoch_ms("j.decided_at")} <= %(until)s
 GROUP BY j.trader_id, j.config_version
"""


def parents() -> dict[str, str]:
    """{clone: the trader it came from}, of all clones."""
    rows = TraderConfig.objects.filter(detail__cloned_from__trader_id__isnull=False)
    return dict(rows.values_list("pk", KT("detail__cloned_from__trader_id")))


def members(trader_ids: Collection[str]) -> list[FamilyTrader]:
    """In the order that is asked for; those that exist."""
    found = configs.current_traders(list(trader_ids))
    return [_member(found[trader_id]) for trader_id in trader_ids if trader_id in found]


def spans(trader_ids: Collection[str]) -> list[Period]:
    """Of those of which anything is known."""
    rows = reads.rows(_SPANS, {"traders": list(trader_ids)})
    return [Period(int(row.from_ms), int(row.to_ms)) for row in rows if row.from_ms is not None and row.to_ms]


def uses(trader_ids: Collection[str], period: Period) -> Mapping[tuple[str, int | None], FamilyUse]:
    """{(trader, version): what its decisions came to}."""
    asked = {"traders": list(trader_ids), "since": period.from_ms, "until": period.to_ms}
    return {
        (row.trader_id, row.config_version): FamilyUse(row.decisions, row.refused, row.cost)
        for row in sql.rows(_USE, asked)
    }


def _member(stored: StoredConfig) -> FamilyTrader:
    flat = stored.flat
    origin = flat["detail.cloned_from"]
    return FamilyTrader(
        trader_id=stored.config_id,
        name=flat["detail.display_name"],
        version=stored.version,
        retired=flat["detail.retired"],
        paper_capital_usd=flat["detail.paper_capital_usd"],
        cloned_from=(origin["trader_id"], origin["version"]) if origin else None,
    )
