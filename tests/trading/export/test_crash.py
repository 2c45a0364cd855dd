"""kill -9 in the middle of exports: readers always find one whole run."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.trading.export.whole import Pruned, whole_run
from trading.export.directory.manifest import DocumentSource, Manifest, ManifestEntry
from trading.export.directory.runs import ExportDirectory

KILLS = 50
NAMES = [f"document-{number}" for number in range(8)]


def write_runs(root: Path) -> None:
    """In a process of its own, until it is killed."""
    directory = ExportDirectory(root)
    while True:
        run, entries = directory.begin(time.time_ns() // 1_000_000), []
        for number, name in enumerate(NAMES):
            before = run.previous.manifest.entry(name) if run.previous else None
            if before and number % 2 and run.keep(name):
                entries.append(before)
            else:
                body = json.dumps({"serverTime": run.as_of, "rows": ["x" * 100] * 2_000}).encode()
                entries.append(run.put(ManifestEntry(name=name, source=DocumentSource.LIVE, as_of=run.as_of), body))
        directory.publish(run, Manifest(run.as_of, 0, entries))
        directory.prune(keep_after_ms=run.as_of)


@pytest.mark.faults
def test_killed_fifty_times_readers_find_one_whole_run(tmp_path: Path) -> None:
    draw = random.Random(1)
    for _ in range(KILLS):
        writer = os.fork()
        if not writer:
            try:
                write_runs(tmp_path)
            finally:
                os._exit(1)
        time.sleep(draw.uniform(0.02, 0.25))
        # Of a writer that goes on, a slow reader may find the run cleared away.
        with suppress(Pruned):
            if (tmp_path / "current").exists():
                whole_run(tmp_path)
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)
        if (tmp_path / "current").exists():
            whole_run(tmp_path)
    assert (tmp_path / "current").exists()
    ExportDirectory(tmp_path).prune(keep_after_ms=time.time_ns())
    assert len(list((tmp_path / "runs").iterdir())) <= 4, sys.platform
