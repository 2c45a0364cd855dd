"""What the history says of when each version was valid, and what the journal says of orders."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from django.db import connection

from trading.record.rules.attribution import Attribution, Timeline
from trading.record.stored.safe_sql import items

_TIMELINES = """
SELECT id, array_agg((extract(epoch FROM history_date) * 1000000)::bigint ORDER BY version),
       array_agg(version) FILTER (WHERE detail -> 'retired' IS NOT DISTINCT FROM 'true'::jsonb)
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
    with connection.cursor() as cursor:
        cursor.execute(_ORDERS, [ids])
        orders = {(name, order): version for name, order, version in cursor.fetchall()}
    return Attribution(timelines(ids), orders)


def timelines(trader_ids: Collection[str]) -> dict[str, Timeline]:
    """{trader_id: its timeline} of those that exist."""
    with connection.cursor() as cursor:
        cursor.execute(_TIMELINES, [list(trader_ids)])
        return {name: Timeline(tuple(since), frozenset(retired or ())) for name, since, retired in cursor.fetchall()}


def version_at(trader_id: str, ts_ms: int) -> int | None:
    """The configuration's version at a moment; None before the first one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(version) FROM trader_config_versions WHERE id = %s AND history_date <= %s",
            [trader_id, datetime.fromtimestamp(ts_ms / 1000, UTC)],
        )
        ((version,),) = cursor.fetchall()
    return None if version is None else int(version)
