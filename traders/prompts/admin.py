"""The stored texts of prompts: the list, one text, and routes to the pages that compare and write them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from traders.drafts.pages import answer_of_draft
from traders.models import PromptText
from traders.pages.config_page import ConfigPage
from traders.pages.grid import ReadOnlyAdmin
from traders.pages.guarded import guarded_path
from traders.pages.keyset import KeysetChangeList
from traders.prompt_texts import writer as stored
from traders.prompts.editing import create_view, edit_view
from traders.prompts.pages import beside_text, cell_part, compare_view, may_edit, missing, summaries
from traders.templatetags.display import NONE, ago


class InUseFilter(SimpleListFilter):
    title = _("in use")
    parameter_name = "used"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("by a trader"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PromptText]) -> QuerySet[PromptText]:
        return queryset.filter(pk__in={use.sha256 for use in stored.uses()}) if self.value() == "1" else queryset


class PromptChangeList(KeysetChangeList):
    by_time = False
    counts = True

    def fetch(self, rows: QuerySet[PromptText]) -> list[Any]:
        return super().fetch(rows.defer("body"))

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        for text, summary in zip(self.result_list, summaries(self.result_list), strict=True):
            text.summary = summary


@admin.register(PromptText)
class PromptTextAdmin(ReadOnlyAdmin):
    """A text is never changed or deleted: to edit one is to store another and to move its traders there."""

    change_list = PromptChangeList
    change_list_template = "traders/prompts.html"
    change_form_template = "traders/prompt.html"
    list_display = ("path", "version_cell", "short_digest", "first_seen", "traders", "file", "compare")
    list_display_links = ("path",)
    list_filter = (InUseFilter,)
    search_fields = ("path", "version", "^sha256")
    ordering = ("path", "-first_seen_at", "sha256")
    figures = frozenset({"traders"})
    fieldsets = (
        (None, {"fields": ("version_cell", "digest", "first_seen")}),
        (_("Text"), {"fields": ("whole_text",), "classes": ("wide",)}),
    )
    readonly_fields = ("version_cell", "digest", "first_seen", "whole_text")

    def get_urls(self) -> list[URLPattern]:
        return [
            guarded_path(self, "compare/", compare_view, "traders_prompts_compare", self.has_view_permission),
            guarded_path(self, "<str:object_id>/edit/", edit_view, "traders_prompt_edit", may_edit),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"may_add": self.has_add_permission(request), **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        text = PromptText.objects.filter(pk=object_id).first() if self.has_view_permission(request) else None
        beside = beside_text(request, text) if text else {}
        return super().change_view(request, object_id, form_url, {**beside, **(extra_context or {})})

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return answer_of_draft(request) or create_view(ConfigPage(self, request, ""))

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        return missing(request, object_id)

    @admin.display(description=_("version"))
    def version_cell(self, text: PromptText) -> str:
        return text.version or NONE

    @admin.display(description=_("digest"))
    def short_digest(self, text: PromptText) -> SafeString:
        return format_html("<code>{}</code>", text.sha256[:12])

    @admin.display(description=_("digest"))
    def digest(self, text: PromptText) -> SafeString:
        return format_html("<code>{}</code>", text.sha256)

    @admin.display(description=_("first seen"))
    def first_seen(self, text: PromptText) -> SafeString:
        return ago(text.first_seen_at)

    @admin.display(description=_("traders"))
    def traders(self, text: Any) -> int:
        return int(text.summary.traders)

    @admin.display(description=_("file"))
    def file(self, text: Any) -> SafeString:
        return cell_part("prompt_file.html", text)

    @admin.display(description=_("compare"))
    def compare(self, text: Any) -> SafeString:
        return cell_part("prompt_radios.html", text)

    @admin.display(description=_("text"))
    def whole_text(self, text: PromptText) -> SafeString:
        return format_html(
            '<div class="scroll"><pre class="prompt-text" tabindex="0" aria-label="{}">{}</pre></div>',
            _("Text"),
            text.body,
        )
