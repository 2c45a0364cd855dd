"""What the history says of when each version was valid, and what the journal says of orders."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from django.db.models import Max

from traders.controls import queries as controls
from traders.database import sql
from traders.models import TraderConfigVersion
from traders.versions.rules.in_force import NamedVersion, version_in_force
from trading.record.rules.attribution import Attribution, Timeline
from trading.record.stored.safe_sql import items

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
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
    pins: dict[str, list[tuple[int, int | None]]] = {}
    for row in controls.pins_of(trader_ids):
        pins.setdefault(row.trader_id or "", []).append(((row.at - _EPOCH) // _MICROSECOND, row.version))
    return {
        row.id: Timeline(tuple(row.since), frozenset(row.retired or ()), tuple(pins.get(row.id, ()))) for row in found
    }


def version_at(trader_id: str, ts_ms: int, decision: NamedVersion | None = None) -> int | None:
    """As `version_in_force`, of one trader and moment. What the answer does not depend on is not read."""
    if decision is not None:
        return version_in_force(newest=None, decision=decision)
    moment = _EPOCH + timedelta(milliseconds=ts_ms)
    pinned = controls.pinned_at(trader_id, moment)
    if pinned is not None:
        return version_in_force(newest=None, pinned=pinned)
    versions = TraderConfigVersion.objects.filter(id=trader_id, history_date__lte=moment)
    return version_in_force(newest=versions.aggregate(newest=Max("version"))["newest"])


def is_retired_at(trader_id: str, moment: datetime) -> bool:
    """Whether the newest version of the moment says so."""
    versions = TraderConfigVersion.objects.filter(id=trader_id, history_date__lte=moment).order_by("-version")
    newest = versions.values_list("detail", flat=True).first()
    return isinstance(newest, dict) and newest.get("retired") is True
