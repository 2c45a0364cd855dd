"""Writes config rows with their versions: one configuration by its model, many traders in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError
from psycopg.errors import UniqueViolation

from traders.database import sql
from traders.models import ManagerConfig, TraderConfig
from traders.schema import jsonio
from traders.schema.actors import account_id_of
from traders.schema.messages import _
from traders.schema.settings.stored import NewVersion, SavedVersion
from traders.versioned import VersionFacts
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

# Ten thousand configurations are sorted and joined here; the default of 4 MB would do that on disk.
_MEMORY = "SET LOCAL work_mem = '64MB'"


def next_change_set() -> int:
    return int(sql.value("SELECT nextval('config_change_set_seq')"))


def moment_of(change_set: int | None) -> tuple[int, datetime]:
    """A change set, a new one for None, and the database's clock, which goes on inside a transaction.

    Call it under the fleet's lock: a moment from before the wait could lie before that of the version waited for.
    """
    given = "%(change_set)s::bigint" if change_set else "nextval('config_change_set_seq')"
    (row,) = sql.rows(f"SELECT {given} AS change_set, clock_timestamp() AS at", {"change_set": change_set})
    return row.change_set, row.at


def write_one(
    row: TraderConfig | ManagerConfig,
    version: NewVersion,
    *,
    stands: TraderConfig | ManagerConfig | None,
    change_set: int | None,
    source: str,
    actor: str,
) -> SavedVersion:
    """Saves `row` as this version. `stands` is what is stored, read under the fleet's lock; None for a new one.
    `change_set` None begins a new one.

    Raises ConcurrentChange when the row is not at the version its new one follows.
    """
    change_set, at = moment_of(change_set)
    if stands is None:
        row.created_at, row.created_by = at, str(actor)
    elif stands.version == version.follows:
        at = max(at, stands.updated_at + timedelta(microseconds=1))
        row.created_at, row.created_by = stands.created_at, stands.created_by
    else:
        _require_all(0, [version])
    for name, value in version.snapshot.items():
        setattr(row, name, value)
    row.version, row.updated_at = version.follows + 1, at
    facts = VersionFacts(
        version.changed_fields, change_set, source, version.reason, str(actor), account_id_of(actor), at
    )
    try:
        row.write_version(facts, is_first=stands is None)
    except DatabaseError as error:
        if _is_concurrent(error):
            _require_all(0, [version])
        raise
    return SavedVersion(version.config_id, row.version, at, change_set)


def _is_concurrent(error: DatabaseError) -> bool:
    """Django's own error for an UPDATE that found no row has no cause; a second INSERT breaks the primary key."""
    cause = error.__cause__
    if cause is None:
        return type(error) is DatabaseError
    return isinstance(cause, UniqueViolation) and str(cause.diag.constraint_name).endswith("_pkey")


def write_traders(versions: Sequence[NewVersion], *, change_set: int, source: str, actor: str) -> list[SavedVersion]:
    """Raises ConcurrentChange when a trader is not at the version its new one follows."""
    sql.execute(_MEMORY)
    written = sql.rows(
        _TRADERS,
        {
            # Validated, so the fast writer is right: the exact one takes five times as long, for ten thousand traders.
            "lines": "\n".join(jsonio.dumps_finite(_row(version)) for version in versions),
            "change_set": change_set,
            "source": source,
            "actor": actor,
            "account_id": account_id_of(actor),
        },
    )
    saved = [SavedVersion(row.id, row.version, row.history_date, change_set) for row in written]
    _require_all(len(saved), versions)
    return saved


def _row(version: NewVersion) -> dict[str, Any]:
    return version.snapshot | {
        "version": version.follows + 1,
        "changed_fields": version.changed_fields,
        "reason": version.reason,
    }


def _require_all(written: int, versions: Sequence[NewVersion]) -> None:
    if written != len(versions):
        raise ConcurrentChange(
            _(
                "%(count)s of %(count2)s configurations changed meanwhile; nothing was written",
                count=len(versions) - written,
                count2=len(versions),
            )
        )
