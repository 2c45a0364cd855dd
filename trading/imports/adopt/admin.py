"""What was moved in from the database of an earlier program, when, and what was refused. Read by Admins only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from traders.pages.grid import ReadOnlyAdmin
from traders.templatetags.display import ago
from traders.words.kept_messages import read_message
from traders.words.messages import translated
from trading.imports.adopt.generations import DETAIL, LEGACY, SQUASHED
from trading.models import MoveIn

_GENERATIONS = {LEGACY.code: _("first schema"), DETAIL.code: _("schema with details"), SQUASHED.code: _("last schema")}
COUNTS = {
    "inserted": _("new"),
    "known": _("known"),
    "refused": _("refused"),
    "conflicts": _("in conflict"),
    "skipped": _("left alone"),
}


@admin.register(MoveIn)
class MoveInAdmin(ReadOnlyAdmin):
    change_list_template = "trading/move_ins.html"
    change_form_template = "trading/move_in.html"
    list_display = ("when", "database", "schema", "new", "known", "refused_rows", "who")
    list_display_links = ("when",)
    figures = frozenset({"new", "known", "refused_rows"})
    fieldsets = ((None, {"fields": ("when", "database", "schema", "new", "known", "refused_rows", "took", "who")}),)
    readonly_fields = ("when", "database", "schema", "new", "known", "refused_rows", "took", "who")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return ["-id"]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row: Any = self.get_object(request, object_id)
        context = {} if row is None else _shown(row)
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    @admin.display(description=_("when"))
    def when(self, row: MoveIn) -> SafeString:
        return ago(row.at)

    @admin.display(description=_("database"))
    def database(self, row: MoveIn) -> SafeString:
        return _name(row.source)

    @admin.display(description=_("kind"))
    def schema(self, row: MoveIn) -> str:
        return str(_GENERATIONS.get(row.generation, row.generation))

    @admin.display(description=_("new rows"))
    def new(self, row: MoveIn) -> str:
        return f"{_sum(row, 'inserted'):,}"

    @admin.display(description=_("known rows"))
    def known(self, row: MoveIn) -> str:
        return f"{_sum(row, 'known'):,}"

    @admin.display(description=_("refused rows"))
    def refused_rows(self, row: MoveIn) -> str:
        return f"{row.refused:,}"

    @admin.display(description=_("took"))
    def took(self, row: MoveIn) -> str:
        return f"{float(row.report.get('seconds', 0)):,.1f} s"

    @admin.display(description=_("actor"))
    def who(self, row: MoveIn) -> SafeString:
        return _name(row.actor)


def _sum(row: MoveIn, name: str) -> int:
    return sum(int(table.get(name, 0)) for table in row.report.get("tables", {}).values())


def _shown(row: MoveIn) -> dict[str, Any]:
    report = row.report
    return {
        "counted": list(COUNTS.values()),
        "tables": [
            (name, [(label, f"{table.get(count, 0):,}") for count, label in COUNTS.items()])
            for name, table in sorted(report.get("tables", {}).items())
        ],
        "left_behind": [
            one | {"rows": f"{one.get('rows', 0):,}", "reason": _said(one.get("reason"))}
            for one in report.get("left_behind", [])
        ],
        "notes": [_said(note) for note in report.get("notes", [])],
        "created": report.get("traders_created", []),
        "moved": report.get("traders_moved", []),
        "closed": report.get("closed", 0),
        "rejects": [one | {"message": _said(one.get("message"))} for one in row.rejects],
        "more_rejects": max(0, row.refused - len(row.rejects)),
    }


def _said(stored: Any) -> str:
    return translated(read_message(stored))


def _name(text: str) -> SafeString:
    """Of a database or a person: it has no language."""
    return format_html('<span translate="no">{}</span>', text)
