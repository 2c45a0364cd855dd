"""How the exporter is, as far as this process can see it: by its status file, and by the board of `make run`."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec import structs

from trading.export.public_api.ages import age_seconds, described, is_far_ahead
from trading.export.status import board as boards
from trading.export.status import file as statuses
from trading.export.status.board import OFF, RESTARTING, RUNNING, Supervision
from trading.export.status.file import ExportStatus


@dataclass(frozen=True)
class Exporting:
    """`status` is the newest word of an exporter, `supervision` None where another process than `make run` runs it."""

    status: ExportStatus | None
    supervision: Supervision | None
    stale_seconds: float
    is_waiting: bool = False

    @property
    def is_silent(self) -> bool:
        if self.status is None or is_far_ahead(self.status.at, self.stale_seconds):
            return True
        return age_seconds(self.status.at) > self.stale_seconds

    @property
    def state(self) -> str:
        """running, waiting (another one exports), restarting, off, silent (it runs, and says nothing), or unknown."""
        if self.supervision is None or self.supervision.state == OFF:
            # One that another process runs is known by its file alone.
            silent = "unknown" if self.supervision is None else OFF
            return silent if self.is_silent else "running"
        if self.supervision.state != RUNNING:
            return self.supervision.state
        if self.is_waiting:
            return "waiting"
        is_new = time.time() - self.supervision.since <= self.stale_seconds
        return "silent" if self.is_silent and not is_new else "running"

    @property
    def is_failing(self) -> bool:
        """Whether the next export is in doubt: the last one failed, or there is no process that would make it."""
        return bool(self.status and self.status.is_failing) or self.state in (RESTARTING, "silent")

    @property
    def last_error(self) -> tuple[str, float | None] | None:
        """The newest: of a cycle, or how the process ended; with its time (seconds since 1970)."""
        found = []
        if self.status and self.status.last_error:
            found.append((self.status.last_error, self.status.last_error_at))
        if self.supervision and self.supervision.last_exit:
            found.append((f"The exporter {self.supervision.last_exit}.", self.supervision.ended_at))
        return max(found, key=lambda one: one[1] or 0.0, default=None)

    def described(self) -> dict[str, Any]:
        error = self.last_error
        return {
            "state": self.state,
            "restarts": self.supervision.restarts if self.supervision else None,
            "failing": self.is_failing,
            **described(self.status.at if self.status else None),
            "last_error": error[0] if error else None,
            **described(error[1] if error else None, "last_error_age"),
        }


def exporting(root: Path, stale_seconds: float) -> Exporting:
    board = boards.in_use()
    in_file = statuses.read(root)
    if board is None:
        return Exporting(in_file, None, stale_seconds)
    on_board = board.status.read()
    is_waiting = bool(on_board and on_board.is_waiting)
    # The file lasts, and is the other exporter's while ours waits; where the disk is full the board alone is new.
    known = [one for one in (in_file, None if is_waiting else on_board) if one]
    newest = max(known, key=lambda one: one.at, default=None)
    if newest and in_file and newest is not in_file:
        # The lists are too long for the board.
        newest = structs.replace(
            newest,
            config_versions=in_file.config_versions,
            live_ages=in_file.live_ages,
            unreadable_rows=in_file.unreadable_rows,
        )
    return Exporting(newest, board.supervision.read(), stale_seconds, is_waiting)
