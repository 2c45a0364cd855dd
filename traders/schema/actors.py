"""Actors: the names of people, tokens and commands in the history.

An actor is a text. `cli:{login}` is a command, `token:{name}` an API token, any other text a person. The name of an
account may change and may be given to another account, so an account also has its id: see `AccountActor`.
"""

from __future__ import annotations

import getpass
import os
import unicodedata

LONGEST = 150
"""Characters; as many as Django lets a username have."""

RESERVED_NAMES = ("sample", "system")
RESERVED_PREFIXES = ("token:", "cli:")
"""Names that only the product writes. No account and no `--actor` may have such a name."""


class AccountActor(str):
    """The actor of a page: an account's name, with the id that tells it from later accounts of the same name."""

    account_id: int

    def __new__(cls, name: str, account_id: int) -> AccountActor:
        actor = super().__new__(cls, name)
        actor.account_id = account_id
        return actor


def account_id_of(actor: str) -> int | None:
    """None for an actor that is no account of this site: a command, a token, a name given with `--actor`."""
    return actor.account_id if isinstance(actor, AccountActor) else None


def is_reserved(name: str) -> bool:
    """Whether `name` is, or begins like, a name that only the product writes.

    Letter case, surrounding spaces and Unicode's compatibility forms (full width, ligatures, ...) make no difference:
    accounts are stored in NFKC too.
    """
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()
    return plain in RESERVED_NAMES or plain.startswith(RESERVED_PREFIXES)


def problem_with(name: str) -> str:
    """Why `name` cannot be given as an actor; empty where it can."""
    if not name.strip():
        return "it is blank"
    if not name.isprintable():
        return "it holds characters that cannot be seen; use letters, digits, signs and single spaces"
    if len(name) > LONGEST:
        return f"it has {len(name):,} characters; at most {LONGEST} are kept"
    return f"{RESERVED_RULE}; use another" if is_reserved(name) else ""


def os_actor() -> str:
    """`cli:` and the name of the account that runs the program."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # an account without a name, as in containers
        return f"cli:{os.getuid()}"


RESERVED_RULE = (
    f"{', '.join(RESERVED_NAMES)} and names that begin with {' or '.join(RESERVED_PREFIXES)} are kept for the product"
)
