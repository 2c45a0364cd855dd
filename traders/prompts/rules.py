"""What the next sync does with a prompt whose file differs from the text that its traders use."""

from __future__ import annotations

from enum import StrEnum

from traders.versions.rules.merge import Changed, three_way


class Fate(StrEnum):
    SAME = "same"
    FILE_COMES = "file_comes"
    STAYS = "stays"
    CONFLICT = "conflict"
    NOT_NAMED = "not_named"


_TEXT = "text"
_FATES = {
    Changed.ONLY_MINE: Fate.FILE_COMES,
    Changed.ONLY_THEIRS: Fate.STAYS,
    Changed.CONTESTED: Fate.CONFLICT,
}
"""The file is my side."""


def fate_of(*, file: str, stored: str, declared: str | None) -> Fate:
    """Digests of the text: in the file now, stored, and as the file declared it at the last sync.

    `declared` is None where the last sync did not take this trader's prompt from this file.
    """
    if file == stored:
        return Fate.SAME
    if declared is None:
        return Fate.NOT_NAMED
    sides = three_way(base={_TEXT: declared}, theirs={_TEXT: stored}, mine={_TEXT: file})
    return _FATES[sides[_TEXT,]]
