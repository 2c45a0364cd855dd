"""What the next sync does with a prompt whose file differs from the text that its traders use."""

from __future__ import annotations

from enum import StrEnum

from traders.versions.rules.merge import ChangedBy, three_way


class PromptFileFate(StrEnum):
    SAME = "same"
    FILE_COMES = "file_comes"
    STAYS = "stays"
    CONFLICT = "conflict"
    NOT_NAMED = "not_named"


_TEXT = "text"
_FATES = {
    ChangedBy.ONLY_MINE: PromptFileFate.FILE_COMES,
    ChangedBy.ONLY_THEIRS: PromptFileFate.STAYS,
    ChangedBy.CONTESTED: PromptFileFate.CONFLICT,
}
"""The file is my side."""


def fate_of(*, file: str, stored: str, declared: str | None) -> PromptFileFate:
    """Digests of the text: in the file now, stored, and as the file declared it at the last sync.

    `declared` is None where the last sync did not take this trader's prompt from this file.
    """
    if file == stored:
        return PromptFileFate.SAME
    if declared is None:
        return PromptFileFate.NOT_NAMED
    sides = three_way(base={_TEXT: declared}, theirs={_TEXT: stored}, mine={_TEXT: file})
    return _FATES[sides[_TEXT,]]
