"""Stores API tokens: the digest of each, never the token itself."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime

from django.db import DatabaseError, transaction
from django.db.models.functions import Now

from traders.database import sql, writes
from traders.models import ApiToken
from traders.schema.tokens import ClockAhead, IssuedToken, Scope, Token

log = logging.getLogger(__name__)

# An engine sends many requests a second, so the last use is written once a minute only.
_WORTH_NOTING = "(last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '1 minute')"


def insert(
    *,
    name: str,
    digest: str,
    hint: str,
    scopes: Collection[Scope],
    trader_ids: Collection[str] | None,
    actor: str,
    expires_at: datetime | None,
) -> int | None:
    """The id of the new token; None if a token of this name (ignoring case) is not revoked."""
    made = sql.values(
        """
        INSERT INTO api_tokens (name, digest, hint, scopes, trader_ids, created_by, expires_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (lower(name)) WHERE revoked_at IS NULL DO NOTHING RETURNING id
        """,
        [name, digest, hint, sorted(scopes), _listed(trader_ids), actor, expires_at],
    )
    return made[0] if made else None


def valid(digest: str) -> tuple[Token, bool] | None:
    """The token of this digest, and whether its last use is worth noting. None when there is none, or it was revoked
    or has expired."""
    found = sql.rows(
        f"""
        SELECT id, name, scopes, trader_ids, {_WORTH_NOTING} AS worth_noting FROM api_tokens
         WHERE digest = %s AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())
        """,
        [digest],
    )
    return next(((_token(row.id, row.name, row.scopes, row.trader_ids), row.worth_noting) for row in found), None)


def note_use(token_id: int) -> None:
    """Stores the time of the last use, once a minute. Never fails a request and never waits for a locked row."""
    try:
        with writes.not_counted(), transaction.atomic():
            sql.execute(
                f"""
                UPDATE api_tokens SET last_used_at = clock_timestamp()
                 WHERE id IN (SELECT id FROM api_tokens WHERE id = %s AND {_WORTH_NOTING} FOR UPDATE SKIP LOCKED)
                """,
                [token_id],
            )
    except DatabaseError as error:
        log.warning("The last use of token %s is not noted: %s", token_id, error)


_REFUSED = """
INSERT INTO clock_refusals AS r (token_id, trader_id, what, symbol, ahead_ms) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (token_id, trader_id, what, symbol) DO UPDATE
   SET refused = r.refused + 1, ahead_ms = excluded.ahead_ms, last_at = clock_timestamp()
"""
_CLOCKS = """
SELECT token_id, sum(refused)::bigint AS refused, (array_agg(ahead_ms ORDER BY last_at DESC))[1] AS ahead_ms,
       max(last_at) AS last_at
  FROM clock_refusals GROUP BY token_id
"""


def note_refused(token_id: int, trader_id: str, what: str, symbol: str, ahead_ms: int) -> None:
    """One row a token, trader, kind of record and symbol. No request fails for it."""
    try:
        with writes.not_counted(), transaction.atomic():
            sql.execute(_REFUSED, [token_id, trader_id, what, symbol, ahead_ms])
    except DatabaseError as error:
        log.warning("A record of token %s that was refused is not noted: %s", token_id, error)


def clocks() -> dict[int, ClockAhead]:
    return {row.token_id: ClockAhead(row.refused, row.ahead_ms, row.last_at) for row in sql.rows(_CLOCKS)}


def revoke(token_id: int, *, actor: str) -> bool:
    """True if this call revoked it; a token that is revoked already stays as it is."""
    found = ApiToken.objects.filter(pk=token_id, revoked_at__isnull=True)
    return bool(found.update(revoked_at=Now(), revoked_by=actor))


def one(token_id: int) -> IssuedToken | None:
    row = ApiToken.objects.filter(pk=token_id).first()
    return issued_of(row) if row else None


def every() -> list[IssuedToken]:
    """All tokens, the newest first."""
    return [issued_of(row) for row in ApiToken.objects.order_by("-created_at", "-pk")]


def issued_of(row: ApiToken) -> IssuedToken:
    return IssuedToken(
        token=_token(row.pk, row.name, row.scopes, row.trader_ids),
        hint=row.hint,
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        revoked_by=row.revoked_by,
        last_used_at=row.last_used_at,
    )


def _token(token_id: int, name: str, scopes: Collection[str], trader_ids: Collection[str] | None) -> Token:
    return Token(token_id, name, frozenset(map(Scope, scopes)), None if trader_ids is None else frozenset(trader_ids))


def _listed(trader_ids: Collection[str] | None) -> list[str] | None:
    return None if trader_ids is None else sorted(trader_ids)
