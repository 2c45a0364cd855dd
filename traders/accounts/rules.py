"""The three roles and their permissions."""

from __future__ import annotations

from enum import StrEnum

from traders.schema.messages import TranslatableText, pgettext

FLEET_APPS = frozenset({"traders", "trading"})
_OPERATING = frozenset(
    {
        *("traders.add_traderconfig", "traders.change_traderconfig", "traders.add_prompttext"),
        "trading.exclude_record",
        "trading.acknowledge_alarm",
        "trading.settle_exchangedifference",
    }
)

# A token gives the rights of an engine, so only admins may see and make tokens; the audit names accounts and addresses;
# rows that could not be moved in may hold anything.
_ADMINS_ONLY = frozenset({"apitoken", "auditentry", "movein"})


class Role(StrEnum):
    """The value is the name of the role's group. Each role includes the permissions of the roles before it."""

    VIEWER = "Viewer"
    OPERATOR = "Operator"
    ADMIN = "Admin"


ROLE_WORDS: dict[str, TranslatableText] = {
    Role.VIEWER: pgettext("role of an account", "Viewer"),
    Role.OPERATOR: pgettext("role of an account", "Operator"),
    Role.ADMIN: pgettext("role of an account", "Admin"),
}


def grants(role: Role, app_label: str, codename: str) -> bool:
    """Whether the role holds a permission such as ("traders", "change_traderconfig").

    Viewers read everything about the fleet; operators change traders and prompts, set rows of the record aside,
    acknowledge alarms and settle differences with exchanges as well; admins also change the fleet's settings, the
    channels and rules of alarms, the users and their groups, and alone see API tokens, the audit of access and what
    was moved in.
    """
    if role is Role.ADMIN:
        return app_label in FLEET_APPS or app_label == "auth"
    if codename.partition("_")[2] in _ADMINS_ONLY:
        return False
    if app_label in FLEET_APPS and codename.startswith("view_"):
        return True
    return role is Role.OPERATOR and f"{app_label}.{codename}" in _OPERATING
