"""A connection that no pooler shares, for LISTEN: a PgBouncer that pools by transaction keeps no session."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import connections

# Of Django's own cursors, which an asynchronous connection cannot use.
_OF_DJANGO = ("cursor_factory", "context", "prepare_threshold")


def direct_parameters(using: str = "default") -> dict[str, Any] | None:
    """What psycopg connects with. None where only a pooler's address is known."""
    wrapper = connections[using].copy()
    if direct := settings.DATABASE_DIRECT:
        wrapper.settings_dict = {**wrapper.settings_dict, **direct, "POOLED_BY_TRANSACTION": False}
    if wrapper.settings_dict.get("POOLED_BY_TRANSACTION"):
        return None
    return {name: value for name, value in wrapper.get_connection_params().items() if name not in _OF_DJANGO}
