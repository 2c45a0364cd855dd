"""Accounts with a role and nothing else."""

from __future__ import annotations

from django.contrib.auth.models import Group, User
from django.test import Client

from traders.accounts.rules import Role


def account(role: Role | None, **options: object) -> User:
    """An active account without a staff tick; its name is the role's."""
    user = User.objects.create_user(role.value.lower() if role else "outsider", **options)  # type: ignore[arg-type]
    if role:
        user.groups.add(Group.objects.get(name=role))
    return user


def browser_of(role: Role | None) -> Client:
    """Logged in with that role; None is somebody who is not logged in."""
    client = Client()
    if role:
        client.force_login(User.objects.filter(username=role.value.lower()).first() or account(role))
    return client
