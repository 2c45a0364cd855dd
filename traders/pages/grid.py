"""The base class of admins whose objects are read here: a dense list, and a page that shows each leaf of one object."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst
from unfold.admin import ModelAdmin

from traders.pages.keyset import KeysetChangeList


class ReadOnlyAdmin(ModelAdmin):
    """The stock list and object page, in templates of the control plane. A subclass adds `list_display`,
    `list_filter`, `fieldsets` and callables in `readonly_fields`.

    `figures` names the columns that align right. Texts of a fieldset with the class "wide" take the whole width.
    """

    change_list_template = "traders/grid_list.html"
    change_form_template = "traders/leaves.html"
    change_list: type[KeysetChangeList] = KeysetChangeList
    figures: frozenset[str] = frozenset()
    actions = None
    list_per_page = 50
    search_help_text = ""
    show_full_result_count = False
    sortable_by = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return self.change_list

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def row_class(self, row: Any) -> str:
        """The CSS class of a row of the list."""
        return ""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {"title": capfirst(self.opts.verbose_name_plural), **(extra_context or {})}
        return super().changelist_view(request, context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"title": capfirst(self.opts.verbose_name), "subtitle": None, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)
