"""What the audit says of changes of accounts and groups on their pages."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, User
from django.forms import ModelForm
from django.http import HttpRequest

from traders.audit import writer as audit
from traders.audit.rules import AuditKind
from traders.schema.actors import AccountActor

_RIGHTS = ("username", "is_active", "is_staff", "is_superuser")


def actor_of(user: Any) -> AccountActor:
    """The account of a page's request, or another one, as audit and history store it."""
    return AccountActor(user.get_username(), int(user.pk))


def note_account_saved(request: HttpRequest, form: ModelForm[User], *, is_change: bool) -> None:
    """One entry for a change of the role, and one for all other changes of the account."""
    name, changed = form.instance.get_username(), form.changed_data
    by: dict[str, Any] = {"actor": actor_of(request.user), "subject": name}
    role = f"{form.initial.get('role') or 'none'} → {form.cleaned_data.get('role') or 'none'}"
    if not is_change:
        audit.note(AuditKind.ACCOUNT_MADE, **by, text=f"role: {form.cleaned_data.get('role') or 'none'}")
        return
    if "role" in changed:
        audit.note(AuditKind.ROLE_CHANGED, **by, text=role)
    rights = [f"{path}: {form.initial.get(path)} → {form.cleaned_data[path]}" for path in changed if path in _RIGHTS]
    if "groups" in changed:
        rights.append(f"groups: {_names(form.initial.get('groups'))} → {_names(form.cleaned_data['groups'])}")
    rights += [path for path in changed if path not in (*_RIGHTS, "groups", "role")]
    if rights:
        audit.note(AuditKind.ACCOUNT_CHANGED, **by, text="; ".join(rights))


def note_account(request: HttpRequest, kind: AuditKind, name: str, text: str = "") -> None:
    audit.note(kind, actor=actor_of(request.user), subject=name, text=text)


def note_group_saved(request: HttpRequest, form: ModelForm[Group], *, is_change: bool) -> None:
    text = f"changed: {', '.join(form.changed_data)}" if is_change else "made"
    if form.changed_data or not is_change:
        note_account(request, AuditKind.GROUP_CHANGED, form.instance.name, text)


def _names(groups: Any) -> str:
    return ", ".join(sorted(group.name for group in groups or ())) or "none"
