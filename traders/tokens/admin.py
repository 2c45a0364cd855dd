"""API tokens: the list, one token, and routes to the pages that make and revoke one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from traders.models import ApiToken
from traders.pages.config_page import ConfigPage
from traders.pages.grid import ReadOnlyAdmin
from traders.pages.guarded import guarded_path
from traders.pages.keyset import KeysetChangeList
from traders.schema.tokens import ClockAhead, TokenState
from traders.templatetags.display import ago
from traders.tokens import services as tokens
from traders.tokens.pages import TokenSummary, create_view, may_revoke, revoke_view
from traders.words.messages import translated

WORKS = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=Now()))


class TokenChangeList(KeysetChangeList):
    counts = True

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        now = timezone.now()
        self.active_count = self.root_queryset.filter(WORKS).count()
        clocks = tokens.clocks()
        for row in self.result_list:
            row.summary = TokenSummary.of_row(row, now)
            row.clock = clocks.get(row.pk)


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    """Made, looked at and revoked; a token is never changed or deleted."""

    change_list = TokenChangeList
    change_list_template = "traders/tokens.html"
    list_display = ("name", "state", "may", "reach", "begins", "made", "last_used", "revoke")
    list_display_links = ("name",)
    fieldsets = ((None, {"fields": ("state", "may", "whole_reach", "begins", "made", "last_used")}),)
    readonly_fields = ("state", "may", "whole_reach", "begins", "made", "last_used")

    def get_urls(self) -> list[URLPattern]:
        revoke = guarded_path(self, "<int:token_id>/revoke/", revoke_view, "traders_apitoken_revoke", may_revoke)
        return [revoke, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        """`standing` puts the tokens that work first, then the expired and the revoked ones."""
        standing = Case(
            When(WORKS, then=Value(0)), When(revoked_at=None, then=Value(1)), default=2, output_field=IntegerField()
        )
        return ApiToken.objects.annotate(standing=standing).order_by(*self.get_ordering(request))

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return ["standing", "-created_at", "-id"]

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A page of its own: its answer is the only place where the token is shown."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return create_view(ConfigPage(self, request, ""))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"may_add": self.has_add_permission(request), **(extra_context or {})})

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [name for name in self.list_display if name != "revoke" or may_revoke(request)]

    def row_class(self, row: Any) -> str:
        return f"is-{row.summary.state}"

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: ApiToken) -> SafeString:
        return _part("token_state", row=_summary(row))

    @admin.display(description=gettext_lazy("may"))
    def may(self, row: ApiToken) -> SafeString:
        tags = format_html_join(
            " ", '<span class="tag" translate="no">{}</span>', ((scope,) for scope in sorted(row.scopes))
        )
        return format_html('<span class="scopes">{}</span>', tags)

    @admin.display(description=gettext_lazy("for"))
    def reach(self, row: ApiToken) -> SafeString:
        return _part("token_reach", row=_summary(row), shown=_summary(row).first_traders)

    @admin.display(description=gettext_lazy("for"))
    def whole_reach(self, row: ApiToken) -> SafeString:
        return _part("token_reach", row=_summary(row), shown=_summary(row).traders)

    @admin.display(description=gettext_lazy("begins with"))
    def begins(self, row: ApiToken) -> SafeString:
        return format_html("<code>{}</code>", _summary(row).begins)

    @admin.display(description=gettext_lazy("made"))
    def made(self, row: ApiToken) -> SafeString:
        return format_html("<span>{} · {}</span>", row.created_by, ago(row.created_at))

    @admin.display(description=gettext_lazy("last used"))
    def last_used(self, row: ApiToken) -> SafeString:
        used = ago(row.last_used_at) if row.last_used_at else format_html('<span class="faint">{}</span>', _("never"))
        clock = row.clock if hasattr(row, "clock") else tokens.clocks().get(row.pk)
        return used if clock is None else format_html("{} {}", used, _clock_mark(clock))

    @admin.display(description=gettext_lazy("revoke"), empty_value="")
    def revoke(self, row: Any) -> SafeString:
        if row.summary.state is TokenState.REVOKED:
            return SafeString("")
        url, label = reverse("admin:traders_apitoken_revoke", args=[row.pk]), _("Revoke %(name)s") % {"name": row.name}
        return format_html('<a href="{}" aria-label="{}">{}</a>', url, label, _("Revoke"))


def _clock_mark(clock: ClockAhead) -> SafeString:
    """That the engine's clock is ahead of this server's, and what was refused for it."""
    said = ngettext(
        "%(n)d record refused: it is ahead of this server's clock",
        "%(n)d records refused: they are ahead of this server's clock",
        clock.refused,
    ) % {"n": clock.refused}
    words = translated(clock.words)
    return format_html(
        '<span class="tag wrong" title="{}">{}</span> <span class="faint">{}</span>', said, words, ago(clock.last_at)
    )


def _summary(row: Any) -> TokenSummary:
    """Made once for each row of a list."""
    found: TokenSummary = getattr(row, "summary", None) or TokenSummary.of_row(row, timezone.now())
    return found


def _part(name: str, **context: Any) -> SafeString:
    return SafeString(f"<span>{render_to_string(f'traders/parts/{name}.html', context)}</span>")
