"""Who may read what: public, by token, or closed; and which other origins may."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

# Members of the health report that are one of a few words. Any other text may come from an error.
STATES = ("status", "state")


@dataclass(frozen=True)
class DocumentAccess:
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

    @property
    def what_is_needed(self) -> str:
        if self.tokens:
            return "A token is needed."
        return "A token is needed, and API_TOKENS of the server holds none: this cannot be read."

    def cors_headers(self, origin: str) -> list[tuple[str, str]]:
        if not self.origins or not origin:
            return []
        if "*" in self.origins:
            return [("Access-Control-Allow-Origin", "*")]
        if origin in self.origins:
            return [("Access-Control-Allow-Origin", origin)]
        return []


def without_texts(report: bytes) -> bytes:
    """A health report for readers without a token: states, ages and numbers. Every other text is null."""
    return json.dumps(_without_texts(json.loads(report))).encode()


def _without_texts(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _without_texts(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_texts(inner, name) for inner in value]
    return None if isinstance(value, str) and name not in STATES else value


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
