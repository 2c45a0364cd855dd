"""What the file declared at the last sync (`yaml_base`), and the conflicts that wait for an operator."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from django.db.models.fields.json import KT

from traders.database import sql
from traders.models import MISSING, SyncConflict, YamlBase
from traders.schema import jsonio
from traders.schema.paths import ABSENT, Flat, flatten
from traders.schema.settings.fleet import FLEET_ID

# By value, as jsonb compares. A base of an older release may differ in shape alone: callers compare path by path.
_DRIFT = """
SELECT c.id FROM yaml_base b JOIN trader_config c ON c.id = b.trader_id
 WHERE b.declared_digest <> %(missing)s AND NOT c.retired
   AND (b.declared -> 'detail' IS DISTINCT FROM c.detail
        OR b.declared -> 'allocation_pct' IS DISTINCT FROM to_jsonb(c.allocation_pct)
        OR b.declared ->> 'exchange_provider' IS DISTINCT FROM c.exchange_provider
        OR b.declared ->> 'market_provider' IS DISTINCT FROM c.market_provider)
UNION ALL
SELECT b.trader_id FROM yaml_base b, manager_config m
 WHERE b.trader_id = %(fleet)s AND b.declared -> 'detail' IS DISTINCT FROM m.detail
"""
_REPLACE = """
ON CONFLICT (trader_id) DO UPDATE
   SET declared = EXCLUDED.declared, declared_digest = EXCLUDED.declared_digest,
       file_sha256 = EXCLUDED.file_sha256, synced_at = EXCLUDED.synced_at
"""


@dataclass(frozen=True, slots=True)
class Base:
    """`declared` is nested like a snapshot; `digest` is "" while conflicts are open: the next sync looks again."""

    config_id: str
    declared: dict[str, Any]
    digest: str
    file_sha256: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """A sync conflict that waits: the path of one configuration, and the file's values before and now."""

    config_id: str
    path: str
    base: Any
    file: Any
    file_sha256: str
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LastSync:
    file_sha256: str
    synced_at: datetime


@dataclass(frozen=True, slots=True)
class DeclaredNames:
    """`flat` holds the paths of providers and model, `prompts` the (path, digest) of each prompt."""

    flat: Flat
    prompts: tuple[tuple[str, str | None], ...]


def digests() -> dict[str, str]:
    """{config_id: digest of the file's declaration} of all configurations that were ever synced."""
    return dict(YamlBase.objects.values_list("trader_id", "declared_digest"))


def declared(config_ids: Collection[str]) -> dict[str, Flat]:
    """{config_id: the file's declaration, by dotted path}."""
    rows = YamlBase.objects.filter(pk__in=config_ids).values_list("trader_id", "declared")
    return {config_id: flatten(nested) for config_id, nested in rows}


def suspected_of_drift() -> list[str]:
    """Configurations whose stored row is not what the file declared."""
    return [str(name) for name in sql.values(_DRIFT, {"missing": MISSING, "fleet": FLEET_ID})]


def last_sync() -> LastSync | None:
    row = YamlBase.objects.filter(pk=FLEET_ID).values_list("file_sha256", "synced_at").first()
    return LastSync(*row) if row else None


def moved_since(moment: datetime) -> bool:
    """Whether any base was written after `moment`."""
    return YamlBase.objects.filter(synced_at__gt=moment).exists()


def declared_names() -> list[DeclaredNames]:
    """The names that the traders of the synced file use, each combination once."""
    names = ("exchange_provider", "market_provider", "detail.llm.model")
    prompts = [
        tuple(f"detail.prompts.{role}_{part}" for part in ("template", "sha256")) for role in ("system", "executor")
    ]
    texts = {path.replace(".", "__"): KT(f"declared__{path.replace('.', '__')}") for path in (*names, *chain(*prompts))}
    synced = YamlBase.objects.exclude(pk=FLEET_ID).exclude(declared_digest=MISSING)
    rows: Any = synced.order_by().values(**texts).distinct()
    return [
        DeclaredNames(
            {path: row[path.replace(".", "__")] for path in names},
            tuple((row[template.replace(".", "__")], row[sha256.replace(".", "__")]) for template, sha256 in prompts),
        )
        for row in rows
    ]


def count() -> int:
    """Bases of the fleet and of traders, missing ones included."""
    return YamlBase.objects.count()


def missing() -> list[str]:
    """Marks traders that the last synced file did not have."""
    return list(YamlBase.objects.filter(declared_digest=MISSING).values_list("pk", flat=True))


def put(bases: Sequence[Base]) -> None:
    """Inserts or replaces bases, in one statement."""
    if not bases:
        return
    sql.execute(
        f"""
        WITH new AS MATERIALIZED (SELECT line::jsonb AS base FROM string_to_table(%s, E'\\n') AS line)
        INSERT INTO yaml_base (trader_id, declared, declared_digest, file_sha256, synced_at)
        SELECT base ->> 'config_id', base -> 'declared', base ->> 'digest', base ->> 'file_sha256',
               clock_timestamp()
          FROM new
        {_REPLACE}
        """,
        ["\n".join(jsonio.dumps(_row(base)) for base in bases)],
    )


def put_as_stored(trader_ids: Sequence[str], digests: Sequence[str], file_sha256: str) -> None:
    """Writes the bases of traders that equal the file: copied inside the database."""
    if not trader_ids:
        return
    sql.execute(
        f"""
        INSERT INTO yaml_base (trader_id, declared, declared_digest, file_sha256, synced_at)
        SELECT id,
               jsonb_build_object('exchange_provider', exchange_provider, 'market_provider', market_provider,
                                  'allocation_pct', allocation_pct, 'detail', detail),
               digest, %s, clock_timestamp()
          FROM unnest(%s::text[], %s::text[]) AS n(id, digest) JOIN trader_config USING (id)
        {_REPLACE}
        """,
        [file_sha256, list(trader_ids), list(digests)],
    )


def _row(base: Base) -> dict[str, Any]:
    return {name: getattr(base, name) for name in ("config_id", "declared", "digest", "file_sha256")}


def mark_missing(trader_ids: Collection[str]) -> None:
    YamlBase.objects.filter(pk__in=trader_ids).exclude(declared_digest=MISSING).update(declared_digest=MISSING)


def conflicts(config_ids: Collection[str] | None = None) -> list[Conflict]:
    """The open conflicts, of these configurations or of all, by configuration and path."""
    found = SyncConflict.objects.order_by("config_id", "path")
    if config_ids is not None:
        found = found.filter(config_id__in=config_ids)
    return [
        Conflict(
            row.config_id,
            row.path,
            row.declared.get("base", ABSENT),
            row.declared.get("file", ABSENT),
            row.file_sha256,
            row.seen_at,
        )
        for row in found
    ]


def count_of_conflicts() -> int:
    return SyncConflict.objects.count()


def replace_conflicts(config_ids: Collection[str], now_open: Iterable[Conflict]) -> None:
    """Replaces the open conflicts of these configurations; a conflict that was open before keeps its date."""
    now_open = list(now_open)
    if not now_open and not SyncConflict.objects.exists():
        return
    closed = SyncConflict.objects.filter(config_id__in=list(config_ids))
    closed.exclude(pk__in=[(conflict.config_id, conflict.path) for conflict in now_open]).delete()
    SyncConflict.objects.bulk_create(
        [
            SyncConflict(
                config_id=conflict.config_id,
                path=conflict.path,
                declared=_sides(conflict),
                file_sha256=conflict.file_sha256,
            )
            for conflict in now_open
        ],
        update_conflicts=True,
        unique_fields=["config_id", "path"],
        update_fields=["declared", "file_sha256"],
    )


def _sides(conflict: Conflict) -> dict[str, Any]:
    sides = {"base": conflict.base, "file": conflict.file}
    return {name: value for name, value in sides.items() if value is not ABSENT}
