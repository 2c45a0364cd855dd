"""What the history says of when each version was valid, and what the journal says of orders."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from django.db.models import Max

from traders.database import sql
from traders.models import TraderConfigVersion
from trading.record.rules.attribution import Attribution, Timeline
from trading.record.stored.safe_sql import items

_TIMELINES = """
SELECT id, array_agg((extract(epoch FROM history_date) * 1000000)::bigint ORDER BY version) AS since,
       array_agg(version) FILTER (WHERE detail -> 'retired' IS NOT DISTINCT FROM 'true'::jsonb) AS retired
  FROM trader_config_versions WHERE id = ANY (%s) GROUP BY id
"""
_ORDERS = f"""
SELECT DISTINCT ON (trader_id, order_id) trader_id, order_id, config_version
  FROM (SELECT trader_id, config_version, decided_at, action ->> 'order_id' AS order_id
          FROM decision_journal, jsonb_array_elements({items("detail", "actions")}) AS action
         WHERE trader_id = ANY (%s) AND exclusion_id IS NULL AND detail @? '$.actions[*].order_id') j
 WHERE order_id IS NOT NULL ORDER BY trader_id, order_id, decided_at DESC
"""


def attribution(trader_ids: Collection[str]) -> Attribution:
    """Of these traders; one that does not exist has no timeline. Two statements."""
    ids = list(trader_ids)
    orders = {(row.trader_id, row.order_id): row.config_version for row in sql.rows(_ORDERS, [ids])}
    return Attribution(timelines(ids), orders)


def timelines(trader_ids: Collection[str]) -> dict[str, Timeline]:
    """{trader_id: its timeline} of those that exist."""
    found = sql.rows(_TIMELINES, [list(trader_ids)])
    return {row.id: Timeline(tuple(row.since), frozenset(row.retired or ())) for row in found}


def version_at(trader_id: str, ts_ms: int) -> int | None:
    """The configuration's version at a moment; None before the first one."""
    moment = datetime.fromtimestamp(ts_ms / 1000, UTC)
    versions = TraderConfigVersion.objects.filter(id=trader_id, history_date__lte=moment)
    found: int | None = versions.aggregate(newest=Max("version"))["newest"]
    return found
