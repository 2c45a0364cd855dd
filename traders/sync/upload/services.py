"""Reads an uploaded manager.yaml, or a whole bundle, for a sync.

The names of exchange.yaml, market.yaml, llm.yaml and executor.yaml beside settings.MANAGER_YAML apply, whatever files
were uploaded. The prompts of a bundle are its own. Those of a manager.yaml alone are the `.tmpl` files beside
settings.MANAGER_YAML, as for a sync on the server, or, without such a file, the newest stored text of that path. No
other file of the server can be named.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from django.conf import settings

from traders.manager_yaml.bundle.archive import MAX_ARCHIVE_BYTES, InvalidArchive, is_archive, unpacked
from traders.manager_yaml.bundle.placement import MANAGER_YAML
from traders.manager_yaml.file import InvalidFile, ManagerFile
from traders.manager_yaml.prompts import Find
from traders.manager_yaml.reader import read_manager_yaml
from traders.manager_yaml.yaml.document import MAX_FILE_BYTES
from traders.manager_yaml.yaml.source import Absent, read_bytes
from traders.prompt_texts import writer as prompts
from traders.schema.messages import _
from traders.schema.problems import Problem
from traders.schema.prompts import MAX_BYTES

MAX_BYTES_OF_UPLOAD = max(MAX_ARCHIVE_BYTES, MAX_FILE_BYTES)
_SUFFIX = ".tmpl"


@dataclass(frozen=True)
class Upload:
    """The uploaded file; `name` is its name at the client."""

    name: str
    content: bytes


def read_upload(upload: Upload) -> ManagerFile:
    """Raises InvalidFile with every problem, with the names of the uploaded files."""
    try:
        content, find = _parts(upload)
    except InvalidArchive as error:
        raise InvalidFile(Path(upload.name), [Problem("", error.message)]) from None
    with TemporaryDirectory() as directory:
        path = Path(directory) / MANAGER_YAML
        path.write_bytes(content)
        try:
            file = read_manager_yaml(path, names_from=settings.MANAGER_YAML.parent, find_prompt=find)
        except InvalidFile as error:
            if error.path != path:  # a file of names on the server
                raise
            raise InvalidFile(Path(upload.name), error.problems, is_partial=error.is_partial) from None
    return replace(file, path=Path(upload.name))


def _parts(upload: Upload) -> tuple[bytes, Find]:
    if not is_archive(upload.content):
        return upload.content, _beside_or_stored
    files = unpacked(upload.content)

    def in_bundle(path: str) -> bytes:
        found = files.get(PurePosixPath(path).as_posix())
        if found is None:
            raise Absent(_("but the bundle holds no such file"))
        return found

    return files[MANAGER_YAML], in_bundle


def _beside_or_stored(path: str) -> bytes:
    directory = settings.MANAGER_YAML.parent.resolve()
    file = (directory / path).resolve()
    if file.suffix == _SUFFIX and file.is_relative_to(directory):
        try:
            return read_bytes(file, limit=MAX_BYTES)
        except Absent:
            pass
    if stored := prompts.latest_of(path):
        return stored.body.encode()
    raise Absent(
        _(
            "but there is no %(suffix)s file of that path beside the server's manager.yaml and no "
            "text is stored under it; upload the bundle as a zip with its prompts",
            suffix=_SUFFIX,
        )
    )
