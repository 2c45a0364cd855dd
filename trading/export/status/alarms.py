"""`alarms.json` beside the runs: how the sender of alarms last found everything, for metrics."""

from __future__ import annotations

from pathlib import Path

import msgspec

from trading.export.directory.alone import alone_in

NAME = "alarms.json"


class AlarmStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """`at` is seconds since 1970. `unacknowledged` are open pages; `waiting` counts deliveries, and
    `oldest_waiting_seconds` is how long the oldest of them has waited. `is_well`: the last look could ask everything,
    and no page waits for long. `outage_since` and `outage_until`: when this site was last not watched."""

    at: float
    open_pages: int = 0
    unacknowledged: int = 0
    open_notices: int = 0
    waiting: int = 0
    oldest_waiting_seconds: float = 0.0
    sent: int = 0
    failed: int = 0
    is_well: bool = True
    outage_since: float | None = None
    outage_until: float | None = None


def write(root: Path, status: AlarmStatus) -> None:
    """Raises OSError."""
    root.mkdir(parents=True, exist_ok=True)
    with alone_in(root):
        aside = root / f"{NAME}.next"
        aside.write_bytes(msgspec.json.encode(status))
        aside.replace(root / NAME)


def read(root: Path) -> AlarmStatus | None:
    try:
        return msgspec.json.decode((root / NAME).read_bytes(), type=AlarmStatus)
    except (OSError, msgspec.DecodeError):
        return None
