"""The exporter beside the site: a process of its own, so that a long export never holds up a page."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

from django.conf import settings

PATIENCE_SECONDS = 15


@contextlib.contextmanager
def exporter_beside() -> Iterator[None]:
    """It ends with the block, and by itself when this process is killed. None with EXPORT_SECONDS=0."""
    if not settings.EXPORT_SECONDS:
        yield
        return
    process = subprocess.Popen(
        [sys.executable, str(settings.BASE_DIR / "manage.py"), "export_json", "--with-parent", str(os.getpid())],
        stdin=subprocess.DEVNULL,
        # Ctrl-C in the terminal is for the site, which ends its exporter in order.
        start_new_session=True,
    )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
