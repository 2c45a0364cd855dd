"""What the database says of a role. Reads only."""

from __future__ import annotations

from typing import Any

from traders.database import sql

_ROLE = """
SELECT r.rolname AS name, r.rolsuper AS is_superuser,
       ARRAY(SELECT DISTINCT c.relname::text FROM pg_class c
              WHERE c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid) AND c.relname = ANY (%(tables)s)
                AND pg_has_role(r.oid, c.relowner, 'MEMBER') ORDER BY 1) AS owned
  FROM pg_roles r WHERE r.rolname = %(role)s
"""
_SCHEMA = "SELECT current_schema() AS schema, current_database() AS database, current_user AS me"
# What an application of its own role still may do of what the rules refuse.
_LEFT = """
SELECT t.name AS table, p.name AS privilege
  FROM unnest(%(tables)s::text[]) AS t (name) CROSS JOIN unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) AS p (name)
 WHERE has_table_privilege(%(role)s, t.name, p.name) ORDER BY 1, 2
"""


def role(name: str, tables: list[str]) -> Any:
    """(name, is_superuser, owned): `owned` are the tables that it owns, or whose owner it is a member of. None where
    there is no such role."""
    found = sql.rows(_ROLE, {"role": name, "tables": tables})
    return found[0] if found else None


def place() -> Any:
    """(schema, database, me)."""
    return sql.rows(_SCHEMA)[0]


def left(name: str, tables: list[str]) -> set[tuple[str, str]]:
    """(table, privilege) of whole tables that the role has."""
    return {(row.table, row.privilege) for row in sql.rows(_LEFT, {"role": name, "tables": tables})}
