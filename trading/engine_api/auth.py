"""Who asks: a token with the scope that the endpoint needs."""

from __future__ import annotations

from django.http import HttpRequest
from ninja.errors import AuthorizationError
from ninja.security import HttpBearer

from traders.schema.tokens import Scope, Token
from traders.services import tokens


class EngineRequest(HttpRequest):
    """A request past `TokenWith`. `auth` is who asks; `auth.actor` is what history calls it."""

    auth: Token


class TokenWith(HttpBearer):
    """`Authorization: Bearer nof0_...`. Any one of the scopes suffices; none named: any token."""

    def __init__(self, *scopes: Scope) -> None:
        super().__init__()
        self._scopes = frozenset(scopes)

    def authenticate(self, request: HttpRequest, token: str) -> Token | None:
        found = tokens.authenticate(token.strip())
        if found and self._scopes and not self._scopes & found.scopes:
            needed = " or ".join(sorted(self._scopes))
            raise AuthorizationError(message=f"The token {found.name!r} lacks the scope {needed}.")
        return found
