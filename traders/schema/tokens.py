"""API tokens: the name of an engine or a tool, and its scopes."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from traders.schema.messages import TranslatableText, _
from traders.schema.moments import rough
from traders.schema.settings.fleet import FLEET_ID

PREFIX = "nof0_"
"""People and secret scanners recognise a token by this prefix."""

RANDOM_CHARACTERS = 43
_RANDOM_BYTES = 32
_HINT_CHARACTERS = 4
_WHOLE = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{{RANDOM_CHARACTERS}}}")

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"


class Scope(StrEnum):
    READ_CONFIG = "read-config"
    WRITE_CONFIG = "write-config"
    WRITE_FLEET = "write-fleet"
    WRITE_JOURNAL = "write-journal"
    WRITE_STATE = "write-state"
    WRITE_CORRECTIONS = "write-corrections"
    CONTROL = "control"
    STOP = "stop"


class TokenState(StrEnum):
    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Token:
    id: int
    name: str
    scopes: frozenset[Scope]
    trader_ids: frozenset[str] | None = None
    """The traders it is limited to; None: all."""

    def sees(self, config_id: str) -> bool:
        """Whether the token may see a configuration and the record of its trader. A limited token sees the fleet's
        settings only if it may change them."""
        if self.trader_ids is None:
            return True
        return config_id in self.trader_ids or (config_id == FLEET_ID and Scope.WRITE_FLEET in self.scopes)

    @property
    def actor(self) -> str:
        """The token's actor in history. Usernames have no colon, so no person has this name."""
        return f"token:{self.name}"


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A stored token with its origin and state. `hint` is the beginning of its text after the prefix."""

    token: Token
    hint: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None
    last_used_at: datetime | None

    def state(self, now: datetime) -> TokenState:
        """A token that was revoked after it expired counts as revoked."""
        if self.revoked_at is not None:
            return TokenState.REVOKED
        if self.expires_at is not None and self.expires_at <= now:
            return TokenState.EXPIRED
        return TokenState.ACTIVE


@dataclass(frozen=True, slots=True)
class ClockAhead:
    """How many records of a token were refused as ahead of this server's clock; `ahead_ms` is of the last one."""

    refused: int
    ahead_ms: int
    last_at: datetime

    @property
    def words(self) -> TranslatableText:
        return _("engine clock +%(ahead)s", ahead=rough(self.ahead_ms))

    def __str__(self) -> str:
        return str(self.words)


def new_text() -> str:
    """A new token of 256 random bits."""
    return PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)


def is_text(text: str) -> bool:
    """Whether the text has the form of a token."""
    return _WHOLE.fullmatch(text) is not None


def digest_of(text: str) -> str:
    """The SHA-256 of a token, in hex, which is stored instead of it.

    Passwords need a slow hash with a salt because people choose them; 256 random bits cannot be tried out.
    """
    return hashlib.sha256(text.encode()).hexdigest()


def hint_of(text: str) -> str:
    """The beginning of a token, by which people recognise it. It leaves 232 random bits unknown."""
    return text.removeprefix(PREFIX)[:_HINT_CHARACTERS]
