"""`/api/health` and `/metrics`: from the manifest and the exporter's last status. No server is queried."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from trading.export.public_api.ages import age_seconds, described
from trading.export.public_api.alarm_figures import AlarmFigures
from trading.export.public_api.disk import DiskRoom, room
from trading.export.public_api.exporting import Exporting, exporting
from trading.export.public_api.snapshot import Snapshot
from trading.export.status import alarms as alarm_status
from trading.export.status import board as boards
from trading.export.status.board import OFF, RUNNING, Supervision
from trading.export.status.file import ExportStatus, ServerSeen
from trading.schema.unreadable import TABLES

METRICS_TYPE = CONTENT_TYPE_LATEST
NOTHING_YET = "Nothing was exported yet."


def nothing_yet(root: Path) -> str:
    """Why no document is there."""
    error = exporting(root, 0.0).last_error
    failed = f" The exporter failed: {error[0]}" if error else ""
    return f"{NOTHING_YET}{failed}"


def health(snapshot: Snapshot | None, root: Path, stale_seconds: float) -> bytes:
    """`status` is ok, stale, failing (what is served is fresh, and the next export is in doubt), or `no export`: the
    process itself lives, since it answers. What an exporter that is silent for longer than `stale_seconds` saw last,
    nobody knows now."""
    exporter = exporting(root, stale_seconds)
    status, is_silent = exporter.status, exporter.is_silent
    exported_at = snapshot.as_of / 1000 if snapshot else None
    age = None if exported_at is None else age_seconds(exported_at)
    is_stale = age is None or age > stale_seconds or bool(snapshot and snapshot.failed)
    disk = _disk(snapshot, root, status)
    return json.dumps(
        {
            "status": _verdict(snapshot, is_stale=is_stale, is_failing=exporter.is_failing or disk["state"] != "ok"),
            "stale": is_stale,
            "export": {
                "as_of": snapshot.as_of if snapshot else None,
                **described(exported_at),
                "stale_after_seconds": stale_seconds,
                "failed_documents": dict(snapshot.failed) if snapshot else {},
            },
            "exporter": exporter.described(),
            "disk": disk,
            "record": {
                "unreadable_rows": sum(status.unreadable.values()) if status else None,
                "set_aside_rows": sum(status.set_aside.values()) if status else None,
            },
            "postgres": _seen(status.postgres if status else None, is_silent=is_silent),
            "redis": _seen(status.redis if status else None, is_silent=is_silent),
            **_replica(status, is_silent=is_silent),
        }
    ).encode()


def _verdict(snapshot: Snapshot | None, *, is_stale: bool, is_failing: bool) -> str:
    if snapshot is None:
        return "no export"
    return "stale" if is_stale else "failing" if is_failing else "ok"


def _disk(snapshot: Snapshot | None, root: Path, status: ExportStatus | None) -> dict[str, Any]:
    """`full` by the file system's own word, `failing` by the exporter's last attempt; what neither says is ok."""
    found, tried = room(root, snapshot), status.disk if status else None
    error = tried.error if tried and not tried.is_up else None
    return {
        "state": "full" if found and found.is_full else "failing" if error or found is None else "ok",
        "free_bytes": found.free_bytes if found else None,
        "needed_bytes": found.needed_bytes if found else None,
        "error": error,
    }


def metrics(snapshot: Snapshot | None, root: Path) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(snapshot, exporting(root, 0.0), room(root, snapshot)))
    registry.register(AlarmFigures(alarm_status.read(root), _alarm_process()))
    return generate_latest(registry)


def _alarm_process() -> Supervision | None:
    board = boards.in_use()
    return board.alarm_supervision.read() if board else None


def _seen(seen: ServerSeen | None, *, is_silent: bool) -> dict[str, Any]:
    if seen is None:
        return {"state": "unknown", "age_seconds": None}
    state = "unknown" if is_silent else "up" if seen.is_up else "down"
    return {"state": state, **described(seen.at), "error": seen.error}


def _replica(status: ExportStatus | None, *, is_silent: bool) -> dict[str, Any]:
    """Nothing where the site has none. `down`: the primary is read in its place."""
    if status is None or status.replica is None:
        return {}
    behind = None if is_silent else status.replica_behind_seconds
    return {"replica": {**_seen(status.replica, is_silent=is_silent), "behind_seconds": behind}}


class _Figures(Collector):
    def __init__(self, snapshot: Snapshot | None, exporter: Exporting, room: DiskRoom | None) -> None:
        self._snapshot, self._exporter, self._room = snapshot, exporter, room

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        if self._snapshot:
            yield from _of_run(self._snapshot)
        if self._exporter.status:
            yield from _of_exporter(self._exporter.status)
        if self._exporter.supervision:
            yield from _of_process(self._exporter.supervision)
        yield from _of_manager()
        if self._room:
            yield GaugeMetricFamily("nof0_export_disk_free_bytes", "Where exports are written", self._room.free_bytes)
            yield GaugeMetricFamily(
                "nof0_export_disk_needed_bytes", "What a run of changed documents needs", self._room.needed_bytes
            )


def _of_manager() -> Iterator[Metric]:
    """Nothing where `make run` starts none."""
    board = boards.in_use()
    process = board.manager_supervision.read() if board else None
    if process is None or process.state == OFF:
        return
    is_running = float(process.state == RUNNING)
    yield GaugeMetricFamily("nof0_manager_up", "1: the manager that `make run` started runs", is_running)
    yield CounterMetricFamily("nof0_manager_restarts", "Restarts of that manager", process.restarts)


def _of_process(supervision: Supervision) -> Iterator[Metric]:
    is_running = float(supervision.state == RUNNING)
    yield GaugeMetricFamily("nof0_exporter_up", "1: the process that `make run` started is running", is_running)
    yield CounterMetricFamily("nof0_exporter_restarts", "Restarts of that process", supervision.restarts)


def _of_run(snapshot: Snapshot) -> Iterator[Metric]:
    manifest = snapshot.manifest
    yield GaugeMetricFamily("nof0_export_age_seconds", "Age of the served export", age_seconds(snapshot.as_of / 1000))
    yield GaugeMetricFamily(
        "nof0_export_duration_seconds", "How long the served export took", manifest.duration_ms / 1000
    )
    sizes = GaugeMetricFamily("nof0_document_bytes", "Size of a document", labels=["document", "encoding"])
    failed = GaugeMetricFamily("nof0_document_stale", "1: the last export could not make it", labels=["document"])
    for entry in manifest.files:
        sizes.add_metric([entry.name, "identity"], entry.size)
        sizes.add_metric([entry.name, "gzip"], entry.gzip_size)
        failed.add_metric([entry.name], float(entry.is_stale))
    yield sizes
    yield failed


def _of_sync(status: ExportStatus) -> Iterator[Metric]:
    for name, help_, count in (
        ("nof0_sync_conflicts", "Conflicts of manager.yaml that wait", status.sync_conflicts),
        ("nof0_sync_traders", "Traders that manager.yaml declared at its last sync", status.sync_traders),
        ("nof0_sync_written", "Traders changed by the last sync that changed any", status.sync_written),
    ):
        yield GaugeMetricFamily(name, help_, count)
    if status.synced_at is not None:
        yield GaugeMetricFamily("nof0_sync_timestamp_seconds", "Last sync of manager.yaml", status.synced_at)


def _of_exporter(status: ExportStatus) -> Iterator[Metric]:
    yield GaugeMetricFamily("nof0_exporter_age_seconds", "Since the exporter wrote", age_seconds(status.at))
    yield GaugeMetricFamily("nof0_postgres_up", "As the exporter last saw it", float(status.postgres.is_up))
    yield GaugeMetricFamily("nof0_redis_up", "As the exporter last saw it", float(status.redis.is_up))
    if status.replica:
        yield GaugeMetricFamily("nof0_replica_up", "1: the replica may be read", float(status.replica.is_up))
        if status.replica_behind_seconds is not None:
            yield GaugeMetricFamily(
                "nof0_replica_behind_seconds", "How old what it shows may be", status.replica_behind_seconds
            )
    yield GaugeMetricFamily("nof0_analytics_waiting", "Traders whose analytics are due", status.analytics_waiting)
    yield from _of_sync(status)
    for name, help_, count in (
        ("nof0_export_cycles", "Finished exports", status.cycles),
        ("nof0_export_failures", "Exports that failed", status.failed_cycles),
        ("nof0_document_failures", "Documents that could not be made", status.failed_documents),
        ("nof0_export_missed_beats", "Beats left out because an export took too long", status.missed_beats),
        ("nof0_query_errors", "Statements of the exporter that failed", status.query_errors),
        ("nof0_redis_errors", "Calls of the exporter that Redis did not answer", status.redis_errors),
    ):
        yield CounterMetricFamily(name, help_, count)
    unreadable = GaugeMetricFamily(
        "nof0_unreadable_rows", "Rows of the record that cannot be read and are left out", labels=["table"]
    )
    for table in TABLES:
        unreadable.add_metric([table], status.unreadable.get(table, 0))
    yield unreadable
    aside = GaugeMetricFamily(
        "nof0_set_aside_rows", "Rows of the record that an operator set aside: they count nowhere", labels=["kind"]
    )
    for kind, count in status.set_aside.items():
        aside.add_metric([kind], count)
    yield aside
    versions = GaugeMetricFamily("nof0_config_version", "Version of a trader's configuration", labels=["trader"])
    for trader_id, version in status.config_versions.items():
        versions.add_metric([trader_id], version)
    ages = GaugeMetricFamily("nof0_live_store_age_seconds", "Age of the youngest value of a key", labels=["key"])
    for key, age in status.live_ages.items():
        ages.add_metric([key], max(0.0, age))
    persisted = CounterMetricFamily(
        "nof0_live_store_persisted", "Times that another program's EXPIRE was taken off a key", labels=["key"]
    )
    for key, count in status.live_persisted.items():
        persisted.add_metric([key], count)
    yield versions
    yield ages
    yield persisted
