"""Which run is served: looked up a few times a second at most, loaded once, swapped as one reference."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection
from pathlib import Path

from trading.export.directory.runs import CURRENT, ExportDirectory
from trading.export.documents.names import document_of
from trading.export.public_api.snapshot import DocumentBody, Snapshot, load

LOOK_SECONDS = 0.5

log = logging.getLogger(__name__)


class CurrentRun:
    """`delay_ms`: the newest run that is at least so old. A run that cannot be loaded leaves the one before."""

    def __init__(
        self, root: Path, delay_ms: int = 0, *, public: Collection[str] = (), fresh_seconds: float = 0.0
    ) -> None:
        self._root = root
        self._delay_ms = delay_ms
        self._public = public
        self._fresh_seconds = fresh_seconds
        self._quick: tuple[float, dict[str, DocumentBody]] = (0.0, {})
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._path: Path | None = None
        self._snapshot: Snapshot | None = None
        self._is_watched = False

    def watch(self) -> None:
        """Looks now, and from now on in a thread of its own, so that no caller waits for files."""
        self._look()
        self._is_watched = True
        threading.Thread(target=self._keep_looking, name="export-watch", daemon=True).start()

    def _keep_looking(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            try:
                self._look()
            except Exception:
                log.exception("The export could not be looked at; the last one stays.")

    def at_once(self, path: str) -> DocumentBody | None:
        """A public document of a fresh run, by its address."""
        self.snapshot()
        fresh_until, bodies = self._quick
        return bodies.get(path) if time.time() < fresh_until else None

    def snapshot(self) -> Snapshot | None:
        """Threads that come while another one looks are served what is there."""
        if self._is_watched:
            return self._snapshot
        if time.monotonic() - self._looked_at > LOOK_SECONDS and self._lock.acquire(blocking=self._snapshot is None):
            try:
                self._look()
            finally:
                self._lock.release()
        return self._snapshot

    def _look(self) -> None:
        path = self._wanted()
        if path is not None and path != self._path and (loaded := load(path)):
            self._quick = loaded.as_of / 1000 + self._fresh_seconds, self._quick_ones(loaded)
            self._path, self._snapshot = path, loaded
        self._looked_at = time.monotonic()

    def _quick_ones(self, snapshot: Snapshot) -> dict[str, DocumentBody]:
        return {
            f"/api/{name}": body
            for name, body in snapshot.bodies.items()
            if document_of(name) in self._public and name not in snapshot.failed
        }

    def _wanted(self) -> Path | None:
        if not self._delay_ms:
            path = self._root / CURRENT
            return path.resolve() if path.is_symlink() else None
        latest = time.time_ns() // 1_000_000 - self._delay_ms
        old_enough = [as_of for as_of in ExportDirectory(self._root).runs() if as_of <= latest]
        return self._root / "runs" / str(old_enough[-1]) if old_enough else None
