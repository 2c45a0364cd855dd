"""The lists of accounts and of groups: their filters, and what a page of them knows of each row."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from traders.accounts.rules import Role
from traders.accounts.sessions.queries import open_counts
from traders.accounts.words import group_words
from traders.accounts.writer import role_of
from traders.models import SecondFactor
from traders.pages.keyset import KeysetChangeList

SUPERUSER, NO_ROLE = "superuser", "none"
ACTIVE, OFF = "active", "off"
WRONG_WITHIN = timedelta(hours=1)
"""Wrong passwords that are shown beside an account; the login counts them for a shorter time."""


class RoleFilter(admin.SimpleListFilter):
    title = gettext_lazy("role")
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        roles = [(role.value, group_words(role)) for role in Role]
        return [*roles, (SUPERUSER, _("superuser")), (NO_ROLE, _("no role"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        asked = self.value()
        if asked in list(Role):
            return queryset.filter(groups__name=asked, is_superuser=False)
        if asked == SUPERUSER:
            return queryset.filter(is_superuser=True)
        if asked == NO_ROLE:
            return queryset.exclude(Q(groups__name__in=list(Role)) | Q(is_superuser=True))
        return queryset


class AccountStateFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(ACTIVE, _("active")), (OFF, _("switched off"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        return queryset.filter(is_active=self.value() == ACTIVE) if self.value() in (ACTIVE, OFF) else queryset


class AccountChangeList(KeysetChangeList):
    """Each row has `factor` (None: none), `n_sessions` (open ones) and `n_wrong` (passwords of the last hour)."""

    counts = True
    by_time = False
    with_unknown = frozenset({"last_login"})

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        users = list(self.result_list)
        factors = {row.user_id: row for row in SecondFactor.objects.filter(user__in=users)}
        sessions, wrong = open_counts(users), wrong_passwords([user.get_username() for user in users])
        for user in users:
            user.factor, user.n_sessions = factors.get(user.pk), sessions.get(user.pk, 0)
            user.n_wrong = wrong.get(user.get_username(), 0)


class GroupChangeList(KeysetChangeList):
    counts = True
    by_time = False


def state_of(user: Any) -> SafeString:
    """Whether a row of the list can log in, with its wrong passwords."""
    css, icon, words = "state-running", "check_circle", _("active")
    if not user.is_active:
        css, icon, words = "", "block", _("switched off")
    elif not (user.is_staff or user.is_superuser or role_of(user)):
        css, icon, words = "state-stale", "block", _("no role: cannot log in")
    mark = format_html(
        '<span class="state {}"><span class="material-symbols-outlined" aria-hidden="true">{}</span>{}</span>',
        *(css, icon, words),
    )
    if not user.n_wrong:
        return mark
    wrong = ngettext("%(n)d wrong password", "%(n)d wrong passwords", user.n_wrong) % {"n": user.n_wrong}
    return format_html('{} <span class="tag wrong">{}</span>', mark, wrong)


def wrong_passwords(names: list[str]) -> dict[str, int]:
    """{account: its wrong passwords of the last hour}, of those that have some."""
    recent = AccessAttempt.objects.filter(username__in=names, attempt_time__gt=timezone.now() - WRONG_WITHIN)
    found = recent.values_list("username").annotate(n=Sum("failures_since_start")).order_by()
    return {str(name): int(n) for name, n in found}


def is_role(group: Group | None) -> bool:
    return group is not None and group.name in list(Role)
