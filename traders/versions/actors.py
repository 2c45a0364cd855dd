"""Accounts as history refers to them."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth import get_user_model


def usernames() -> Mapping[int, str]:
    """{id of an account: its name today}."""
    return dict(get_user_model().objects.values_list("pk", "username"))
