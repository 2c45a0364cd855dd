"""Static files with content hashes in their names once they are collected, and under their plain names until then.

A collection counts only while it holds exactly the files the apps have now. So pages are styled right after a clone,
after an upgrade, under `runserver` and in tests, without a call of `collectstatic`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import StaticFilesStorage, staticfiles_storage
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

FINGERPRINT = "fingerprint"


def source_fingerprint() -> str:
    """A digest over name and content of every static file of the apps (some 40 ms)."""
    digest = hashlib.blake2b(digest_size=16)
    for finder in get_finders():
        for name, storage in sorted(finder.list([]), key=lambda item: item[0]):
            content = Path(storage.path(name)).read_bytes()
            digest.update(f"{name}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


def are_collected() -> bool:
    """Whether collectstatic has nothing to do at this moment: another process may have done it meanwhile."""
    return isinstance(staticfiles_storage, CollectedOrSourceStorage) and staticfiles_storage.holds_the_sources()


class CollectedOrSourceStorage(CompressedManifestStaticFilesStorage):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]

    @cached_property
    def is_collected(self) -> bool:
        """Whether STATIC_ROOT held what the apps have when it was first asked for: pages ask for every URL."""
        return self.holds_the_sources()

    def holds_the_sources(self) -> bool:
        try:
            return Path(self.path(FINGERPRINT)).read_text(encoding="ascii") == source_fingerprint()
        except OSError:
            return False

    def url(self, name: str | None, force: bool = False) -> str:
        """The hashed URL of a collected file, the plain one of any other: a wrong name makes no page fail."""
        if name and self.is_collected and self.hash_key(self.clean_name(name)) in self.hashed_files:
            return str(super().url(name, force))
        return StaticFilesStorage.url(self, name)

    def create_compressor(self, **options: Any) -> Compressor:
        """gzip alone, whatever is installed. Brotli at WhiteNoise's level makes the files of the apps 16 % smaller and
        takes 35 s of processor time instead of 1.5 s (177 files, 10.7 MB): too long before the first page."""
        return Compressor(**options, use_brotli=False)

    def post_process(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """Called by collectstatic when all files are copied; the fingerprint is written last, when all went well."""
        fingerprint = Path(self.path(FINGERPRINT))
        fingerprint.unlink(missing_ok=True)
        yield from super().post_process(*args, **kwargs)  # type: ignore[no-untyped-call]
        fingerprint.write_text(source_fingerprint(), encoding="ascii")
        self.__dict__.pop("is_collected", None)
