"""Looks for secrets once more before a record is published: programs that write SQL take none out of their texts."""

from __future__ import annotations

from typing import TypeVar

from traders.runtime.redaction import without_secrets

Part = TypeVar("Part")


def published(part: Part, whose: str) -> Part:
    """The record without secrets; the same object where none was found, which costs one search of each text."""
    clean, _ = without_secrets(part, whose, "")
    return clean
