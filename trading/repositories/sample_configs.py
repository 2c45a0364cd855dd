"""The configurations of a sample fleet with the past they would have had, and what engines seem to have reported.

The one writer of configurations dates a version by the clock; these lie in the past. Everything that the database
demands of versions holds: they rise by one and in time, and the configuration stands at the last of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from traders.repositories import writer
from traders.repositories.lock import locked_fleet
from traders.schema import jsonio
from trading.sample.fleet import SampleTrader
from trading.sample.runtime import Cooldown, Report
from trading.sample.versions import SampleVersion

_TRADERS = """
INSERT INTO trader_config (id, version, exchange_provider, market_provider, allocation_pct, detail,
                           created_at, updated_at, created_by)
SELECT c ->> 'id', (c ->> 'version')::int, c ->> 'exchange_provider', c ->> 'market_provider',
       (c ->> 'allocation_pct')::numeric, c -> 'detail', (c ->> 'first_at')::timestamptz, (c ->> 'at')::timestamptz,
       'sample'
  FROM (SELECT line::jsonb AS c FROM string_to_table(%s, E'\\n') AS line) l ORDER BY 1
"""
_VERSIONS = """
INSERT INTO trader_config_versions (id, version, exchange_provider, market_provider, allocation_pct, detail,
    created_at, updated_at, created_by, changed_fields, change_set, source,
    history_date, history_change_reason, history_type, history_user_id)
SELECT c ->> 'id', (c ->> 'version')::int, c ->> 'exchange_provider', c ->> 'market_provider',
       (c ->> 'allocation_pct')::numeric, c -> 'detail',
       (c ->> 'first_at')::timestamptz, (c ->> 'at')::timestamptz, 'sample',
       ARRAY(SELECT jsonb_array_elements_text(c -> 'changed_fields')), (c ->> 'change_set')::bigint, c ->> 'source',
       (c ->> 'at')::timestamptz, c ->> 'reason', CASE c ->> 'version' WHEN '1' THEN '+' ELSE '~' END, c ->> 'actor'
  FROM (SELECT line::jsonb AS c FROM string_to_table(%s, E'\\n') AS line) l
 ORDER BY (c ->> 'change_set')::bigint, c ->> 'id'
"""
_REPORT = """
UPDATE trader_runtime_state SET active_config_version = %s, is_running = %s, detail = %s::jsonb, updated_at = %s
 WHERE trader_id = %s
"""
_COOLDOWN = """
INSERT INTO trader_symbol_cooldowns (trader_id, symbol, cooldown_until, detail, created_at)
VALUES (%s, %s, %s, %s::jsonb, %s)
"""


@dataclass(frozen=True)
class Head:
    """What is kept of a trader until the configurations are written."""

    trader_id: str
    versions: Sequence[SampleVersion]
    report: Report | None
    cooldowns: Sequence[Cooldown]

    @classmethod
    def of(cls, trader: SampleTrader) -> Head:
        return cls(trader.id, trader.versions, trader.report(), trader.cooldowns())


def ids() -> list[str]:
    """Of the traders that a sample made."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM trader_config WHERE created_by = 'sample' ORDER BY id")
        return [trader_id for (trader_id,) in cursor.fetchall()]


def write(heads: Sequence[Head]) -> dict[str, int]:
    """{table: rows written}, in the caller's transaction. What was changed together is one change set."""
    versions = [(head.versions[0], version) for head in heads for version in head.versions]
    with locked_fleet():
        sets = _change_sets([version for _, version in versions])
        _insert(_TRADERS, [_row(head.versions[0], head.versions[-1], sets) for head in heads])
        _insert(_VERSIONS, [_row(first, version, sets) for first, version in versions])
        for change_set in sets.values():
            writer.announce(change_set)
        _write_runtime(heads)
    return {"trader_config": len(heads), "trader_config_versions": len(versions)}


def _change_sets(versions: Sequence[SampleVersion]) -> dict[str, int]:
    """{name: number}, rising in time as the change log expects it."""
    in_time = sorted(versions, key=lambda version: (version.at, version.change_set))
    return {name: writer.next_change_set() for name in dict.fromkeys(version.change_set for version in in_time)}


def _row(first: SampleVersion, version: SampleVersion, sets: dict[str, int]) -> dict[str, Any]:
    return version.spec.model_dump() | {
        "version": version.number,
        "changed_fields": version.changed_fields,
        "reason": version.reason,
        "actor": version.actor,
        "source": version.source,
        "change_set": sets[version.change_set],
        "first_at": first.at.isoformat(),
        "at": version.at.isoformat(),
    }


def _insert(statement: str, lines: Sequence[dict[str, Any]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, ["\n".join(jsonio.dumps(line) for line in lines)])


def _write_runtime(heads: Sequence[Head]) -> None:
    """The database made a row for each trader; those that were reported get their report."""
    with connection.cursor() as cursor:
        for head in heads:
            if report := head.report:
                cursor.execute(
                    _REPORT,
                    [
                        *(report.active_version, report.is_running, jsonio.dumps(report.detail), report.at),
                        head.trader_id,
                    ],
                )
            for cooldown in head.cooldowns:
                cursor.execute(
                    _COOLDOWN,
                    [
                        *(head.trader_id, cooldown.symbol, cooldown.until, jsonio.dumps(cooldown.detail)),
                        cooldown.since,
                    ],
                )
