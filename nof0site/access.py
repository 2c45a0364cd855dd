"""Who may read which document of the API, as the settings say it."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import ImproperlyConfigured

from trading.documents.names import Document

LEVELS = ("public", "token", "off")
# What health and metrics tell is no document of the contract, and is held like one.
OTHERS = ("health", "metrics")
SHORTEST_TOKEN = 20


def document_access(items: list[str]) -> dict[str, str]:
    """`conversations=token` for one document, `*=token` for every one that is not named; public by default."""
    access = {}
    for item in items:
        name, _, level = item.partition("=")
        if name != "*" and name not in (*Document, *OTHERS):
            known = ", ".join((*Document, *OTHERS))
            raise ImproperlyConfigured(f"API_ACCESS: {name!r} is no document. Use * or one of {known}.")
        if level not in LEVELS:
            raise ImproperlyConfigured(f"API_ACCESS: {item!r} is not understood. Write {name}=public, token or off.")
        access[name] = level
    default = access.get("*", "public")
    return {name: access.get(name, default) for name in (*Document, *OTHERS)}


def api_tokens(text: str, access: Mapping[str, str]) -> list[str]:
    """The tokens of API_TOKENS, separated by commas or lines."""
    tokens = text.replace(",", " ").split()
    if any(len(token) < SHORTEST_TOKEN for token in tokens):
        raise ImproperlyConfigured(f"API_TOKENS: a token must have at least {SHORTEST_TOKEN} characters.")
    if not tokens and "token" in access.values():
        raise ImproperlyConfigured("API_ACCESS asks for a token, and API_TOKENS holds none.")
    return tokens
