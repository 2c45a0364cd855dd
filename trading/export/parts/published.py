"""The last look before a record is published: programs that write SQL take no secrets out of their texts."""

from __future__ import annotations

from typing import TypeVar

from traders.runtime.redaction import without_secrets

Part = TypeVar("Part")


def published(part: Part, whose: str) -> Part:
    """The same object where nothing was found, which costs one search of each text."""
    clean, _ = without_secrets(part, whose, "")
    return clean
