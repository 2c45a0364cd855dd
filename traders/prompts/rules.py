"""What the next sync does with a prompt whose file differs from the text that its traders use."""

from __future__ import annotations

from enum import StrEnum


class Fate(StrEnum):
    SAME = "same"
    FILE_COMES = "file_comes"
    STAYS = "stays"
    CONFLICT = "conflict"
    NOT_NAMED = "not_named"


def fate_of(*, file: str, stored: str, declared: str | None) -> Fate:
    """Digests of the text: in the file now, stored, and as the file declared it at the last sync.

    `declared` is None where the last sync did not take this trader's prompt from this file. The same rule as
    `traders.versions.rules.merge.three_way`, for one prompt whose path stays.
    """
    if file == stored:
        return Fate.SAME
    if declared is None:
        return Fate.NOT_NAMED
    if file == declared:
        return Fate.STAYS
    return Fate.FILE_COMES if stored == declared else Fate.CONFLICT
