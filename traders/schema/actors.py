"""Actors: the names of people, tokens and commands in the history.

An actor is a text. `cli:{login}` is a command, `token:{name}` an API token, `guard:{name}` a guard, any other text a
person. The name of an account may change and may be given to another account, so an account also has its id: see
`AccountActor`.
"""

from __future__ import annotations

import getpass
import os
import unicodedata

from traders.schema.messages import TranslatableText, _

LONGEST = 150
"""Characters: the limit of Django's usernames."""

RESTORE = "restore"
"""Stops the fleet after a backup was restored."""

RESERVED_NAMES = ("sample", "system", RESTORE)
PROGRAM_PREFIXES = ("token:", "guard:")
"""Of actors behind which no person sits at that moment."""
RESERVED_PREFIXES = (*PROGRAM_PREFIXES, "cli:")
"""Reserved names: only the product writes them. No account and no `--actor` may have such a name."""


class AccountActor(str):
    """The actor of a page: an account's name, with the id that tells it from later accounts of the same name."""

    account_id: int

    def __new__(cls, name: str, account_id: int) -> AccountActor:
        actor = super().__new__(cls, name)
        actor.account_id = account_id
        return actor


def account_id_of(actor: str) -> int | None:
    """The id of the account; None for a command, a token or a name given with `--actor`."""
    return actor.account_id if isinstance(actor, AccountActor) else None


def is_reserved(name: str) -> bool:
    """Whether `name` is a reserved name or begins with a reserved prefix.

    Letter case, surrounding spaces and Unicode's compatibility forms (full width, ligatures, ...) make no difference,
    because Django stores usernames in NFKC.
    """
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()
    return plain in RESERVED_NAMES or plain.startswith(RESERVED_PREFIXES)


def problem_with(name: str) -> TranslatableText | None:
    """Why `name` cannot be an actor; None if it can."""
    if not name.strip():
        return _("it is blank")
    if not name.isprintable():
        return _("it has characters that cannot be seen; use letters, digits, signs and single spaces")
    if len(name) > LONGEST:
        return _("it has %(count)s characters; at most %(most)s are kept", count=f"{len(name):,}", most=LONGEST)
    if is_reserved(name):
        return _(
            "%(names)s and names that begin with one of %(prefixes)s are reserved; use another",
            names=", ".join(RESERVED_NAMES),
            prefixes=", ".join(RESERVED_PREFIXES),
        )
    return None


def os_actor() -> str:
    """`cli:` and the name of the account that runs the program."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # an account without a name, as in containers
        return f"cli:{os.getuid()}"
