"""The DATABASES entry, for an external server and for the embedded one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from nof0site.embedded.paths import DataPaths

POSTGRES_ENGINE = "nof0site.postgresql"
EMBEDDED_ENGINE = "nof0site.embedded.backend"


# A server that disappears is noticed after half a minute, even while a statement runs.
KEEPALIVES = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000}


def external_database(
    url: str, *, through_pgbouncer: bool, keep_seconds: int, connect_seconds: int, variable: str = "DATABASE_URL"
) -> dict[str, Any]:
    """Parse `postgresql://user:password@host:port/name?sslmode=...`; a Unix socket's directory is the quoted host.

    A PgBouncer that pools by transaction keeps neither cursors nor sessions: no server-side cursors are used,
    and connections go back after each request.
    """
    try:
        config: dict[str, Any] = dict(dj_database_url.parse(url, engine=POSTGRES_ENGINE))
    except (ValueError, dj_database_url.ParseError) as error:
        raise ImproperlyConfigured(f"{variable} cannot be understood: {type(error).__name__}.{SHAPE}") from error
    if not url.startswith(("postgresql://", "postgres://")) or not config.get("NAME"):
        raise ImproperlyConfigured(f"{variable} must name a PostgreSQL database.{SHAPE}")
    return config | {
        "ENGINE": POSTGRES_ENGINE,
        # The options of the URL override these.
        "OPTIONS": {"connect_timeout": connect_seconds, **KEEPALIVES, **config.get("OPTIONS", {})},
        "CONN_MAX_AGE": 0 if through_pgbouncer else keep_seconds,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": through_pgbouncer,
        "POOLED_BY_TRANSACTION": through_pgbouncer,
    }


def replica_database(url: str, *, through_pgbouncer: bool, keep_seconds: int) -> dict[str, Any]:
    """A streaming replica of the site's database, of which nothing may wait long: the primary has the same rows."""
    config = external_database(
        url,
        through_pgbouncer=through_pgbouncer,
        keep_seconds=keep_seconds,
        connect_seconds=2,
        variable="DATABASE_REPLICA_URL",
    )
    return config | {"TEST": {"MIRROR": "default"}}


SHAPE = " It should look like postgresql://user:password@host:5432/name (add ?sslmode=require for TLS)."


def embedded_database(data_dir: Path, *, connect_seconds: int) -> dict[str, Any]:
    return {
        "ENGINE": EMBEDDED_ENGINE,
        "NAME": "nof0",
        "USER": "postgres",
        "HOST": str(DataPaths(data_dir).sockets),
        "PORT": "5432",
        "OPTIONS": {"connect_timeout": connect_seconds},
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
