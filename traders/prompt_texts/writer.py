"""The texts of prompts, stored permanently under the digest of their bytes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from traders.database import sql
from traders.models import MISSING, PromptText, TraderConfigVersion
from traders.schema.prompts import PromptFile

# One row for each prompt of each trader. A trader whose prompt the last sync took from another file, or from none,
# has no `declared`.
_USES = """
SELECT c.id, p.path, p.sha256,
       CASE WHEN b.declared_digest <> %(missing)s AND p.declared_path = p.path THEN p.declared END AS declared
  FROM trader_config c
  LEFT JOIN yaml_base b ON b.trader_id = c.id
 CROSS JOIN LATERAL (VALUES
       (c.detail #>> '{prompts,system_template}', c.detail #>> '{prompts,system_sha256}',
        b.declared #>> '{detail,prompts,system_template}', b.declared #>> '{detail,prompts,system_sha256}'),
       (c.detail #>> '{prompts,executor_template}', c.detail #>> '{prompts,executor_sha256}',
        b.declared #>> '{detail,prompts,executor_template}', b.declared #>> '{detail,prompts,executor_sha256}')
       ) AS p (path, sha256, declared_path, declared)
 WHERE p.sha256 IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class PromptUse:
    """How many traders use a text as the prompt `path`. `declared` is the digest that the last sync found in that
    file for them; None where it took their prompt from elsewhere."""

    path: str
    sha256: str
    declared: str | None
    traders: int


def was_used_by(sha256: str, trader_ids: Collection[str]) -> bool:
    """Whether some version of these traders names the text."""
    named = Q(detail__prompts__system_sha256=sha256) | Q(detail__prompts__executor_sha256=sha256)
    return bool(TraderConfigVersion.objects.filter(named, id__in=list(trader_ids)).exists())


def is_named(sha256: str, path: Any) -> bool:
    """Whether some version of some trader names the text by this path: two files may hold the same text."""
    named = Q(detail__prompts__system_sha256=sha256, detail__prompts__system_template=path)
    named |= Q(detail__prompts__executor_sha256=sha256, detail__prompts__executor_template=path)
    return bool(TraderConfigVersion.objects.filter(named).exists())


def keep(prompts: Iterable[PromptFile]) -> None:
    """Stores the texts not yet stored, in one statement. Call inside the transaction that uses them."""
    rows = [PromptText(sha256=one.sha256, path=one.path, version=one.version, body=one.body) for one in prompts]
    # In one order, so that two writers of the same texts do not wait for each other.
    PromptText.objects.bulk_create(sorted(rows, key=lambda row: row.sha256), ignore_conflicts=True)


def texts(digests: Collection[str]) -> dict[str, PromptFile]:
    """{sha256: text} of those stored."""
    return {
        row.sha256: PromptFile(row.sha256, row.path, row.version, row.body)
        for row in PromptText.objects.filter(sha256__in=digests)
    }


def latest_of(path: str) -> PromptFile | None:
    """The text stored last under this path."""
    row = PromptText.objects.filter(path=path).order_by("-first_seen_at", "sha256").first()
    return PromptFile(row.sha256, row.path, row.version, row.body) if row else None


def known() -> list[PromptFile]:
    """All texts without their bodies, newest first."""
    found = PromptText.objects.order_by("-first_seen_at", "path").values_list("sha256", "path", "version")
    return [PromptFile(sha256, path, version, "") for sha256, path, version in found]


def uses(digests: Collection[str] | None = None) -> list[PromptUse]:
    """Of these texts, or of all, in order of path."""
    return sql.rows_as(
        PromptUse,
        f"""
        SELECT path, sha256, declared, count(DISTINCT id) AS traders FROM ({_USES}) u
         WHERE %(digests)s::text[] IS NULL OR sha256 = ANY (%(digests)s)
         GROUP BY path, sha256, declared ORDER BY path, sha256, declared
        """,
        {"missing": MISSING, "digests": None if digests is None else list(digests)},
    )


def users(path: str, sha256: str) -> list[str]:
    """The ids of the traders that use the text as the prompt `path`."""
    return sql.values(
        f"SELECT DISTINCT id FROM ({_USES}) u WHERE path = %(path)s AND sha256 = %(sha256)s ORDER BY id",
        {"missing": MISSING, "path": path, "sha256": sha256},
    )
