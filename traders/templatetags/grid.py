"""The list of an admin as a dense table, which becomes cards on a phone."""

from __future__ import annotations

from typing import Any

from django import template
from django.contrib.admin.templatetags.admin_list import result_headers
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import display_for_field, display_for_value, lookup_field
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_noop

register = template.Library()
# Columns that are fields, whose names have no translation of their own.
_FIELDS = (gettext_noop("name"), gettext_noop("path"))
OWN_BOXES = "action_checkbox"
"""The column of boxes that Django adds to a list with actions; the table has `ticks`."""


@register.inclusion_tag("traders/parts/grid_table.html")
def grid_table(changes: Any, css_class: str = "", ticks: str = "") -> dict[str, Any]:
    """`changes` is the admin's ChangeList. The first column heads its row.

    `ticks` is the name of a checkbox before each row, which belongs to the form "selection".
    """
    admin = changes.model_admin
    headers = [
        {**header, "text": gettext(str(header["text"])), "name": name, "figure": name in admin.figures}
        for name, header in zip(map(str, changes.list_display), result_headers(changes), strict=True)
        if name != OWN_BOXES
    ]
    columns = [(str(header["name"]), header) for header in headers]
    rows = [
        (row, admin.row_class(row), [(header, _cell(changes, row, name)) for name, header in columns])
        for row in changes.result_list
    ]
    label = changes.opts.verbose_name_plural
    return {"headers": headers, "rows": rows, "css_class": css_class, "label": label, "ticks": ticks}


def _cell(changes: Any, row: Any, name: str) -> Any:
    admin = changes.model_admin
    field, described, value = lookup_field(name, row, admin)
    empty = getattr(described, "empty_value_display", admin.get_empty_value_display())
    shown = display_for_field(value, field, empty) if field else display_for_value(value, empty)
    if name not in (changes.list_display_links or ()):
        return shown
    kept = {"preserved_filters": changes.preserved_filters, "opts": changes.opts}
    return format_html('<a href="{}">{}</a>', add_preserved_filters(kept, changes.url_for_result(row)), shown)
