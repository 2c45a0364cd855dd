"""Stores API tokens: the digest of each, never the token itself."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime

from django.db import DEFAULT_DB_ALIAS, DatabaseError, transaction
from django.db.models.functions import Now

from traders.audit import writer as audit
from traders.audit.rules import AuditKind
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
    with transaction.atomic():
        made = sql.values(
            """
            INSERT INTO api_tokens (name, digest, hint, scopes, trader_ids, created_by, expires_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (lower(name)) WHERE revoked_at IS NULL DO NOTHING RETURNING id
            """,
            [name, digest, hint, sorted(scopes), _listed(trader_ids), actor, expires_at],
        )
        if made:
            audit.note(AuditKind.TOKEN_MADE, actor=actor, subject=f"token:{name}", text=", ".join(sorted(scopes)))
    return made[0] if made else None


def valid(digest: str) -> tuple[Token, bool] | None:
    """The token of this digest, and whether its last use is worth noting. None when there is none, or it was revoked
    or has expired: as the primary says, also while a replica is read."""
    found = sql.rows(
        f"""
        SELECT id, name, scopes, trader_ids, {_WORTH_NOTING} AS worth_noting FROM api_tokens
         WHERE digest = %s AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())
        """,
        [digest],
        alias=DEFAULT_DB_ALIAS,
    )
    return next(((_token(row.id, row.name, row.scopes, row.trader_ids), row.worth_noting) for row in found), None)


def working(token_ids: Collection[int]) -> dict[int, bool]:
    """{id of a token: whether its last use is worth noting}, of those of these that are neither revoked nor expired."""
    found = sql.rows(
        f"""
        SELECT id, {_WORTH_NOTING} AS worth_noting FROM api_tokens
         WHERE id = ANY (%s) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())
        """,
        [list(token_ids)],
    )
    return {row.id: row.worth_noting for row in found}


def note_uses(token_ids: Collection[int]) -> None:
    """Stores the time of the last use, once a minute, and the first use in the audit. Never fails a request and never
    waits for a locked row."""
    if not token_ids:
        return
    try:
        with writes.not_counted(), transaction.atomic():
            used = sql.rows(
                f"""
                WITH due AS (SELECT id, last_used_at IS NULL AS is_first FROM api_tokens
                              WHERE id = ANY (%s) AND {_WORTH_NOTING} FOR UPDATE SKIP LOCKED)
                UPDATE api_tokens t SET last_used_at = clock_timestamp() FROM due WHERE t.id = due.id
                RETURNING t.name, due.is_first
                """,
                [list(token_ids)],
            )
            for row in used:
                if row.is_first:
                    audit.note(AuditKind.TOKEN_USED, actor=f"token:{row.name}")
    except DatabaseError as error:
        log.warning("The last use of tokens %s is not noted: %s", ", ".join(map(str, sorted(token_ids))), error)


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


def clocks_since(moment: datetime) -> list[tuple[str, ClockAhead]]:
    """(name of the token, what was refused of it) of those refused at or after a moment, the newest first."""
    names = dict(ApiToken.objects.values_list("pk", "name"))
    found = [(names[token_id], clock) for token_id, clock in clocks().items() if clock.last_at >= moment]
    return sorted(found, key=lambda pair: pair[1].last_at, reverse=True)


def revoke(token_id: int, *, actor: str) -> bool:
    """True if this call revoked it; a token that is revoked already stays as it is."""
    with transaction.atomic():
        found = ApiToken.objects.select_for_update().filter(pk=token_id, revoked_at__isnull=True).first()
        if found is None:
            return False
        ApiToken.objects.filter(pk=token_id).update(revoked_at=Now(), revoked_by=actor)
        audit.note(AuditKind.TOKEN_REVOKED, actor=actor, subject=f"token:{found.name}")
    return True


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
