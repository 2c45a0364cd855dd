"""What engines report of their traders. Each write is one statement; one over many rows locks them in order of id."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.db import connection

from traders.controls import facts
from traders.database.sql import values
from traders.models import TraderConfig, TraderRuntimeState
from traders.schema import jsonio
from traders.schema.runtime import ANSWERED, RuntimeState, TraderBeat

# A version that the trader never had, and one that runs though it is retired and has nothing open, change no row.
_GUARD = """
 WHERE s.trader_id = %(trader_id)s AND c.id = s.trader_id
   AND (%(version)s::int IS NULL
        OR EXISTS (SELECT FROM trader_config_versions v WHERE v.id = c.id AND v.version = %(version)s))
   AND NOT (%(is_running)s IS TRUE AND c.retired AND NOT c.id = ANY (%(not_flat)s))
"""
_ANSWERED = f"jsonb_build_object('{ANSWERED}', true)"
_REPORT = f"""
UPDATE trader_runtime_state s
   SET active_config_version = %(version)s, is_running = %(is_running)s, updated_at = clock_timestamp(),
       detail = %(detail)s::jsonb || {_ANSWERED} || CASE WHEN s.detail ? 'desired'
           THEN jsonb_build_object('desired', s.detail -> 'desired') ELSE jsonb_build_object() END
  FROM trader_config c {_GUARD}
"""
# What another program stored instead of an object is left alone.
_SAID = f"""CASE WHEN jsonb_typeof(s.detail) = 'object'
            THEN s.detail || {_ANSWERED} || CASE WHEN {{extra}} IS NOT NULL THEN jsonb_build_object('extra', {{extra}})
                 ELSE jsonb_build_object() END
            ELSE s.detail END"""
_HEARTBEAT = f"""
UPDATE trader_runtime_state s
   SET active_config_version = coalesce(%(version)s, s.active_config_version),
       is_running = coalesce(%(is_running)s, s.is_running), updated_at = clock_timestamp(),
       detail = {_SAID.format(extra="%(extra)s::jsonb")}
  FROM trader_config c {_GUARD}
"""
# Two engines may send the same traders: rows are locked in one order. The guard is that of a single heartbeat.
_HEARTBEATS = f"""
WITH beat AS (
    SELECT * FROM unnest(%(trader_ids)s::text[], %(versions)s::int[], %(running)s::bool[], %(extras)s::text[])
           AS given (trader_id, version, is_running, extra)
), locked AS (
    SELECT trader_id FROM trader_runtime_state WHERE trader_id = ANY (%(trader_ids)s)
     ORDER BY trader_id FOR NO KEY UPDATE
)
UPDATE trader_runtime_state s
   SET active_config_version = coalesce(beat.version, s.active_config_version),
       is_running = coalesce(beat.is_running, s.is_running), updated_at = clock_timestamp(),
       detail = {_SAID.format(extra="beat.extra::jsonb")}
  FROM locked JOIN beat USING (trader_id) JOIN trader_config c ON c.id = locked.trader_id
 WHERE s.trader_id = locked.trader_id
   AND (beat.version IS NULL
        OR EXISTS (SELECT FROM trader_config_versions v WHERE v.id = c.id AND v.version = beat.version))
   AND NOT (beat.is_running IS TRUE AND c.retired AND NOT c.id = ANY (%(not_flat)s))
   AND NOT (beat.is_running IS TRUE AND coalesce(beat.version, s.active_config_version) IS NULL)
RETURNING s.trader_id
"""


def report(
    trader_id: str, *, version: int, is_running: bool, detail: dict[str, Any], is_flat: bool | None = None
) -> bool:
    """Replaces the engine's report but for `desired`. False when no row was changed. `is_flat` where the caller knows
    whether the trader holds anything."""
    not_flat = None if is_flat is None else [] if is_flat else [trader_id]
    return _write(_REPORT, trader_id, version, is_running, not_flat, detail=jsonio.dumps(detail))


def heartbeat(
    trader_id: str, *, version: int | None, is_running: bool | None, extra: dict[str, Any] | None = None
) -> bool:
    """Moves the time of the report; None leaves what stands. False when no row was changed."""
    return _write(_HEARTBEAT, trader_id, version, is_running, extra=_json(extra))


def heartbeats(beats: Sequence[TraderBeat]) -> set[str]:
    """Of traders that are named once each. The traders whose row was changed."""
    given: dict[str, Any] = {
        "trader_ids": [beat.trader_id for beat in beats],
        "versions": [beat.active_config_version for beat in beats],
        "running": [beat.is_running for beat in beats],
        "extras": [_json(beat.extra) for beat in beats],
        "not_flat": _not_flat([beat.trader_id for beat in beats if beat.is_running]),
    }
    return set(values(_HEARTBEATS, given))


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
        detail={name: value for name, value in as_object(row.detail).items() if name != ANSWERED},
        updated_at=row.updated_at,
        config_version=row.trader.version,
        retired=row.trader.retired,
    )


def as_object(detail: Any) -> dict[str, Any]:
    """What another program stored instead of an object says nothing; `check_record` names the row."""
    return detail if isinstance(detail, dict) else {}


def _json(extra: dict[str, Any] | None) -> str | None:
    return None if extra is None else jsonio.dumps(extra)


def _write(
    sql: str,
    trader_id: str,
    version: int | None,
    is_running: bool | None,
    not_flat: list[str] | None = None,
    **more: str | None,
) -> bool:
    with connection.cursor() as cursor:
        if not_flat is None:
            not_flat = _not_flat([trader_id] if is_running else [])
        given = {"trader_id": trader_id, "version": version, "is_running": is_running, "not_flat": not_flat}
        cursor.execute(sql, {**given, **more})
        return bool(cursor.rowcount)


def _not_flat(trader_ids: Collection[str]) -> list[str]:
    """The retired of these that still have an open position: their engine goes on until it is closed."""
    if not trader_ids:
        return []
    retired = TraderConfig.objects.filter(pk__in=list(trader_ids), retired=True).values_list("pk", flat=True)
    held = facts.open_positions(list(retired)) or {}
    return [trader_id for trader_id, positions in held.items() if positions]
