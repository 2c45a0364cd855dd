"""What proves that two databases hold the same rows."""

from __future__ import annotations

from collections.abc import Collection

from nof0site.backup.archive import TableProof
from traders.database import sql

NOT_KEPT = ("account_sessions", "django_session")
"""Their rows stay out of a backup: a session that was ended since must not come back with it."""

# How rows are written as text depends on these, so both sides set them.
AS_TEXT = "SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO'; SET LOCAL extra_float_digits = 1"
# 60 bits of each row's MD5, summed in any order. MD5 is no protection here, the digests of the archive are.
PROOF = "count(*) AS rows, coalesce(sum(('x' || left(md5(t::text), 15))::bit(60)::bigint::numeric), 0)::text AS digest"
_TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'public' AND c.relkind = 'r' ORDER BY c.relname
"""


def tables() -> list[str]:
    return [str(name) for name in sql.values(_TABLES)]


def proofs(of: Collection[str] | None = None) -> dict[str, TableProof]:
    """Of these tables, or of every one that a backup keeps. Reads all rows once. In the caller's transaction."""
    sql.execute(AS_TEXT)
    found = {}
    for table in tables() if of is None else of:
        if table not in NOT_KEPT:
            [row] = sql.rows(f'SELECT {PROOF} FROM public."{table}" t')
            found[table] = TableProof(row.rows, row.digest)
    return found
