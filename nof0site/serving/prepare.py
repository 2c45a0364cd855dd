"""Prepare the database for the site. Steps that are done already are skipped."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from nof0site.embedded.locks import exclusive
from nof0site.guards.foreign import foreign_database
from nof0site.serving.staticfiles import are_collected
from traders.accounts.writer import whole
from traders.audit import writer as audit
from traders.audit.rules import AuditKind
from traders.schema.actors import os_actor
from traders.sync import drift


class Output(Protocol):
    """Where progress is written: a command's stdout."""

    def write(self, message: str, /) -> object: ...


# An arbitrary number; it must stay the same in every release.
SETUP_LOCK = 7_305_110
CONFLICTS = 3
FIRST_USER = "admin"


def require_storage(out: Output) -> None:
    """Connect to both servers, which starts embedded ones. The site can do without an external Redis for a while."""
    try:
        connection.ensure_connection()
    except OperationalError as error:
        where = "The database of DATABASE_URL cannot be reached: " if settings.DATABASE_URL else ""
        raise CommandError(f"{where}{error}".strip()) from error
    try:
        get_redis_connection("default").ping()
    except RedisError as error:
        out.write(f"Warning: the Redis of REDIS_URL cannot be reached: {error}\n")


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold an advisory lock on a connection of its own: two servers that start together must not both migrate."""
    holder = connection.copy()
    holder.set_autocommit(False)
    try:
        with holder.cursor() as cursor:
            # The first server may migrate for long; its transaction on this connection is idle meanwhile.
            cursor.execute(
                "SELECT set_config('lock_timeout', '0', true),"
                " set_config('idle_in_transaction_session_timeout', '0', true)"
            )
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SETUP_LOCK])
        yield
    finally:
        holder.close()


def migrate(out: Output) -> None:
    """Raises CommandError, and changes nothing, in a database that belongs to another program."""
    if foreign := foreign_database(connection):
        raise CommandError(f"{foreign.message}\n{foreign.generation.way_out}")
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        out.write(f"Applying {len(plan)} migrations.\n")
        call_command("migrate", verbosity=0, interactive=False)


def import_once(out: Output) -> None:
    """Import the declared fleet into a database that was never synced. Report the difference to any other."""
    if drift.was_ever_synced():
        out.write(drift.describe_drift(settings.MANAGER_YAML).rstrip() + "\n")
        return
    if not settings.MANAGER_YAML.exists():
        out.write(f"{settings.MANAGER_YAML} is not there, so no trader was imported.\n")
        return
    out.write(f"Importing {settings.MANAGER_YAML}.\n")
    try:
        call_command("sync_traders", str(settings.MANAGER_YAML), stdout=out)
    except SystemExit as ended:
        # Traders made in the browser before the first import may differ from the file: the report has said so.
        if ended.code != CONFLICTS:
            raise


def make_demo(out: Output) -> None:
    """By the command's name: the demo stands above the site and is installed for this alone."""
    call_command("prepare_demo", stdout=out)


def create_first_account() -> str | None:
    """Make the first administrator. Returns its password, which is stored nowhere; None if there is one already."""
    users = get_user_model().objects
    if users.filter(is_superuser=True).exists() or users.filter(username=FIRST_USER).exists():
        return None
    password = secrets.token_urlsafe(12)
    with whole():
        users.create_superuser(username=FIRST_USER, email="", password=password)
        audit.note(AuditKind.ACCOUNT_MADE, actor=os_actor(), subject=FIRST_USER, text="the first account, a superuser")
    return password


def collect_static_files() -> None:
    """Collect them unless this is done: two first runs must not replace each other's files halfway."""
    if are_collected():
        return
    with exclusive(Path(settings.STATIC_ROOT) / "collecting.lock"):
        if not are_collected():
            call_command("collectstatic", interactive=False, verbosity=0)
