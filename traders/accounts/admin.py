"""The admin of users, with their roles, and of groups."""

from __future__ import annotations

from typing import Any

from axes.utils import reset
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm

from traders.accounts.forms import AccountChangeForm, AccountCreationForm
from traders.accounts.rules import Role
from traders.accounts.writer import role_of
from traders.templatetags.desk import ago

admin.site.unregister(User)
admin.site.unregister(Group)


class OwnIdsOnly:
    """Refuses list actions on ids of another kind. Django's own code raises an error for a text instead of a number."""

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        key = queryset.model._meta.pk
        try:
            for selected in request.POST.getlist(ACTION_CHECKBOX_NAME):
                key.to_python(selected)
        except ValidationError:
            messages.warning(request, gettext("What was chosen is not in this list. Nothing was done."))
            return HttpResponseRedirect(request.get_full_path())
        answer: HttpResponse | None = super().response_action(request, queryset)  # type: ignore[misc]
        return answer


@admin.register(User)
class UserAdmin(OwnIdsOnly, DjangoUserAdmin, ModelAdmin):  # type: ignore[misc, type-arg]
    """Only a superuser can add or change a superuser, so the role Admin cannot raise its own rights."""

    form = AccountChangeForm
    add_form = AccountCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "role", "first_name", "last_name", "is_active", "last_seen")
    list_filter = ("groups", "is_active")
    # The theme's two-sided lists scroll sideways on a phone.
    filter_horizontal = ()
    actions = ("let_in_again",)
    add_fieldsets = (  # type: ignore[assignment]
        (None, {"fields": ("username", "role", "usable_password", "password1", "password2")}),
    )
    fieldsets = (
        (None, {"fields": ("username", "password", "role", "is_active")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email")}),
        (_("Beyond the role"), {"fields": ("is_staff", "is_superuser", "groups")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        users: QuerySet[User] = super().get_queryset(request).prefetch_related("groups")
        return users

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        own = super().get_readonly_fields(request, obj)
        return own if request.user.is_superuser else (*own, "is_superuser")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_up_to(request, obj) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_up_to(request, obj) and bool(super().has_delete_permission(request, obj))

    @admin.display(description=_("role"))
    def role(self, user: User) -> str:
        return gettext("superuser") if user.is_superuser else role_of(user) or "–"

    @admin.display(description=_("last login"), ordering="last_login")
    def last_seen(self, user: User) -> str:
        return ago(user.last_login) if user.last_login else gettext("never")

    @admin.action(description=_("Unlock: clear the wrong passwords"), permissions=["change"])
    def let_in_again(self, request: HttpRequest, users: QuerySet[User]) -> None:
        names = list(users.values_list("username", flat=True))
        for name in names:
            reset(username=name)
        said = ngettext("%(n)d account can log in again.", "%(n)d accounts can log in again.", len(names))
        messages.success(request, said % {"n": len(names)})


@admin.register(Group)
class GroupAdmin(OwnIdsOnly, DjangoGroupAdmin, ModelAdmin):  # type: ignore[misc]
    """Groups of roles are read-only, because every migration restores them."""

    filter_horizontal = ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not _is_role(obj) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not _is_role(obj) and bool(super().has_delete_permission(request, obj))


def _is_up_to(request: HttpRequest, user: User | None) -> bool:
    return user is None or not user.is_superuser or bool(request.user.is_superuser)


def _is_role(group: Group | None) -> bool:
    return group is not None and group.name in list(Role)
