"""What pages need of a session, as defaults of the role: for a PgBouncer that pools by transaction."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import connections

from nof0site.postgresql.limits import NOT_COMPILED
from traders.database import sql

_KEPT = """
SELECT setconfig FROM pg_db_role_setting
 WHERE setrole = current_user::regrole
   AND setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
# A role may change its own defaults, and ALTER ROLE takes no parameters.
_KEEP = """
DO $$ BEGIN
  EXECUTE format('ALTER ROLE CURRENT_USER IN DATABASE %%I SET %%I = %%L', current_database(), %s, %s);
END $$
"""


def keep_role_limits(using: str = "default", **signal: Any) -> None:
    """Make them the role's in this database, where they are not. Server connections that PgBouncer has open keep
    what they had: until `server_lifetime`, or RECONNECT in its console.
    """
    connection = connections[using]
    with connection.cursor() as cursor:
        for name in missing_role_limits(connection):
            cursor.execute(_KEEP, [name, _wanted()[name]])


def missing_role_limits(connection: Any) -> list[str]:
    """Names of the parameters that the role has not, or otherwise; none where connections bring their own limits."""
    if not connection.settings_dict.get("POOLED_BY_TRANSACTION"):
        return []
    kept = [setting for settings_of_role in sql.values(_KEPT, alias=connection.alias) for setting in settings_of_role]
    return [name for name, value in _wanted().items() if f"{name}={value}" not in kept]


def _wanted() -> dict[str, str]:
    parameters: dict[str, str] = settings.DATABASE_LIMITS.parameters
    return parameters | NOT_COMPILED
