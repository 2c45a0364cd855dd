"""Who needs a second factor, and whether a session has shown it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from traders.accounts.rules import Role
from traders.accounts.writer import role_of
from traders.models import SecondFactor

SHOWN = "second_factor"
"""In the data of a session: it began with a code, or the factor was added in it."""


def factor_of(user: Any) -> SecondFactor | None:
    return SecondFactor.objects.filter(user=user).first()


def is_required(user: Any) -> bool:
    """By SECOND_FACTOR_ROLES. Superusers and staff have the rights of an Admin or may get them: they count as one."""
    roles = settings.SECOND_FACTOR_ROLES
    if not roles:
        return False
    role = Role.ADMIN if user.is_superuser or user.is_staff else role_of(user)
    return role is not None and role.value in roles


def is_due(request: HttpRequest) -> bool:
    """The session may do nothing but add a factor: its account needs one, and it has not shown one."""
    return not request.session.get(SHOWN) and is_required(request.user)
