"""The three roles and their permissions."""

from __future__ import annotations

from enum import StrEnum

FLEET_APPS = frozenset({"traders", "trading"})
_OPERATING = frozenset(
    {
        *("traders.add_traderconfig", "traders.change_traderconfig", "traders.add_prompttext"),
        "trading.exclude_record",
    }
)

# A token gives the rights of an engine, so only admins may see and make tokens.
_ADMINS_ONLY = frozenset({"apitoken"})


class Role(StrEnum):
    """The value is the name of the role's group. Each role includes the permissions of the roles before it."""

    VIEWER = "Viewer"
    OPERATOR = "Operator"
    ADMIN = "Admin"


def grants(role: Role, app_label: str, codename: str) -> bool:
    """Whether the role holds a permission such as ("traders", "change_traderconfig").

    Viewers read everything about the fleet; operators change traders and prompts and set rows of the
    record aside as well; admins also change the
    fleet's settings, the users and their groups, and alone see API tokens.
    """
    if role is Role.ADMIN:
        return app_label in FLEET_APPS or app_label == "auth"
    if codename.partition("_")[2] in _ADMINS_ONLY:
        return False
    if app_label in FLEET_APPS and codename.startswith("view_"):
        return True
    return role is Role.OPERATOR and f"{app_label}.{codename}" in _OPERATING
