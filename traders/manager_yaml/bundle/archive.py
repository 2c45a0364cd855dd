"""A bundle as one zip file, read as untrusted input: in memory, and within limits."""

from __future__ import annotations

import stat
import zlib
from io import BytesIO
from pathlib import PurePosixPath
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from traders.manager_yaml.bundle.placement import MANAGER_YAML
from traders.manager_yaml.yaml.document import MAX_FILE_BYTES
from traders.manager_yaml.yaml.source import MEBIBYTE
from traders.schema.messages import MessageError, _

MAX_ARCHIVE_BYTES = 20 * MEBIBYTE
MAX_UNPACKED_BYTES = 100 * MEBIBYTE
MAX_ENTRIES = 5000
_MAGIC = b"PK\x03\x04"
_ENCRYPTED = 0x1
_NOT_OURS = "__MACOSX"


class InvalidArchive(MessageError):
    """The message completes 'The file ...'."""


def is_archive(content: bytes) -> bool:
    return content.startswith(_MAGIC)


def unpacked(content: bytes) -> dict[str, bytes]:
    """{path beside manager.yaml: content}, manager.yaml among them; it may lie in one folder of the archive.

    Raises InvalidArchive for another format, too many or too large files, paths that lead out of it, links, passwords,
    a file twice, and no manager.yaml or several.
    """
    try:
        with ZipFile(BytesIO(content)) as archive:
            found = _read_all(archive)
    # zipfile raises RuntimeError for passwords and for unknown versions and methods.
    except (BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        raise InvalidArchive(_("is no zip that can be read: %(error)s", error=error)) from None
    root = _root(found)
    return {path.relative_to(root).as_posix(): body for path, body in found.items() if path.is_relative_to(root)}


def _read_all(archive: ZipFile) -> dict[PurePosixPath, bytes]:
    if not all(entry.filename for entry in archive.infolist()):
        raise InvalidArchive(_("holds a file without a name"))
    entries = [entry for entry in archive.infolist() if not entry.is_dir() and _NOT_OURS not in entry.filename]
    if len(entries) > MAX_ENTRIES:
        raise InvalidArchive(
            _(
                "holds %(count)s files, more than the %(most)s it may hold",
                count=len(entries),
                most=MAX_ENTRIES,
            )
        )
    found: dict[PurePosixPath, bytes] = {}
    left = MAX_UNPACKED_BYTES
    for entry in entries:
        path = _path(entry)
        if path in found:
            raise InvalidArchive(_("holds %(path)s twice", path=repr(entry.filename)))
        found[path] = _content(archive, entry, min(left, MAX_FILE_BYTES))
        left -= len(found[path])
    return found


def _path(entry: ZipInfo) -> PurePosixPath:
    path = PurePosixPath(entry.filename)
    # On Windows a backslash or a drive leads elsewhere. Nothing is written here, but bundles are used on every system.
    if path.is_absolute() or ".." in path.parts or "\\" in entry.filename or ":" in entry.filename.split("/")[0]:
        raise InvalidArchive(_("holds %(path)s, a path that leads out of it", path=repr(entry.filename)))
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise InvalidArchive(_("holds %(path)s, a link", path=repr(entry.filename)))
    if entry.flag_bits & _ENCRYPTED:
        raise InvalidArchive(_("is locked with a password"))
    if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise InvalidArchive(_("holds %(path)s, compressed otherwise than by deflate", path=repr(entry.filename)))
    return path


def _content(archive: ZipFile, entry: ZipInfo, limit: int) -> bytes:
    """Reading stops at the limit, because the declared size of an entry may be false."""
    with archive.open(entry) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise InvalidArchive(_("holds %(path)s, which is too large when unpacked", path=repr(entry.filename)))
    return content


def _root(found: dict[PurePosixPath, bytes]) -> PurePosixPath:
    roots = [path.parent for path in found if path.name == MANAGER_YAML and len(path.parts) <= 2]
    if len(roots) == 1:
        return roots[0]
    if roots:
        raise InvalidArchive(
            _("holds several %(file)s at its top or in its first folders; it must hold one", file=MANAGER_YAML)
        )
    raise InvalidArchive(_("holds no %(file)s at its top or in its first folders; it must hold one", file=MANAGER_YAML))
