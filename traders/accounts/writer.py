"""The groups of the roles, and their members."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps as installed
from django.apps.config import AppConfig
from django.apps.registry import Apps
from django.db import transaction

from traders.accounts.rules import Role, grants


def make_roles(sender: AppConfig, using: str, apps: Any = installed, **signal: Any) -> None:
    """Gives each role's group exactly the role's permissions. Called after migrations and after a flush.

    Waits for the last app: the permissions of each are made when its turn comes.
    """
    with_models = [config for config in installed.get_app_configs() if config.models_module]
    if sender is not with_models[-1] or not _has_accounts(apps):
        return
    permissions = (
        apps.get_model("auth", "Permission")
        .objects.using(using)
        .values_list("pk", "content_type__app_label", "codename")
    )
    every = list(permissions)
    for role in Role:
        group, _made = apps.get_model("auth", "Group").objects.using(using).get_or_create(name=role.value)
        group.permissions.set([pk for pk, app, codename in every if grants(role, app, codename)])


@contextmanager
def whole() -> Iterator[None]:
    """A change of accounts and its entry in the audit: both are stored, or none."""
    with transaction.atomic():
        yield


def may_enter(user: Any) -> bool:
    """Whether the account may log in: active, and staff, a superuser or in one of the roles."""
    return bool(user.is_active and (user.is_staff or user.is_superuser or _has_role(user)))


def role_of(user: Any) -> Role | None:
    """The highest of the user's roles. Reads `user.groups`, prefetched or not."""
    names = {group.name for group in user.groups.all()}
    return next((role for role in reversed(Role) if role.value in names), None)


def _has_role(user: Any) -> bool:
    """Runs one query per user object and keeps the result on it."""
    if not hasattr(user, "has_role"):
        user.has_role = user.groups.filter(name__in=list(Role)).exists()
    return bool(user.has_role)


def _has_accounts(apps: Apps) -> bool:
    """False if the migrations of accounts are not applied."""
    try:
        apps.get_model("auth", "Group")
    except LookupError:
        return False
    return True
