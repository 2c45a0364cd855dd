"""The configurations of the sample fleet with the past they would have had, and what engines seem to have reported.

SQL of its own, because the one writer of configurations dates a version by the clock, and these lie in the past.
Everything that the database demands of versions holds: they rise by one and in time, and each configuration stands at
the last of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection

from demo.sample.fleet import SampleTrader
from demo.sample.ledger import STARTING_EQUITY
from demo.sample.plan import RESERVE_PCT
from demo.sample.prompts import all_prompts
from demo.sample.runtime import Cooldown, Report
from demo.sample.versions import FIRST, SampleVersion
from traders.schema import jsonio
from traders.schema.fleet import FleetDetail, ManagerSection, MonitoringSection
from traders.versions import writer
from traders.versions.lock import locked_fleet

_TRADERS = """
INSERT INTO trader_config (id, version, exchange_provider, market_provider, allocation_pct, detail,
                           created_at, updated_at, created_by)
SELECT c ->> 'id', (c ->> 'version')::int, c ->> 'exchange_provider', c ->> 'market_provider',
       (c ->> 'allocation_pct')::numeric, c -> 'detail', (c ->> 'first_at')::timestamptz, (c ->> 'at')::timestamptz,
       c ->> 'created_by'
  FROM (SELECT line::jsonb AS c FROM string_to_table(%s, E'\\n') AS line) l ORDER BY 1
"""
_VERSIONS = """
INSERT INTO trader_config_versions (id, version, exchange_provider, market_provider, allocation_pct, detail,
    created_at, updated_at, created_by, changed_fields, change_set, source, history_date, history_change_reason,
    history_type, history_user_id, account_id)
SELECT c ->> 'id', (c ->> 'version')::int, c ->> 'exchange_provider', c ->> 'market_provider',
       (c ->> 'allocation_pct')::numeric, c -> 'detail',
       (c ->> 'first_at')::timestamptz, (c ->> 'at')::timestamptz, c ->> 'created_by',
       ARRAY(SELECT jsonb_array_elements_text(c -> 'changed_fields')), (c ->> 'change_set')::bigint, c ->> 'source',
       (c ->> 'at')::timestamptz, c ->> 'reason', CASE c ->> 'version' WHEN '1' THEN '+' ELSE '~' END,
       c ->> 'actor', (c ->> 'account_id')::bigint
  FROM (SELECT line::jsonb AS c FROM string_to_table(%s, E'\\n') AS line) l
 ORDER BY (c ->> 'change_set')::bigint, c ->> 'id'
"""
_FLEET = """
WITH given AS (SELECT %(detail)s::jsonb AS detail, %(at)s::timestamptz AS at, %(actor)s::text AS actor),
written AS (
    INSERT INTO manager_config (id, version, detail, created_at, updated_at, created_by)
    SELECT 1, 1, detail, at, at, actor FROM given
)
INSERT INTO manager_config_versions (id, version, detail, created_at, updated_at, created_by, changed_fields,
    change_set, source, history_date, history_change_reason, history_type, history_user_id)
SELECT 1, 1, detail, at, at, actor, '{}', %(change_set)s, %(source)s, at, %(reason)s, '+', actor FROM given
"""
# A text is known from the first version on that names it: prompts.keep would say it was first seen today.
_PROMPTS = """
INSERT INTO prompt_texts (sha256, path, version, body, first_seen_at) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (sha256) DO NOTHING
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


def write(heads: Sequence[Head]) -> dict[str, int]:
    """{table: rows written}, in the caller's transaction. What was changed together is one change set."""
    versions = [(head.versions[0], version) for head in heads for version in head.versions]
    accounts = _accounts({version.actor for _, version in versions})
    with locked_fleet() as fleet:
        sets = _change_sets([version for _, version in versions])
        if fleet.settings is None:
            _write_fleet(heads[0].versions[0], sets[FIRST])
        _write_prompts([version for _, version in versions])
        _insert(_TRADERS, [_row(head.versions[0], head.versions[-1], sets, accounts) for head in heads])
        _insert(_VERSIONS, [_row(first, version, sets, accounts) for first, version in versions])
        _write_runtime(heads)
    return {"trader_config": len(heads), "trader_config_versions": len(versions)}


def fleet_detail(allocation_pct: Decimal) -> FleetDetail:
    """The fleet's settings. Its equity is such that each trader's share is what the trader began with."""
    return FleetDetail(
        manager=ManagerSection(
            total_equity_usd=round(STARTING_EQUITY * 100 / allocation_pct, 2),
            reserve_equity_pct=RESERVE_PCT,
            allocation_strategy="equal_shares",
            rebalance_interval_seconds=7200,
            state_storage_backend="file",
            state_storage_path="../data/manager_state.json",
        ),
        monitoring=MonitoringSection(update_interval_seconds=30, metrics_exporter="prometheus"),
    )


def _write_fleet(first: SampleVersion, change_set: int) -> None:
    """On the traders' first day, so that the fleet can be looked at, exported and restored as of any day since."""
    with connection.cursor() as cursor:
        cursor.execute(
            _FLEET,
            {
                "detail": jsonio.dumps(fleet_detail(first.spec.allocation_pct).model_dump()),
                "at": first.at,
                "actor": first.actor,
                "change_set": change_set,
                "source": first.source,
                "reason": first.reason,
            },
        )


def _write_prompts(versions: Sequence[SampleVersion]) -> None:
    since: dict[str, datetime] = {}
    for version in versions:
        prompts = version.spec.detail.prompts
        for digest in filter(None, (prompts.system_sha256, prompts.executor_sha256)):
            since[digest] = min(since.get(digest, version.at), version.at)
    texts = all_prompts()
    with connection.cursor() as cursor:
        cursor.executemany(
            _PROMPTS,
            [
                (digest, texts[digest].path, texts[digest].version, texts[digest].body, at)
                for digest, at in sorted(since.items())
            ],
        )


def _accounts(names: set[str]) -> dict[str, int]:
    """{name: id} of those actors that have an account."""
    return dict(get_user_model().objects.filter(username__in=names).values_list("username", "pk"))


def _change_sets(versions: Sequence[SampleVersion]) -> dict[str, int]:
    """{name: number}, rising in time as the change log expects it."""
    in_time = sorted(versions, key=lambda version: (version.at, version.change_set))
    return {name: writer.next_change_set() for name in dict.fromkeys(version.change_set for version in in_time)}


def _row(
    first: SampleVersion, version: SampleVersion, sets: Mapping[str, int], accounts: Mapping[str, int]
) -> dict[str, Any]:
    return version.spec.model_dump() | {
        "version": version.number,
        "changed_fields": version.changed_fields,
        "reason": version.reason,
        "actor": version.actor,
        "account_id": accounts.get(version.actor),
        "created_by": first.actor,
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
