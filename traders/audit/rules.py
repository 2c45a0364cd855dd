"""The kinds of entries of the audit of access, and how much of a typed name is kept."""

from __future__ import annotations

from enum import StrEnum

from traders.schema.messages import TranslatableText, _

SHOWN_OF_UNKNOWN = 2
SHORTEST_CUT = 6
"""Of a typed name with fewer characters nothing is shown: two of five would be too much of a password."""


class AuditKind(StrEnum):
    """What an entry says. The value stands in the table and in the CSV."""

    LOGIN = "login"
    LOGIN_FAILED = "login_failed"
    LOCKED_OUT = "locked_out"
    UNLOCKED = "unlocked"
    LOGOUT = "logout"
    SESSION_ENDED = "session_ended"
    PASSWORD_SET = "password_set"
    FACTOR_ADDED = "factor_added"
    FACTOR_REMOVED = "factor_removed"
    RECOVERY_USED = "recovery_used"
    RECOVERY_RENEWED = "recovery_renewed"
    ACCOUNT_MADE = "account_made"
    ACCOUNT_CHANGED = "account_changed"
    ACCOUNT_DELETED = "account_deleted"
    ROLE_CHANGED = "role_changed"
    GROUP_CHANGED = "group_changed"
    TOKEN_MADE = "token_made"
    TOKEN_USED = "token_used"
    TOKEN_REVOKED = "token_revoked"
    LIVE_STORE = "live_store"


WORDS: dict[AuditKind, TranslatableText] = {
    AuditKind.LOGIN: _("logged in"),
    AuditKind.LOGIN_FAILED: _("login failed"),
    AuditKind.LOCKED_OUT: _("locked out"),
    AuditKind.UNLOCKED: _("unlocked"),
    AuditKind.LOGOUT: _("logged out"),
    AuditKind.SESSION_ENDED: _("session ended"),
    AuditKind.PASSWORD_SET: _("password set"),
    AuditKind.FACTOR_ADDED: _("second factor added"),
    AuditKind.FACTOR_REMOVED: _("second factor removed"),
    AuditKind.RECOVERY_USED: _("recovery code used"),
    AuditKind.RECOVERY_RENEWED: _("recovery codes renewed"),
    AuditKind.ACCOUNT_MADE: _("account made"),
    AuditKind.ACCOUNT_CHANGED: _("account changed"),
    AuditKind.ACCOUNT_DELETED: _("account deleted"),
    AuditKind.ROLE_CHANGED: _("role changed"),
    AuditKind.GROUP_CHANGED: _("group changed"),
    AuditKind.TOKEN_MADE: _("token made"),
    AuditKind.TOKEN_USED: _("token used first"),
    AuditKind.TOKEN_REVOKED: _("token revoked"),
    AuditKind.LIVE_STORE: _("live store"),
}


def cut(name: str) -> str:
    """What is kept of a typed name that no account has: `hu… (no such account)`. It may be a password that was typed
    into the wrong field."""
    shown = name[:SHOWN_OF_UNKNOWN] if len(name) >= SHORTEST_CUT and name.isprintable() else ""
    return f"{shown}… (no such account)"
