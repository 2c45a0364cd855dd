"""Stores preferences."""

from __future__ import annotations

from typing import Any

from traders.models import AccountPreferences


def keep(user: Any, **values: str) -> None:
    """`values` are fields of AccountPreferences."""
    AccountPreferences.objects.update_or_create(user=user, defaults=values)
