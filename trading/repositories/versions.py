"""What the history says of when each version was valid, and what the journal says of orders."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from django.db import connection

from trading.rules.attribution import Attribution, Timeline

_TIMELINES = """
SELECT id, array_agg((extract(epoch FROM history_date) * 1000000)::bigint ORDER BY version),
       CASE WHEN (array_agg(detail -> 'retired' IS NOT DISTINCT FROM 'true'::jsonb ORDER BY version DESC))[1]
            THEN (extract(epoch FROM min(history_date) FILTER (WHERE retired_run = 0)) * 1000000)::bigint END
  FROM (SELECT *, count(*) FILTER (WHERE detail -> 'retired' IS DISTINCT FROM 'true'::jsonb)
                      OVER (PARTITION BY id ORDER BY version DESC) AS retired_run
          FROM trader_config_versions WHERE id = ANY (%s)) v
 GROUP BY id
"""
_ORDERS = """
SELECT DISTINCT ON (trader_id, order_id) trader_id, order_id, config_version
  FROM (SELECT trader_id, config_version, decided_at, action ->> 'order_id' AS order_id
          FROM decision_journal, jsonb_array_elements(detail -> 'actions') AS action
         WHERE trader_id = ANY (%s) AND detail @? '$.actions[*].order_id') j
 WHERE order_id IS NOT NULL ORDER BY trader_id, order_id, decided_at DESC
"""


def attribution(trader_ids: Collection[str]) -> Attribution:
    """Of these traders; one that does not exist has no timeline. Two statements."""
    ids = list(trader_ids)
    with connection.cursor() as cursor:
        cursor.execute(_TIMELINES, [ids])
        timelines = {name: Timeline(tuple(since), retired) for name, since, retired in cursor.fetchall()}
        cursor.execute(_ORDERS, [ids])
        orders = {(name, order): version for name, order, version in cursor.fetchall()}
    return Attribution(timelines, orders)


def version_at(trader_id: str, ts_ms: int) -> int | None:
    """The configuration's version at a moment; None before the first one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(version) FROM trader_config_versions WHERE id = %s AND history_date <= %s",
            [trader_id, datetime.fromtimestamp(ts_ms / 1000, UTC)],
        )
        ((version,),) = cursor.fetchall()
    return None if version is None else int(version)
