"""Configurations whose versions have moments of their own: a past that this database did not see.

The writer of versions dates a version by the clock, under the fleet's lock. A history that comes with its dates is
written here, in the caller's transaction, which holds that lock. The database checks it as it checks every version: the
numbers rise by one and in time, and each configuration stands at its last version.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from traders.database import sql
from traders.models import ManagerConfig, PromptText, TraderConfig, TraderRuntimeState, TraderSymbolCooldown
from traders.schema import jsonio
from traders.schema.prompts import PromptFile
from traders.schema.settings.fleet import FleetDetail
from traders.schema.settings.trader import TraderSpec
from traders.versioned import VersionFacts

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


CORE_COLUMNS = ("exchange_provider", "market_provider", "allocation_pct", "detail")


@dataclass(frozen=True, slots=True)
class DatedVersion:
    """A version of a trader. `first_at` and `created_by` are the moment and the actor of the trader's version 1."""

    spec: TraderSpec
    number: int
    changed_fields: Sequence[str]
    reason: str
    actor: str
    account_id: int | None
    source: str
    change_set: int
    at: datetime
    first_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class DatedReport:
    """What an engine reported of a trader."""

    trader_id: str
    active_version: int
    is_running: bool
    detail: dict[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class DatedCooldown:
    trader_id: str
    symbol: str
    until: datetime
    detail: dict[str, Any]
    since: datetime


def write_histories(histories: Iterable[Sequence[DatedVersion]]) -> None:
    """Inserts new traders, each with all its versions in order."""
    histories = list(histories)
    _insert(_TRADERS, [_row(history[-1]) for history in histories])
    _insert(_VERSIONS, [_row(version) for history in histories for version in history])


def append_versions(histories: Iterable[Sequence[DatedVersion]]) -> None:
    """Adds later versions of traders that have some, each in order. Created when and by whom stays as it is."""
    histories = list(histories)
    for history in histories:
        stands = TraderConfig.objects.get(pk=history[-1].spec.id)
        history = [
            replace(version, first_at=stands.created_at, created_by=stands.created_by or "") for version in history
        ]
        last = _row(history[-1])
        columns = {name: last[name] for name in ("version", *CORE_COLUMNS)}
        QuerySet(TraderConfig).filter(pk=stands.pk).update(updated_at=history[-1].at, **columns)
        _insert(_VERSIONS, [_row(version) for version in history])


def write_first_settings(
    detail: FleetDetail, *, at: datetime, actor: str, source: str, reason: str, change_set: int
) -> None:
    """Inserts version 1 of the fleet's settings."""
    row = ManagerConfig(detail=detail.model_dump(), version=1, created_at=at, updated_at=at, created_by=actor)
    row.write_version(VersionFacts((), change_set, source, reason, actor, account_id=None, at=at), is_first=True)


def write_prompts(texts: Iterable[tuple[PromptFile, datetime]]) -> None:
    """Stores each text that is not stored yet as first seen at its moment."""
    # `prompt_texts.writer.keep` would say that a text was first seen now.
    rows = [
        PromptText(sha256=text.sha256, path=text.path, version=text.version, body=text.body, first_seen_at=at)
        for text, at in texts
    ]
    PromptText.objects.bulk_create(rows, ignore_conflicts=True)


def write_reports(reports: Iterable[DatedReport]) -> None:
    """Replaces the reports of traders."""
    for report in reports:
        TraderRuntimeState.objects.filter(pk=report.trader_id).update(
            active_config_version=report.active_version,
            is_running=report.is_running,
            detail=report.detail,
            updated_at=report.at,
        )


def write_cooldowns(cooldowns: Iterable[DatedCooldown]) -> None:
    TraderSymbolCooldown.objects.bulk_create(
        TraderSymbolCooldown(
            trader_id=cooldown.trader_id,
            symbol=cooldown.symbol,
            cooldown_until=cooldown.until,
            detail=cooldown.detail,
            created_at=cooldown.since,
        )
        for cooldown in cooldowns
    )


def _row(version: DatedVersion) -> dict[str, Any]:
    return version.spec.model_dump() | {
        "version": version.number,
        "changed_fields": list(version.changed_fields),
        "reason": version.reason,
        "actor": version.actor,
        "account_id": version.account_id,
        "created_by": version.created_by,
        "source": version.source,
        "change_set": version.change_set,
        "first_at": version.first_at.isoformat(),
        "at": version.at.isoformat(),
    }


def _insert(statement: str, lines: Sequence[dict[str, Any]]) -> None:
    sql.execute(statement, ["\n".join(jsonio.dumps(line) for line in lines)])
