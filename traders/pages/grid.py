"""The base class of admins whose objects are read here: a dense list, and a page that shows each leaf of one object;
and the filter by trader of such a list."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy

from traders.pages.in_place import InPlaceAdmin
from traders.pages.keyset import KeysetChangeList
from traders.words.trader_field import TraderField, offered_traders


class ReadOnlyAdmin(InPlaceAdmin):
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


class TraderListFilter(admin.SimpleListFilter):
    """A text field with suggestions, as other lists have it. `column` is a field that holds the id of a trader. The
    template draws `input` where a filter has one."""

    title = gettext_lazy("trader")
    parameter_name = "trader"
    column = "trader"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """None are to choose from; without one Django would leave the filter out."""
        return [("", "")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        try:
            traders = TraderField().clean(self.value() or "")
        except forms.ValidationError:
            # Longer than any id or name.
            return queryset.none()
        return self.narrowed(queryset, traders) if traders else queryset

    def narrowed(self, rows: QuerySet[Any], traders: tuple[str, ...]) -> QuerySet[Any]:
        return rows.filter(**{f"{self.column}__in": traders})

    @property
    def input(self) -> SafeString:
        field = TraderField()
        attrs = {**field.widget_attrs(field.widget), "type": "search"}
        return SafeString(field.widget.render(self.parameter_name, self.value() or "", attrs))

    @property
    def traders(self) -> list[tuple[str, str]]:
        return offered_traders()
