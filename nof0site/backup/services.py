"""Makes and restores backups of the site."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from nof0site.backup import queries, writer
from nof0site.backup.archive import (
    DUMP,
    EXPORT,
    SETTINGS,
    BackupManifest,
    BadArchive,
    TableProof,
    new_archive,
    unpack,
)
from nof0site.backup.programs import environment
from traders.controls import services as controls
from trading.export.directory.runs import CURRENT, RUNS
from trading.record.check.services import check
from trading.record.distribution.rules import TABLES as SPREAD_TABLES
from trading.record.stored.spread import form

# Settings of the environment that tell how the site ran. No secret is among them.
_KEPT_SETTINGS = (
    *("ALLOWED_HOSTS", "HTTPS", "TRUSTED_PROXIES", "CSRF_TRUSTED_ORIGINS", "DESK_TIMEZONE", "CLOCK_AHEAD_SECONDS"),
    *("AUDIT_KEEP_DAYS", "SECOND_FACTOR_ROLES", "STOP_FOR_VIEWERS", "ENTRIES_ALLOWED_SECONDS", "CONTROL_ACK_SECONDS"),
    *("EXPORT_SECONDS", "EXPORT_TRADES", "EXPORT_CONVERSATIONS", "EXPORT_ACCOUNT_ROWS", "EXPORT_START_CAPITAL"),
    *("EXPORT_PROMPTS", "API_DELAY_MINUTES", "API_CORS_ORIGINS", "LIVE_STORE_PLAIN", "RUN_MANAGER", "BUDGET_OVER_PCT"),
    *("ALARM_SECONDS", "ALARM_REPEAT_SECONDS", "SITE_URL", "WEB_THREADS", "WEB_QUEUE", "TOKEN_REQUESTS_PER_SECOND"),
)


@dataclass(frozen=True)
class Restored:
    """`findings` are rows that `check_record` names. They were in the backup too, since all rows are equal.
    `was_spread`: the record of the backup was; here it is not until `manage.py distribute` spreads it again."""

    manifest: BackupManifest
    migrated: int
    findings: int
    was_spread: bool = False

    @property
    def rows(self) -> int:
        return sum(proof.rows for proof in self.manifest.tables.values())


def back_up(path: Path) -> BackupManifest:
    """Raises BadArchive and OSError; then there is no file."""
    connection.ensure_connection()
    environment()
    with new_archive(path) as archive, tempfile.TemporaryDirectory(prefix=".backup-", dir=path.parent) as folder:
        dumped = Path(folder) / DUMP
        with writer.snapshot() as name:
            proofs = queries.proofs()
            migrations = writer.applied_migrations()
            writer.dump(dumped, name)
        if form.was_spread():
            _require_unchanged(proofs)
        archive.add_file(DUMP, dumped)
        dumped.unlink()
        run = _current_run()
        for name_in_run, file in _files(run):
            archive.add_file(f"{EXPORT}{name_in_run}", file)
        archive.add_bytes(SETTINGS, json.dumps(_kept_settings(), indent=1, default=str).encode())
        manifest = BackupManifest(
            release=release(),
            made_at=timezone.now().isoformat(timespec="seconds"),
            postgresql=connection.cursor().connection.info.server_version,
            migrations=migrations,
            tables=proofs,
            export_run=run.name if run else "",
        )
        archive.finish(manifest)
    return manifest


def restore(path: Path) -> Restored:
    """Into an empty database only. Raises BadArchive; then nothing was restored."""
    if found := queries.tables():
        raise BadArchive(
            f"the database is not empty: it holds {len(found)} tables, such as {found[0]}. A backup is restored into an"
            " empty database only (docs/operations.md, Backup and restore); nothing was changed"
        )
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=settings.DATA_DIR) as folder:
        manifest = unpack(path, Path(folder))
        _refuse_newer(path, manifest)
        writer.load(Path(folder) / DUMP, manifest.tables)
        _publish(Path(folder) / EXPORT, manifest.export_run)
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        call_command("migrate", verbosity=0, interactive=False)
    form.forget()
    # The stop is there already; cursors of engines from after the backup are refused from now on.
    controls.restored()
    return Restored(manifest, len(plan), sum(len(looked.findings) for looked in check()), form.was_spread())


def _require_unchanged(proofs: Mapping[str, TableProof]) -> None:
    """A snapshot is of one server: what was written on the others meanwhile may be in the dump, or in one of its tables
    alone. Raises BadArchive."""
    with writer.snapshot():
        found = queries.proofs(SPREAD_TABLES)
    if changed := [table for table, proof in found.items() if proof != proofs[table]]:
        raise BadArchive(
            f"{', '.join(changed)} changed while this was made. A record that is spread has no snapshot of all servers:"
            " stop the site, managers and engines, and make it again"
        )


def release() -> str:
    with (settings.BASE_DIR / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def _refuse_newer(path: Path, manifest: BackupManifest) -> None:
    known = {f"{app}.{name}" for app, name in MigrationExecutor(connection).loader.disk_migrations}
    if newer := sorted(set(manifest.migrations) - known):
        raise BadArchive(
            f"{path} was made by release {manifest.release}, this is {release()}: migrations such as {newer[0]} are not"
            " known here. Restore it with that release, or a newer one; nothing was changed"
        )


def _kept_settings() -> dict[str, Any]:
    return {name: getattr(settings, name) for name in _KEPT_SETTINGS if hasattr(settings, name)}


def _current_run() -> Path | None:
    link = settings.EXPORT_DIR / CURRENT
    return link.resolve() if link.exists() else None


def _files(run: Path | None) -> list[tuple[str, Path]]:
    """(name in the run, file)."""
    found = sorted(run.rglob("*")) if run else []
    return [(str(file.relative_to(run)), file) for file in found if run and file.is_file()]


def _publish(unpacked: Path, run: str) -> None:
    """The documents of the backup, until the exporter makes newer ones. Documents that are published already stay."""
    link = settings.EXPORT_DIR / CURRENT
    if not run.isdigit() or not unpacked.is_dir() or link.is_symlink():
        return
    target = settings.EXPORT_DIR / RUNS / run
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(unpacked, target, dirs_exist_ok=True)
    os.symlink(f"{RUNS}/{run}", link)
