"""Accounts: the theme's forms with the role as a field of its own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import Group, User
from django.utils.translation import gettext_lazy as _
from unfold.forms import UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminRadioSelectWidget

from traders.accounts.permissions import PermissionTable
from traders.accounts.rules import Role
from traders.accounts.words import offered_permissions
from traders.accounts.writer import role_of

ROLES = [
    ("", _("None: cannot log in, unless staff")),
    (Role.VIEWER.value, _("Viewer: reads everything about the fleet")),
    (Role.OPERATOR.value, _("Operator: also edits, restores and undoes traders and prompts")),
    (Role.ADMIN.value, _("Admin: also changes the fleet settings, users, groups and API tokens")),
]


class RoleMixin(forms.ModelForm):  # type: ignore[type-arg]
    """`role` is one of the role groups; `groups`, where the form has it, are all others."""

    role = forms.ChoiceField(
        label=_("Role"), choices=ROLES, required=False, widget=UnfoldAdminRadioSelectWidget(choices=ROLES)
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["role"] = role_of(self.instance) or ""
        if "groups" in self.fields:
            groups: Any = self.fields["groups"]
            groups.queryset = Group.objects.exclude(name__in=list(Role))
            self.initial["groups"] = [group for group in self.initial.get("groups", []) if group.name not in list(Role)]

    def _save_m2m(self) -> None:
        super()._save_m2m()  # type: ignore[misc]
        role = self.cleaned_data.get("role")
        self.instance.groups.remove(*Group.objects.filter(name__in=list(Role)).exclude(name=role))
        if role:
            self.instance.groups.add(Group.objects.get(name=role))


class AccountChangeForm(RoleMixin, UserChangeForm):
    pass


class AccountCreationForm(RoleMixin, UserCreationForm):
    class Meta:
        model = User
        fields = ("username", "first_name", "last_name", "email")


class PermissionsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    widget = PermissionTable

    def __init__(self, queryset: Any = None, **options: Any) -> None:
        options.pop("widget", None)
        super().__init__(offered_permissions(None), **{**options, "help_text": ""})


class GroupForm(forms.ModelForm):  # type: ignore[type-arg]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "permissions" in self.fields:
            field: Any = self.fields["permissions"]
            field.queryset = offered_permissions(self.instance)
