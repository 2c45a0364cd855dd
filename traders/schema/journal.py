"""Where an engine may write its cycle files: below the root that the desk has set aside for them."""

from __future__ import annotations

import re

DIR_PATH = "detail.journal.dir"


def journal_dir_problem(path: str) -> str | None:
    """What is wrong with a trader's directory of cycle files, completing '<place> ...'; None if nothing. "" is right.

    The engine creates files there, so a configuration must not name a place outside of the journal root: no absolute
    path, no `..`, no home directory, and no variable at the beginning, which may hold any of these.
    """
    right = "must be a path below the journal root, such as journal/btc_trend"
    if path.startswith(("/", "~")) or re.match(r"[A-Za-z]:|\\", path):
        return f"{right}; {path!r} is absolute"
    if ".." in re.split(r"[\\/]", path):
        return f"{right}; {path!r} leads out of it"
    if path.startswith("$"):
        return f"{right}; {path!r} begins with a variable, which may hold an absolute path"
    return None
