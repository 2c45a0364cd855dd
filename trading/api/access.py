"""Who may read what: public, by token, or nobody; and which other origins' pages may."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Access:
    """`levels` is {document: public, token or off}. Of tokens only digests are kept."""

    levels: Mapping[str, str]
    tokens: Collection[str] = ()
    origins: Collection[str] = ()
    _digests: tuple[bytes, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_digests", tuple(_digest(token) for token in self.tokens))

    def level(self, name: str) -> str:
        return self.levels.get(name, "off")

    def admits(self, authorization: str) -> bool:
        """Every token is compared, in constant time."""
        scheme, _, given = authorization.partition(" ")
        if scheme.lower() != "bearer" or not given:
            return False
        digest = _digest(given.strip())
        found = [hmac.compare_digest(digest, known) for known in self._digests]
        return any(found)

    def cors_headers(self, origin: str) -> list[tuple[str, str]]:
        if not self.origins or not origin:
            return []
        if "*" in self.origins:
            return [("Access-Control-Allow-Origin", "*")]
        if origin in self.origins:
            return [("Access-Control-Allow-Origin", origin)]
        return []


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
