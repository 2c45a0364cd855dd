"""Who asks: a token with the scope that the endpoint needs, for the traders that the address names, not too often."""

from __future__ import annotations

from collections.abc import Collection

from django.conf import settings
from django.http import HttpRequest
from ninja.errors import AuthorizationError
from ninja.security import HttpBearer

from traders.schema.settings.fleet import FLEET_ID
from traders.schema.tokens import Scope, Token
from traders.tokens import services as tokens
from traders.tokens.throttle import Throttle
from traders.versions import services as configs
from traders.versions.rules.errors import UnknownConfig

throttle = Throttle()


class EngineRequest(HttpRequest):
    """A request past `TokenWith`. `auth` is who asks; `auth.actor` is what history calls it."""

    auth: Token


class TooManyRequests(Exception):
    """`wait_seconds` is when the token may ask again."""

    def __init__(self, token: Token, wait_seconds: int) -> None:
        self.wait_seconds = wait_seconds
        super().__init__(
            f"The token {token.name!r} sends more than {settings.TOKEN_REQUESTS_PER_SECOND} requests a second; "
            f"nothing was done. Send the same again in {wait_seconds} s."
        )


class TokenWith(HttpBearer):
    """`Authorization: Bearer nof0_...`. Any one of the scopes suffices; none named: any token.

    An address that names a trader, as `trader_id` or `config_id`, does not exist for a token that is limited to others.

    `fleet_scope` is needed instead where the address names the fleet's settings. `is_shared`: what is written concerns
    all traders, so a limited token may not. `is_throttled` is False for what must never wait: a token writes most in a
    crash.
    """

    def __init__(
        self,
        *scopes: Scope,
        fleet_scope: Scope | None = None,
        is_shared: bool = False,
        is_throttled: bool = True,
    ) -> None:
        super().__init__()
        self._scopes = frozenset(scopes)
        self._fleet_scopes = frozenset({fleet_scope}) if fleet_scope else self._scopes
        self._is_shared = is_shared
        self._is_throttled = is_throttled

    def authenticate(self, request: HttpRequest, token: str) -> Token | None:
        """Raises TooManyRequests, AuthorizationError and UnknownConfig."""
        found = tokens.authenticate(token.strip())
        if found is None:
            return None
        if self._is_throttled and (wait := throttle.wait_seconds(found.id, rate=settings.TOKEN_REQUESTS_PER_SECOND)):
            raise TooManyRequests(found, wait)
        named = _config_id(request)
        self._require_scope(found, named)
        if self._is_shared and found.trader_ids is not None:
            raise AuthorizationError(
                message=f"The token {found.name!r} is limited to traders, and this concerns all of them."
            )
        if named and not found.sees(named):
            raise UnknownConfig(named)
        return found

    def _require_scope(self, token: Token, named: str) -> None:
        needed = self._fleet_scopes if named == FLEET_ID else self._scopes
        if needed and not needed & token.scopes:
            scopes = " or ".join(sorted(needed))
            raise AuthorizationError(message=f"The token {token.name!r} lacks the scope {scopes}.")


def visible_ids(token: Token, asked: Collection[str] | None) -> Collection[str] | None:
    """The configurations that a list is about: those asked for, else all that exist for the token; None means all.

    Raises UnknownConfig for one that does not exist for the token.
    """
    if token.trader_ids is None:
        return asked
    if asked is None:
        has_fleet = token.sees(FLEET_ID) and configs.stored(FLEET_ID) is not None
        return [*sorted(token.trader_ids), *([FLEET_ID] if has_fleet else [])]
    for config_id in asked:
        if not token.sees(config_id):
            raise UnknownConfig(config_id)
    return asked


def _config_id(request: HttpRequest) -> str:
    """The configuration in the address, empty where there is none."""
    match = request.resolver_match
    named = match.kwargs if match else {}
    return str(named.get("trader_id") or named.get("config_id") or "")
