"""Django's secret key on a machine that was given none: made once, kept in the data directory."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

FILE_NAME = "secret_key"


def local_secret_key(data_dir: Path) -> str:
    """The key of this data directory. Safe when several processes ask for the first time at once: one key wins."""
    path = data_dir / FILE_NAME
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        _publish(path, get_random_secret_key())
    key = path.read_text(encoding="utf-8").strip()
    if not key:
        raise ImproperlyConfigured(f"{path} is empty. Remove it and a new key will be made (logs everybody out).")
    return key


def _publish(path: Path, key: str) -> None:
    """Write a private file first, then link it into place: linking fails where another process came first."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(key)
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        os.unlink(temporary)
