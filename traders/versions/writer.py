"""Writes config rows and their history rows: one statement a table, however many traders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection

from traders.schema import jsonio
from traders.schema.actors import account_id_of
from traders.schema.messages import _
from traders.schema.settings.stored import NewVersion, SavedVersion
from traders.versions.rules.errors import ConcurrentChange

# One parameter of JSON lines: an array of texts would be escaped twice, which takes longer than the rest.
# clock_timestamp(), not NOW(): a version written after waiting for a lock would be dated before the one it
# waited for. The WHERE lets a row through only when it still stands at the version that this one follows.
_TRADERS = """
WITH moment AS MATERIALIZED (SELECT clock_timestamp() AS at),
new AS MATERIALIZED (
    SELECT line::jsonb AS config FROM string_to_table(%(lines)s, E'\\n') AS line
),
written AS (
    INSERT INTO trader_config AS c (id, version, exchange_provider, market_provider, allocation_pct, detail,
                                    created_at, updated_at, created_by)
    SELECT config ->> 'id', (config ->> 'version')::int, config ->> 'exchange_provider',
           config ->> 'market_provider', (config ->> 'allocation_pct')::numeric, config -> 'detail',
           at, at, %(actor)s
      FROM new, moment ORDER BY config ->> 'id'
    ON CONFLICT (id) DO UPDATE
       SET version = EXCLUDED.version, exchange_provider = EXCLUDED.exchange_provider,
           market_provider = EXCLUDED.market_provider, allocation_pct = EXCLUDED.allocation_pct,
           detail = EXCLUDED.detail,
           updated_at = greatest(EXCLUDED.updated_at, c.updated_at + interval '1 microsecond')
     WHERE c.version = EXCLUDED.version - 1
    RETURNING c.*
)
INSERT INTO trader_config_versions (id, version, exchange_provider, market_provider, allocation_pct, detail,
    created_at, updated_at, created_by, changed_fields, change_set, source,
    history_date, history_change_reason, history_type, history_user_id, account_id)
SELECT w.id, w.version, w.exchange_provider, w.market_provider, w.allocation_pct, w.detail,
       w.created_at, w.updated_at, w.created_by,
       ARRAY(SELECT jsonb_array_elements_text(config -> 'changed_fields')), %(change_set)s, %(source)s,
       w.updated_at, config ->> 'reason', CASE WHEN w.version = 1 THEN '+' ELSE '~' END, %(actor)s,
       %(account_id)s::bigint
  FROM written w JOIN new ON config ->> 'id' = w.id
RETURNING id, version, history_date
"""

_FLEET = """
WITH written AS (
    INSERT INTO manager_config AS c (id, version, detail, created_at, updated_at, created_by)
    SELECT 1, %(version)s, %(detail)s::jsonb, at, at, %(actor)s FROM clock_timestamp() AS at
    ON CONFLICT (id) DO UPDATE
       SET version = EXCLUDED.version, detail = EXCLUDED.detail,
           updated_at = greatest(EXCLUDED.updated_at, c.updated_at + interval '1 microsecond')
     WHERE c.version = EXCLUDED.version - 1
    RETURNING c.*
)
INSERT INTO manager_config_versions (id, version, detail, created_at, updated_at, created_by,
    changed_fields, change_set, source, history_date, history_change_reason, history_type, history_user_id, account_id)
SELECT id, version, detail, created_at, updated_at, created_by, %(changed)s::text[], %(change_set)s, %(source)s,
       updated_at, %(reason)s, CASE WHEN version = 1 THEN '+' ELSE '~' END, %(actor)s,
       %(account_id)s::bigint
  FROM written
RETURNING version, history_date
"""

# Ten thousand configurations are sorted and joined here; the default of 4 MB would do that on disk.
_MEMORY = "SET LOCAL work_mem = '64MB'"


def next_change_set() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('config_change_set_seq')")
        row = cursor.fetchone()
    return int(row[0])


def write_traders(versions: Sequence[NewVersion], *, change_set: int, source: str, actor: str) -> list[SavedVersion]:
    """Raises ConcurrentChange when a trader is not at the version its new one follows."""
    with connection.cursor() as cursor:
        cursor.execute(_MEMORY)
        cursor.execute(
            _TRADERS,
            {
                "lines": "\n".join(jsonio.dumps(_row(version)) for version in versions),
                "change_set": change_set,
                "source": source,
                "actor": actor,
                "account_id": account_id_of(actor),
            },
        )
        saved = [SavedVersion(name, version, at, change_set) for name, version, at in cursor.fetchall()]
    _require_all(len(saved), versions)
    return saved


def _row(version: NewVersion) -> dict[str, Any]:
    return version.snapshot | {
        "version": version.follows + 1,
        "changed_fields": version.changed_fields,
        "reason": version.reason,
    }


def write_fleet(version: NewVersion, *, change_set: int, source: str, actor: str) -> SavedVersion:
    """Raises ConcurrentChange as `write_traders` does."""
    with connection.cursor() as cursor:
        cursor.execute(
            _FLEET,
            {
                "version": version.follows + 1,
                "detail": jsonio.dumps(version.snapshot["detail"]),
                "changed": version.changed_fields,
                "reason": version.reason,
                "change_set": change_set,
                "source": source,
                "actor": actor,
                "account_id": account_id_of(actor),
            },
        )
        rows = cursor.fetchall()
    _require_all(len(rows), [version])
    ((number, at),) = rows
    return SavedVersion(version.config_id, number, at, change_set)


def _require_all(written: int, versions: Sequence[NewVersion]) -> None:
    if written != len(versions):
        raise ConcurrentChange(
            _(
                "%(count)s of %(count2)s configurations changed meanwhile; nothing was written",
                count=len(versions) - written,
                count2=len(versions),
            )
        )
