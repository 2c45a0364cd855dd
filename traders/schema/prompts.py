"""Prompt texts, stored by the digest of their bytes."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from traders.schema.messages import TranslatableText, _
from traders.schema.settings.declare import unprintable

_VERSION_HEADER = re.compile(r"version:[ \t]*([a-z0-9._-]+)", re.IGNORECASE)
_HEADER_BYTES = 8192
MAX_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class PromptFile:
    """`path` as the configuration names it, `version` of the header ("" without one), `sha256` of the bytes."""

    sha256: str
    path: str
    version: str
    body: str


def read_prompt(path: str, content: bytes) -> PromptFile:
    """Raises UnicodeDecodeError if the content is not UTF-8."""
    body = content.decode("utf-8")
    return PromptFile(hashlib.sha256(content).hexdigest(), path, version_header(content), body)


def version_header(content: bytes) -> str:
    """The first `Version: x` in the first 8 KiB, as engines read it; "" if there is none."""
    found = _VERSION_HEADER.search(content[:_HEADER_BYTES].decode("utf-8", errors="ignore"))
    return found.group(1) if found else ""


def path_problem(path: str) -> TranslatableText | None:
    """The problem of a prompt's path in a configuration, completing '<place> ...'; None if there is none.

    Such a path must mean the same file on every machine and stay inside the directory of manager.yaml, so that
    an export can write it: no absolute paths, no `..`, no variables.
    """
    right = _("must be a path below the directory of manager.yaml, such as prompts/manager/long.tmpl")
    if (bad := unprintable(path)) is not None:
        return _("%(right)s, without the character U+%(code)s", right=right, code=f"{ord(bad):04X}")
    if path.startswith(("/", "~")) or re.match(r"[A-Za-z]:[\\/]|\\\\", path):
        return _("%(right)s; %(path)s is absolute and would differ on every machine", right=right, path=repr(path))
    if ".." in re.split(r"[\\/]", path):
        return _("%(right)s; %(path)s leads out of it", right=right, path=repr(path))
    if "$" in path:
        return _(
            "%(right)s; %(path)s holds a variable, and prompts are stored with their text", right=right, path=repr(path)
        )
    if path.endswith("/") or path.rsplit("/", 1)[-1] == ".":
        return _("%(right)s; %(path)s names a directory", right=right, path=repr(path))
    return None
