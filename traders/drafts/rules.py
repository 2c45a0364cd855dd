"""What a draft may hold and for how long, and the digest by which a request that is sent twice is recognised."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256

from traders.schema.secrets import find_secret, names_a_secret

Fields = Sequence[tuple[str, str]]
"""The names and values that a form posts, in order."""

DRAFT, VERSION = "draft", "expected_version"
NEVER_KEPT = frozenset({"csrfmiddlewaretoken", DRAFT})

MOST_PER_ACCOUNT = 50
LONGEST = timedelta(days=14)
MOST_CHARACTERS = 500_000
"""Two prompt texts of the longest kind; larger posts are answered, and not kept."""

# The text of a prompt: there only unmistakable forms count as secrets, as where the text is stored.
_PROSE = frozenset({"body"})
_KEY = re.compile(r'"((?:[^"\\]|\\.){1,200})"\s*:')


def may_be_kept(fields: Fields) -> bool:
    """Whether a draft may hold these: within the size, and nothing that the rules of secrets refuse.

    A JSON text may be broken, so a key that names a secret is enough there.
    """
    if sum(len(name) + len(value) for name, value in fields) > MOST_CHARACTERS:
        return False
    return not any(_holds_secret(name, value) for name, value in fields)


def held(fields: Fields) -> Fields:
    """What a draft keeps of a posted form: all but its token and its own id."""
    return [(name, value) for name, value in fields if name not in NEVER_KEPT]


def digest_of(fields: Fields) -> str:
    """SHA-256 of what was posted."""
    return sha256(json.dumps(fields).encode()).hexdigest()


def version_of(fields: Fields) -> int | None:
    """The version that the form was opened on."""
    named = dict(fields).get(VERSION, "")
    return int(named) if named.isascii() and named.isdecimal() and len(named) < 10 else None


def _holds_secret(name: str, value: str) -> bool:
    if find_secret(value, prose=name in _PROSE):
        return True
    return value.lstrip().startswith("{") and any(names_a_secret(key) for key in _KEY.findall(value))
