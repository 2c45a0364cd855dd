"""`status.json` beside the runs: how the exporter last found everything. Health and metrics are made from it, so that
answering them asks neither PostgreSQL nor Redis."""

from __future__ import annotations

from pathlib import Path

import msgspec

from traders.schema.messages import TranslatableText
from traders.words.kept_messages import decoded, encoded
from trading.export.directory.alone import alone_in
from trading.schema.unreadable import Unreadable

NAME = "status.json"


class ServerSeen(msgspec.Struct, frozen=True, omit_defaults=True):
    """`at` (seconds since 1970) is when it last answered, None: never."""

    is_up: bool
    at: float | None = None
    error: TranslatableText | None = None


class ExportStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """`at` (seconds since 1970) is when the exporter wrote this. `live_ages` (seconds) is by key of the live store the
    age of its youngest value, `live_persisted` how often a write took another program's EXPIRE off it. `is_failing`:
    the last cycle failed; `last_error` stays after it. `disk`: whether the last cycle could write.
    `replica`: whether it may be read; None where the site has none. `is_waiting`: another exporter is at work, and this
    one takes over when that is gone. `unreadable` counts by table the rows that
    the documents are made without, and `unreadable_rows` names the first of them; `set_aside` counts by kind those that
    an operator set aside."""

    at: float
    pid: int
    postgres: ServerSeen
    redis: ServerSeen
    cycles: int = 0
    failed_cycles: int = 0
    failed_documents: int = 0
    query_errors: int = 0
    redis_errors: int = 0
    missed_beats: int = 0
    analytics_waiting: int = 0
    last_error: str | None = None
    last_error_at: float | None = None
    is_failing: bool = False
    is_waiting: bool = False
    disk: ServerSeen | None = None
    replica: ServerSeen | None = None
    replica_behind_seconds: float | None = None
    config_versions: dict[str, int] = {}
    live_ages: dict[str, float] = {}
    live_persisted: dict[str, int] = {}
    synced_at: float | None = None
    sync_conflicts: int = 0
    sync_traders: int = 0
    sync_written: int = 0
    unreadable: dict[str, int] = {}
    set_aside: dict[str, int] = {}
    unreadable_rows: list[Unreadable] = []


class _Counts(msgspec.Struct, frozen=True):
    unreadable: dict[str, int] = {}


def write(root: Path, status: ExportStatus) -> None:
    """Raises OSError. Not fsynced: after a power cut the next cycle writes it again."""
    root.mkdir(parents=True, exist_ok=True)
    with alone_in(root):
        aside = root / f"{NAME}.next"
        aside.write_bytes(msgspec.json.encode(status, enc_hook=encoded))
        aside.replace(root / NAME)


def read(root: Path) -> ExportStatus | None:
    try:
        return msgspec.json.decode((root / NAME).read_bytes(), type=ExportStatus, dec_hook=decoded)
    except (OSError, msgspec.DecodeError):
        return None


def unreadable(root: Path) -> dict[str, int]:
    """{table: rows that the documents are made without}; every page asks, so nothing else of the status is read."""
    try:
        return msgspec.json.decode((root / NAME).read_bytes(), type=_Counts).unreadable
    except (OSError, msgspec.DecodeError):
        return {}
