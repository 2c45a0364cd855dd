"""Makes, checks and revokes API tokens. The text of a token is returned once, when it is made, and never stored."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime, timedelta

from django.utils import timezone

from traders.runtime.spelling import spelled
from traders.schema.messages import _
from traders.schema.moments import LATEST, YEARS
from traders.schema.problems import InvalidConfig, Problem, shown
from traders.schema.secrets import find_secret
from traders.schema.settings.trader import ID_PATTERN
from traders.schema.tokens import NAME, ClockAhead, IssuedToken, Scope, Token, digest_of, hint_of, is_text, new_text
from traders.tokens import writer as tokens
from traders.versions import queries as configs
from traders.versions.rules.errors import UnknownToken

LATELY = timedelta(days=1)


def create(
    *,
    name: str,
    scopes: Collection[str],
    actor: str,
    expires_at: datetime | None = None,
    trader_ids: Collection[str] | None = None,
) -> tuple[Token, str]:
    """The new token and its text, which cannot be read again.

    `expires_at` None: valid until revoked. `trader_ids` None: valid for all traders, else for these only, which must
    exist. Raises InvalidConfig with every problem at `name`, `scopes`, `expires_at` or `traders`. If two calls make
    the same name at once, the second one gets a problem at `name`.
    """
    if problems := [
        *_name_problems(name),
        *_scope_problems(scopes),
        *_expiry_problems(expires_at),
        *_trader_problems(trader_ids),
    ]:
        raise InvalidConfig(problems)
    granted, text = frozenset(map(Scope, scopes)), new_text()
    limit = None if trader_ids is None else frozenset(trader_ids)
    token_id = tokens.insert(
        name=name,
        digest=digest_of(text),
        hint=hint_of(text),
        scopes=granted,
        trader_ids=limit,
        actor=actor,
        expires_at=expires_at,
    )
    if token_id is None:
        raise InvalidConfig(
            [Problem("name", _("is taken: revoke the token %(name)s first, or choose another name", name=repr(name)))]
        )
    return Token(token_id, name, granted, limit), text


def authenticate(text: str) -> Token | None:
    """The token of this text; None if it is unknown, revoked or expired.

    Reads the database each time, so that a revocation takes effect at once.
    """
    found = tokens.valid(digest_of(text)) if is_text(text) else None
    if found is None:
        return None
    token, worth_noting = found
    if worth_noting:
        tokens.note_uses([token.id])
    return token


def working(token_ids: Collection[int]) -> set[int]:
    """Those of these that are neither revoked nor expired. Notes that they are used, as a request does."""
    found = tokens.working(token_ids)
    tokens.note_uses([token_id for token_id, worth_noting in found.items() if worth_noting])
    return set(found)


def limitable() -> list[str]:
    """The ids of all traders, to which a new token may be limited."""
    return configs.all_ids()


def revoke(*, token_id: int, actor: str) -> IssuedToken:
    """Returns the revoked token; a token that is revoked already stays as it is. Raises UnknownToken."""
    tokens.revoke(token_id, actor=actor)
    return one(token_id)


def note_refused(token_id: int, *, trader_id: str, what: str, symbol: str, ahead_ms: int) -> None:
    """A record that lies ahead of this server's clock was refused. No request fails for the note."""
    tokens.note_refused(token_id, trader_id, what, spelled(trader_id, symbol) if symbol else "", ahead_ms)


def clocks() -> dict[int, ClockAhead]:
    """{token id: what was refused of it because its engine's clock is ahead}."""
    return tokens.clocks()


def clocks_lately() -> list[tuple[str, ClockAhead]]:
    """(name of the token, what was refused of it), of the tokens of which a record was refused in the last day because
    its engine's clock is ahead; the newest first."""
    return tokens.clocks_since(timezone.now() - LATELY)


def one(token_id: int) -> IssuedToken:
    """Raises UnknownToken."""
    found = tokens.one(token_id)
    if found is None:
        raise UnknownToken(token_id)
    return found


def named(name: str) -> IssuedToken:
    """The token of this name that is not revoked, else the newest revoked one. Raises UnknownToken."""
    found = [issued for issued in existing() if issued.token.name.lower() == name.lower()]
    if not found:
        raise UnknownToken(name)
    return next((issued for issued in found if issued.revoked_at is None), found[0])


def existing() -> list[IssuedToken]:
    """All tokens, revoked ones included, newest first."""
    return tokens.every()


def _name_problems(name: str) -> list[Problem]:
    if not re.fullmatch(NAME, name):
        right = _("must be 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit")
        return [Problem("name", _("%(right)s, was %(value)s", right=right, value=shown(name)))]
    if kind := find_secret(name):
        return [Problem("name", _("looks like %(kind)s: every list shows the name of a token", kind=kind))]
    return []


def _scope_problems(scopes: Collection[str]) -> list[Problem]:
    known = ", ".join(Scope)
    if not scopes:
        return [Problem("scopes", _("must be one or more of %(known)s", known=known))]
    return [
        Problem("scopes", _("must be one or more of %(known)s, was %(value)s", known=known, value=shown(scope)))
        for scope in scopes
        if scope not in list(Scope)
    ]


def _trader_problems(trader_ids: Collection[str] | None) -> list[Problem]:
    if trader_ids is None:
        return []
    if not trader_ids:
        return [Problem("traders", _("must be one or more ids of traders, or left out for all of them"))]
    known = configs.existing_ids([name for name in trader_ids if ID_PATTERN.fullmatch(name)])
    return [
        Problem("traders", _("must be ids of traders; there is no trader %(value)s", value=shown(name)))
        for name in dict.fromkeys(trader_ids)
        if name not in known
    ]


def _expiry_problems(expires_at: datetime | None) -> list[Problem]:
    if expires_at is None or timezone.now() < expires_at <= LATEST:
        return []
    if expires_at > LATEST:
        right = _("must be a moment %(years)s, or left out for a token that never expires", years=YEARS)
        return [
            Problem(
                "expires_at", _("%(right)s, was %(value)s", right=right, value=expires_at.isoformat(timespec="seconds"))
            )
        ]
    return [
        Problem("expires_at", _("must be in the future, was %(value)s", value=expires_at.isoformat(timespec="seconds")))
    ]
