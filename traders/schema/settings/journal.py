"""Where an engine may write its cycle files: below the root that the site gives them."""

from __future__ import annotations

import re

from traders.schema.messages import TranslatableText, _

DIR_PATH = "detail.journal.dir"


def journal_dir_problem(path: str) -> TranslatableText | None:
    """What is wrong with a trader's directory of cycle files, completing '<place> ...'; None if nothing. "" is right.

    The engine creates files there, so a configuration must not name a place outside of the journal root: no absolute
    path, no `..`, no home directory, and no variable at the beginning, which may hold any of these.
    """
    right = _("must be a path below the journal root, such as journal/btc_trend")
    if path.startswith(("/", "~")) or re.match(r"[A-Za-z]:|\\", path):
        return _("%(right)s; %(path)s is absolute", right=right, path=repr(path))
    if ".." in re.split(r"[\\/]", path):
        return _("%(right)s; %(path)s leads out of it", right=right, path=repr(path))
    if path.startswith("$"):
        return _(
            "%(right)s; %(path)s begins with a variable, which may hold an absolute path", right=right, path=repr(path)
        )
    return None
