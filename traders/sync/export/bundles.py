"""A bundle as one file to download."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile

from traders.manager_yaml.bundle.writer import write_bundle
from traders.sync.export.services import Bundle


def zipped(found: Bundle, *, directory: str) -> bytes:
    """A zip with manager.yaml and the prompt files below `directory`. Raises UnwritableBundle."""
    with TemporaryDirectory() as temporary:
        root = Path(temporary)
        written = write_bundle(root, found.fleet, found.traders, found.prompts)
        content = BytesIO()
        with ZipFile(content, "w", ZIP_DEFLATED) as archive:
            for path in written:
                archive.write(path, f"{directory}/{path.relative_to(root).as_posix()}")
    return content.getvalue()
