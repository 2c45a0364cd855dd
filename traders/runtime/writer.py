"""What engines report of their traders. Each write is one statement; one over many rows locks them in order of id."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.db import connection

from traders.models import TraderRuntimeState
from traders.schema import jsonio
from traders.schema.runtime import RuntimeState, TraderBeat

# A version that the trader never had, and one that runs though it is retired, change no row.
_GUARD = """
 WHERE s.trader_id = %(trader_id)s AND c.id = s.trader_id
   AND (%(version)s::int IS NULL
        OR EXISTS (SELECT FROM trader_config_versions v WHERE v.id = c.id AND v.version = %(version)s))
   AND NOT (%(is_running)s IS TRUE AND c.detail -> 'retired' IS NOT DISTINCT FROM 'true'::jsonb)
"""
_REPORT = f"""
UPDATE trader_runtime_state s
   SET active_config_version = %(version)s, is_running = %(is_running)s, updated_at = clock_timestamp(),
       detail = %(detail)s::jsonb || CASE WHEN s.detail ? 'desired'
           THEN jsonb_build_object('desired', s.detail -> 'desired') ELSE jsonb_build_object() END
  FROM trader_config c {_GUARD}
"""
_HEARTBEAT = f"""
UPDATE trader_runtime_state s
   SET active_config_version = coalesce(%(version)s, s.active_config_version),
       is_running = coalesce(%(is_running)s, s.is_running), updated_at = clock_timestamp()
  FROM trader_config c {_GUARD}
"""
# Two engines may send the same traders: rows are locked in one order. The guard is that of a single heartbeat.
_HEARTBEATS = """
WITH beat AS (
    SELECT * FROM unnest(%(trader_ids)s::text[], %(versions)s::int[], %(running)s::bool[])
           AS given (trader_id, version, is_running)
), locked AS (
    SELECT trader_id FROM trader_runtime_state WHERE trader_id = ANY (%(trader_ids)s)
     ORDER BY trader_id FOR NO KEY UPDATE
)
UPDATE trader_runtime_state s
   SET active_config_version = coalesce(beat.version, s.active_config_version),
       is_running = coalesce(beat.is_running, s.is_running), updated_at = clock_timestamp()
  FROM locked JOIN beat USING (trader_id) JOIN trader_config c ON c.id = locked.trader_id
 WHERE s.trader_id = locked.trader_id
   AND (beat.version IS NULL
        OR EXISTS (SELECT FROM trader_config_versions v WHERE v.id = c.id AND v.version = beat.version))
   AND NOT (beat.is_running IS TRUE AND c.detail -> 'retired' IS NOT DISTINCT FROM 'true'::jsonb)
   AND NOT (beat.is_running IS TRUE AND coalesce(beat.version, s.active_config_version) IS NULL)
RETURNING s.trader_id
"""


def report(trader_id: str, *, version: int, is_running: bool, detail: dict[str, Any]) -> bool:
    """Replaces the engine's report but for `desired`. False when no row was changed."""
    return _write(_REPORT, trader_id, version, is_running, detail=jsonio.dumps(detail))


def heartbeat(trader_id: str, *, version: int | None, is_running: bool | None) -> bool:
    """Moves the time of the report; None leaves what stands. False when no row was changed."""
    return _write(_HEARTBEAT, trader_id, version, is_running)


def heartbeats(beats: Sequence[TraderBeat]) -> set[str]:
    """Of traders that are named once each. The traders whose row was changed."""
    given: dict[str, Any] = {
        "trader_ids": [beat.trader_id for beat in beats],
        "versions": [beat.active_config_version for beat in beats],
        "running": [beat.is_running for beat in beats],
    }
    with connection.cursor() as cursor:
        cursor.execute(_HEARTBEATS, given)
        return {trader_id for (trader_id,) in cursor.fetchall()}


def state(trader_id: str) -> RuntimeState | None:
    return states([trader_id]).get(trader_id)


def states(trader_ids: Collection[str]) -> dict[str, RuntimeState]:
    """By trader; without those that do not exist."""
    rows = TraderRuntimeState.objects.select_related("trader").filter(pk__in=trader_ids)
    return {row.trader_id: _state(row) for row in rows}


def _state(row: TraderRuntimeState) -> RuntimeState:
    return RuntimeState(
        trader_id=row.trader_id,
        active_config_version=row.active_config_version,
        is_running=row.is_running,
        detail=as_object(row.detail),
        updated_at=row.updated_at,
        config_version=row.trader.version,
        retired=bool(row.trader.detail.get("retired")),
    )


def as_object(detail: Any) -> dict[str, Any]:
    """What another program stored instead of an object says nothing; `check_record` names the row."""
    return detail if isinstance(detail, dict) else {}


def _write(sql: str, trader_id: str, version: int | None, is_running: bool | None, **more: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"trader_id": trader_id, "version": version, "is_running": is_running, **more})
        return bool(cursor.rowcount)
