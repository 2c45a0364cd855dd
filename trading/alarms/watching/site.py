"""Rules about the site itself: configurations, exports, stores, backups."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from django.conf import settings

from traders.schema.durations import duration_text
from traders.schema.messages import _
from traders.schema.settings.catalogue import FLEET_SETTINGS, TRADER_SETTINGS
from traders.schema.settings.fleet import FLEET_ID
from traders.sync.drift import changed_since_declared
from traders.versions.changelog import queries as changelog
from traders.versions.changelog import services as change_sets
from trading.alarms.watching import queries
from trading.alarms.watching.causes import AlarmLook, Cause
from trading.export.directory.runs import ExportDirectory

CHANGE_WINDOW = timedelta(days=1)
MOST_NAMED, MOST_PATHS = 10, 3
"""Configurations that a message names, and settings of each."""
MOST_CONFIGS = 200
"""Configurations of one change set that are looked at."""
FRESH_STATUS_SECONDS = 300
"""What the exporter saw longer ago says nothing of now."""


class ConfigChanges:
    """Remembers which change sets it has looked at, so that each is read once."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def __call__(self, look: AlarmLook) -> Iterator[Cause]:
        for line in changelog.change_sets(changelog.Filter(since=look.now - CHANGE_WINDOW), before=None, limit=50):
            if line.change_set in self._seen:
                continue
            self._seen.add(line.change_set)
            traders, paths = _watched_changes(line.change_set, look.paths)
            if not paths:
                continue
            message = _(
                "%(who)s changed %(paths)s of %(count)s configurations: %(reason)s",
                who=line.changed_by,
                paths=", ".join(sorted(paths)[:10]),
                count=len(traders),
                reason=line.reason,
            )
            figures = {"change_set": line.change_set, "configurations": len(traders)}
            yield Cause(message, subject=str(line.change_set), traders=traders, figures=figures)


def _watched_changes(change_set: int, watched: tuple[str, ...]) -> tuple[list[str], set[str]]:
    """(configurations, paths) that changed at a watched path, or, where none is named, towards more risk."""
    ids, paths = [], set[str]()
    for config in change_sets.opened(change_set, limit=MOST_CONFIGS):
        declared = FLEET_SETTINGS if config.after.config_id == FLEET_ID else TRADER_SETTINGS
        found = set()
        for change in config.changes:
            setting = declared.get(change.path)
            if any(_is_at(change.path, path) for path in watched) or (
                not watched and setting is not None and setting.raises_risk(change.old, change.new)
            ):
                found.add(change.path)
        if found:
            ids.append(config.after.config_id)
            paths |= found
    return ids, paths


def _is_at(path: str, watched: str) -> bool:
    return path == watched or path.startswith(f"{watched}.")


def conflict_waiting(look: AlarmLook) -> Iterator[Cause]:
    found = queries.conflicts(look.ago(look.threshold * 3600))
    if found.waiting:
        hours = round((look.now - found.first).total_seconds() / 3600, 1)
        message = _("Sync conflicts that wait: %(count)s, the oldest for %(hours)s h", count=found.waiting, hours=hours)
        traders = [name for name in found.configs if name != FLEET_ID]
        figures = {"conflicts": found.waiting, "oldest_h": hours}
        yield Cause(message, traders=traders, figures=figures, grows_by=("conflicts",))


def file_differs(look: AlarmLook) -> Iterator[Cause]:
    """Between the last sync and now: what the file holds by now is known at the next one."""
    if found := changed_since_declared():
        first = ", ".join(
            f"{name} ({', '.join(paths[:MOST_PATHS])})" for name, paths in list(found.items())[:MOST_NAMED]
        )
        message = _(
            "Configurations that differ from manager.yaml (%(count)s): %(named)s", count=len(found), named=first
        )
        figures = {"configurations": len(found), "settings": sum(map(len, found.values()))}
        traders = [name for name in found if name != FLEET_ID]
        yield Cause(message, traders=traders, figures=figures, grows_by=("configurations", "settings"))


def unreadable_rows(look: AlarmLook) -> Iterator[Cause]:
    rows = sum(look.status.unreadable.values()) if look.status else 0
    if look.status and rows:
        left_out = dict(look.status.unreadable)
        yield Cause(
            _("Rows of the record that cannot be read: %(count)s", count=rows),
            figures=left_out,
            grows_by=tuple(left_out),
        )


def exporter_restarted(look: AlarmLook) -> Iterator[Cause]:
    """Known where `make run` runs the exporter beside the site."""
    process = look.supervision
    if process is None or not process.restarts or process.ended_at is None:
        return
    if look.now.timestamp() - process.ended_at <= look.threshold * 3600:
        message = _("The exporter ended and was started again: %(how)s", how=process.last_exit or "")
        yield Cause(message, figures={"restarts": process.restarts})


def export_late(look: AlarmLook) -> Iterator[Cause]:
    """A site that has never exported, and one that makes no exports, is not late."""
    found = ExportDirectory(look.export_dir).current() if settings.EXPORT_SECONDS else None
    if found is None:
        return
    age = round(look.now.timestamp() - found.manifest.as_of / 1000)
    if look.is_overdue(look.ago(age), look.threshold):
        error = look.status.last_error if look.status and look.status.is_failing else None
        old = duration_text(age, units=2)
        message = (
            _("The public documents are %(age)s old (%(error)s)", age=old, error=error)
            if error
            else _("The public documents are %(age)s old", age=old)
        )
        yield Cause(message, figures={"age_s": age})


def store_away(look: AlarmLook) -> Iterator[Cause]:
    if look.status is None or look.status_age_seconds > FRESH_STATUS_SECONDS:
        return
    redis, disk = look.status.redis, look.status.disk
    if redis is not None and not redis.is_up:
        yield Cause(_("Redis does not answer the exporter: %(error)s", error=redis.error or ""), subject="Redis")
    if disk is not None and not disk.is_up:
        message = _("The disk of EXPORT_DIR does not answer the exporter: %(error)s", error=disk.error or "")
        yield Cause(message, subject="the disk of EXPORT_DIR")


def backup_old(look: AlarmLook) -> Iterator[Cause]:
    """Without BACKUP_DIR nothing is known of backups."""
    if not settings.BACKUP_DIR:
        return
    newest = _newest_file(Path(settings.BACKUP_DIR))
    if newest is None:
        yield Cause(_("There is no file in BACKUP_DIR"))
        return
    hours = round((look.now.timestamp() - newest) / 3600, 1)
    if hours > look.threshold:
        yield Cause(_("The newest backup is %(hours)s h old", hours=hours), figures={"age_h": hours})


def _newest_file(directory: Path) -> float | None:
    """When it was last written, seconds since 1970. A directory that cannot be read holds none."""
    times = []
    with suppress(OSError):
        for entry in directory.iterdir():
            with suppress(OSError):
                if entry.is_file():
                    times.append(entry.stat().st_mtime)
    return max(times, default=None)
