"""Which documents of the API are public, which need a token, and which roles a second factor, by the settings."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.core.exceptions import ImproperlyConfigured

from traders.accounts.rules import Role
from trading.export.documents.names import Document

LEVELS = ("public", "token", "off")
# Health and metrics are not documents of the contract, but follow the same rules.
OTHERS = ("health", "metrics")
SHORTEST_TOKEN = 20
NO_ROLE = "none"


# What needs a token once other machines reach the site: prompts and reasoning, and how the site is built and used.
CONFIDENTIAL = ("conversations", "metrics")


def document_access(items: list[str], *, is_local: bool = True) -> dict[str, str]:
    """{name: public, token or off} for every document, health and metrics.

    `conversations=token` sets one document, `*=token` every one that is not named. Documents that no item covers are
    public, except for CONFIDENTIAL ones, which need a token unless the site `is_local`.
    """
    access = {}
    for item in items:
        name, _, level = item.partition("=")
        if name != "*" and name not in (*Document, *OTHERS):
            known = ", ".join((*Document, *OTHERS))
            raise ImproperlyConfigured(f"API_ACCESS: {name!r} is no document. Use * or one of {known}.")
        if level not in LEVELS:
            raise ImproperlyConfigured(f"API_ACCESS: {item!r} is not understood. Write {name}=public, token or off.")
        access[name] = level
    defaults = {} if is_local or "*" in access else dict.fromkeys(CONFIDENTIAL, "token")
    default = access.get("*", "public")
    return {name: access.get(name, defaults.get(name, default)) for name in (*Document, *OTHERS)}


def api_tokens(text: str, items: list[str]) -> list[str]:
    """The tokens of API_TOKENS, separated by commas or lines. `items` is API_ACCESS: if it asks for a token, there must
    be one; without it the site starts, and what needs a token is closed.
    """
    tokens = text.replace(",", " ").split()
    if any(len(token) < SHORTEST_TOKEN for token in tokens):
        raise ImproperlyConfigured(f"API_TOKENS: a token must have at least {SHORTEST_TOKEN} characters.")
    if not tokens and any(item.endswith("=token") for item in items):
        raise ImproperlyConfigured("API_ACCESS asks for a token, and API_TOKENS holds none.")
    return tokens


def access_note(items: list[str], access: Mapping[str, str], tokens: Collection[str]) -> str:
    """One line for the start about documents that need a token although API_ACCESS does not say so; else empty."""
    named = {item.partition("=")[0] for item in items}
    closed = [name for name in CONFIDENTIAL if access[name] == "token" and not named & {name, "*"}]
    if not closed:
        return ""
    how = "one of API_TOKENS" if tokens else "a token, and API_TOKENS holds none, so they cannot be read"
    return (
        f"{' and '.join(closed)} of the read API need {how}, because ALLOWED_HOSTS admits other machines. "
        "API_ACCESS changes that."
    )


def second_factor_roles(names: list[str], *, is_local: bool) -> list[str]:
    """The roles whose accounts must have a second factor. Unset: Admin once other machines reach the site, else none.

    `none` stands for no role. Raises ImproperlyConfigured for a name that is no role.
    """
    if not names:
        return [] if is_local else [Role.ADMIN.value]
    if names == [NO_ROLE]:
        return []
    if wrong := [name for name in names if name not in list(Role)]:
        known = ", ".join(Role)
        raise ImproperlyConfigured(f"SECOND_FACTOR_ROLES: {wrong[0]!r} is no role. Use {NO_ROLE}, or some of {known}.")
    return names
