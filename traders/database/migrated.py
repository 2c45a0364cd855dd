"""Whether the database has every migration of this release: a program may be started before the site has migrated."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, ProgrammingError

from traders.database import sql

_APPLIED = "SELECT app || ' ' || name FROM django_migrations"


class NotMigrated(ProgrammingError):
    """Migrations of this release are missing: its tables are not those that its programs read and write."""


def require_migrated() -> None:
    """Raises NotMigrated, or another django.db.Error where the database does not answer or has no table at all."""
    if known() - set(sql.values(_APPLIED, alias=DEFAULT_DB_ALIAS)):
        raise NotMigrated(
            "Migrations of this release are not applied yet. The site applies them when it starts, and so does "
            "`manage.py migrate`."
        )


def known() -> set[str]:
    """Those of the site's own apps, by their files: nothing is imported, so that it costs little to ask."""
    return {
        f"{app} {path.stem}"
        for app, package in settings.MIGRATION_MODULES.items()
        for folder in import_module(package).__path__
        for path in Path(folder).glob("[0-9]*_*.py")
    }
