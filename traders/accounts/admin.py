"""The admin of users, with their roles, and of groups."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from axes.utils import reset
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import model_format_dict
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm

from traders.accounts.audited import actor_of, note_account, note_account_saved, note_group_saved
from traders.accounts.factors import writer as factors
from traders.accounts.factors.services import factor_of, is_required
from traders.accounts.forms import AccountChangeForm, AccountCreationForm, GroupForm, PermissionsField
from traders.accounts.listing import (
    AccountChangeList,
    AccountStateFilter,
    GroupChangeList,
    RoleFilter,
    is_role,
    state_of,
)
from traders.accounts.permissions import permission_table
from traders.accounts.sessions.pages import sessions_view
from traders.accounts.sessions.queries import open_sessions
from traders.accounts.words import group_words, offered_permissions
from traders.accounts.writer import role_of, whole
from traders.audit.rules import AuditKind
from traders.pages.config_page import ConfigPage
from traders.pages.guarded import guarded_path
from traders.pages.in_place import InPlaceAdmin
from traders.templatetags.display import ago

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


class ListedActions:
    """The list of the site with a box before each row, and a button for each action. `list_title` is the word of the
    menu: in Chinese Django has another one."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        model_admin: Any = self
        actions = [
            (name, words % model_format_dict(model_admin.opts))
            for name, (_action, _name, words) in model_admin.get_actions(request).items()
        ]
        shown = {
            "title": model_admin.list_title,
            "list_actions": actions,
            "ticks": ACTION_CHECKBOX_NAME if actions else "",
        }
        return super().changelist_view(request, {**shown, **(extra_context or {})})  # type: ignore[misc]


@admin.register(User)
class UserAdmin(OwnIdsOnly, ListedActions, DjangoUserAdmin, InPlaceAdmin):  # type: ignore[misc, type-arg]
    """Only a superuser can add or change a superuser, so the role Admin cannot raise its own rights."""

    list_title = _("Users")
    form = AccountChangeForm
    add_form = AccountCreationForm
    add_form_template = "traders/form_page.html"
    change_password_form = AdminPasswordChangeForm
    change_list_template = "traders/users.html"
    list_display = ("account", "role", "state", "last_seen", "factor", "sessions_open")
    list_display_links = ("account",)
    list_filter = (RoleFilter, AccountStateFilter)
    ordering = ("username",)
    sortable_by = ("account", "last_seen")
    list_per_page = 50
    figures = frozenset({"sessions_open"})
    readonly_fields = ("last_login", "date_joined", "open_sessions", "second_factor_since")
    # The theme's two-sided lists scroll sideways on a phone.
    filter_horizontal = ()
    actions = ("let_in_again", "remove_factor")
    add_fieldsets = (  # type: ignore[assignment]
        (None, {"fields": ("username", "role", "usable_password", "password1", "password2")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email")}),
    )
    fieldsets = (
        (None, {"fields": ("username", "password", "role", "is_active")}),
        (pgettext_lazy("account", "Person"), {"fields": ("first_name", "last_name", "email")}),
        (_("Beyond the role"), {"fields": ("is_staff", "is_superuser", "groups")}),
        (_("Access"), {"fields": ("last_login", "date_joined", "open_sessions", "second_factor_since")}),
    )

    def get_urls(self) -> list[URLPattern]:
        sessions = guarded_path(
            self, "<int:user_id>/sessions/", self.sessions, "auth_user_sessions", self.has_view_permission
        )
        return [sessions, *super().get_urls()]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return AccountChangeList

    def row_class(self, row: User) -> str:
        return "" if row.is_active else "is-off"

    def sessions(self, page: ConfigPage, user_id: int) -> HttpResponse:
        user = User.objects.filter(pk=user_id).first()
        if user is None:
            raise Http404
        return sessions_view(page.request, user, may_end=self.has_change_permission(page.request, user))

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

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        note_account_saved(request, form, is_change=change)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        with whole():
            note_account(request, AuditKind.ACCOUNT_DELETED, obj.get_username())
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        with whole():
            for user in queryset:
                note_account(request, AuditKind.ACCOUNT_DELETED, user.get_username())
            super().delete_queryset(request, queryset)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        with whole():
            answer = super().user_change_password(request, id, form_url)
            if request.method == "POST" and answer.status_code == HTTPStatus.FOUND:
                note_account(request, AuditKind.PASSWORD_SET, User.objects.get(pk=id).get_username())
        return answer

    @admin.display(description=_("account"), ordering="username")
    def account(self, user: User) -> SafeString:
        return format_html('<bdi>{}</bdi> <span class="faint">{}</span>', user.get_username(), user.get_full_name())

    @admin.display(description=_("role"))
    def role(self, user: User) -> SafeString | str:
        """With the groups beside it."""
        role = role_of(user)
        said = gettext("superuser") if user.is_superuser else group_words(role) if role else gettext("none")
        others = [group.name for group in user.groups.all() if not is_role(group)]
        return format_html('{} <span class="faint">+ {}</span>', said, ", ".join(others)) if others else said

    @admin.display(description=_("state"))
    def state(self, user: Any) -> SafeString:
        return state_of(user)

    @admin.display(description=_("last login"), ordering="last_login")
    def last_seen(self, user: User) -> SafeString:
        return (
            ago(user.last_login) if user.last_login else format_html('<span class="faint">{}</span>', gettext("never"))
        )

    @admin.display(description=_("second factor"))
    def factor(self, user: Any) -> SafeString:
        if user.factor:
            return format_html("{} {}", gettext("since"), ago(user.factor.added_at))
        if is_required(user):
            return format_html('<span class="tag risky">{}</span>', gettext("due at the next login"))
        return format_html('<span class="faint">{}</span>', gettext("none"))

    @admin.display(description=_("sessions"))
    def sessions_open(self, user: Any) -> SafeString | str:
        if not user.n_sessions:
            return "–"
        return format_html('<a href="{}">{}</a>', reverse("admin:auth_user_sessions", args=[user.pk]), user.n_sessions)

    @admin.display(description=_("second factor"))
    def second_factor_since(self, user: User) -> SafeString | str:
        factor = factor_of(user)
        return format_html("{} {}", gettext("since"), ago(factor.added_at)) if factor else gettext("none")

    @admin.display(description=_("sessions"))
    def open_sessions(self, user: User) -> SafeString:
        n = len(open_sessions(user))
        url = reverse("admin:auth_user_sessions", args=[user.pk])
        return format_html('<a href="{}">{}</a>', url, ngettext("%(n)d open", "%(n)d open", n) % {"n": n})

    @admin.action(description=_("Unlock: clear the wrong passwords"), permissions=["change"])
    def let_in_again(self, request: HttpRequest, users: QuerySet[User]) -> None:
        names = list(users.values_list("username", flat=True))
        for name in names:
            reset(username=name)
            note_account(request, AuditKind.UNLOCKED, name)
        said = ngettext("%(n)d account can log in again.", "%(n)d accounts can log in again.", len(names))
        messages.success(request, said % {"n": len(names)})

    @admin.action(description=_("Remove the second factor"), permissions=["change"])
    def remove_factor(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """For a person who lost the phone and the recovery codes."""
        may = [user for user in users if self.has_change_permission(request, user)]
        n = sum(factors.remove(user, actor=actor_of(request.user)) for user in may)
        said = ngettext("%(n)d second factor was removed.", "%(n)d second factors were removed.", n)
        messages.success(request, said % {"n": n})


@admin.register(Group)
class GroupAdmin(OwnIdsOnly, ListedActions, DjangoGroupAdmin, InPlaceAdmin):  # type: ignore[misc]
    """Groups of roles are read-only, because every migration restores them."""

    list_title = _("Groups")
    form = GroupForm
    filter_horizontal = ()
    change_list_template = "traders/groups.html"
    list_display = ("group", "kind", "members", "permitted")
    list_display_links = ("group",)
    ordering = ("name",)
    sortable_by = ()
    figures = frozenset({"members", "permitted"})
    fieldsets = ((None, {"fields": ("name", "permissions")}),)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return GroupChangeList

    def row_class(self, row: Group) -> str:
        return ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        groups: QuerySet[Group] = super().get_queryset(request)
        counts = {"n_members": Count("user", distinct=True), "n_permissions": Count("permissions", distinct=True)}
        return groups.annotate(**counts)

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        return db_field.formfield(form_class=PermissionsField) if db_field.name == "permissions" else None

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if self.has_change_permission(request, obj):
            return super().get_fieldsets(request, obj)
        return ((None, {"fields": ("group", "members", "may")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if self.has_change_permission(request, obj) else ("group", "members", "may")

    @admin.display(description=_("group"), ordering="name")
    def group(self, group: Group) -> str:
        return group_words(group.name)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        group = self.get_object(request, object_id)
        named = {"subtitle": group_words(group.name)} if group else {}
        return super().change_view(request, object_id, form_url, {**named, **(extra_context or {})})

    @admin.display(description=_("kind"))
    def kind(self, group: Group) -> SafeString | str:
        return format_html('<span class="tag">{}</span>', gettext("role")) if is_role(group) else gettext("own")

    @admin.display(description=_("members"))
    def members(self, group: Any) -> SafeString | str:
        url = f"{reverse('admin:auth_user_changelist')}?{urlencode({'role': group.name})}"
        return format_html('<a href="{}">{}</a>', url, group.n_members) if is_role(group) else str(group.n_members)

    @admin.display(description=_("permissions"))
    def permitted(self, group: Any) -> str:
        return f"{group.n_permissions:,}"

    @admin.display(description=_("permissions"))
    def may(self, group: Group) -> SafeString:
        return permission_table(offered_permissions(group), set(group.permissions.values_list("pk", flat=True)))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not is_role(obj) and bool(super().has_change_permission(request, obj))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        note_group_saved(request, form, is_change=change)

    def delete_model(self, request: HttpRequest, obj: Group) -> None:
        with whole():
            note_account(request, AuditKind.GROUP_CHANGED, obj.name, "deleted")
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Group]) -> None:
        with whole():
            for group in queryset:
                note_account(request, AuditKind.GROUP_CHANGED, group.name, "deleted")
            super().delete_queryset(request, queryset)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not is_role(obj) and bool(super().has_delete_permission(request, obj))


def _is_up_to(request: HttpRequest, user: User | None) -> bool:
    return user is None or not user.is_superuser or bool(request.user.is_superuser)
