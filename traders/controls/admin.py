"""The log of controls: who asked what of whom, and why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from traders.controls import queries
from traders.controls.words import control_words, kind_name
from traders.models import TraderControl, TraderControlAck
from traders.pages import csv_text
from traders.pages.config_page import trader_head
from traders.pages.logs import LogAdmin, LogChangeList, LogForm
from traders.schema.controls.rows import AckResult, ControlKind
from traders.templatetags.display import ago
from traders.words.messages import listed
from traders.words.reasons import reason_words
from traders.words.trader_field import TraderField, offered_traders, only_one

COLUMNS = ("id", "at", "trader", "kind", "symbol", "version", "until", "cause", "reason", "actor")
FLEET = "fleet"


class ControlFilterForm(LogForm):
    """`trader` may be the word fleet."""

    trader = TraderField(
        label=gettext_lazy("Trader, or fleet"), words=gettext_lazy("Part of a trader's id or name, or fleet")
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        required=False,
        choices=[
            ("", gettext_lazy("Kind: all")),
            *((kind.value, lazy(kind_name, str)(kind)) for kind in ControlKind),
        ],
    )
    actor = forms.CharField(label=gettext_lazy("Who"), required=False, max_length=200)
    typed = ("actor",)

    def chosen(self, rows: QuerySet[TraderControl]) -> QuerySet[TraderControl]:
        given = self.cleaned_data
        if given["trader"]:
            is_fleet = self.asked["trader"] == FLEET
            rows = rows.filter(trader=None) if is_fleet else rows.filter(trader__in=given["trader"])
        return rows.filter(**{name: given[name] for name in ("kind", "actor") if given[name]})


class ControlChangeList(LogChangeList):
    """With what engines answered to the controls of the page."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        acks: dict[int, list[TraderControlAck]] = {}
        for (number, _trader), ack in queries.newest_acks([row.pk for row in self.result_list]).items():
            acks.setdefault(number, []).append(ack)
        for row in self.result_list:
            row.newest_acks = acks.get(row.pk, [])


@admin.register(TraderControl)
class TraderControlAdmin(LogAdmin):
    change_list = ControlChangeList
    change_list_template = "traders/controls.html"
    filter_form = ControlFilterForm
    csv_file, csv_route, csv_columns = "controls", "traders_controls_csv", COLUMNS
    list_display = ("when", "who", "whom", "what", "why", "heard")
    fieldsets = ((None, {"fields": ("when", "who", "whom", "what", "why", "heard")}),)
    readonly_fields = ("when", "who", "whom", "what", "why", "heard")

    def all_rows(self) -> QuerySet[TraderControl]:
        return queries.log()

    def cells(self, row: TraderControl) -> Iterable[str]:
        return [
            str(row.pk),
            row.at.isoformat(),
            *map(csv_text.harmless, (row.trader_id or FLEET, row.kind, row.symbol or "")),
            str(row.version or ""),
            row.until.isoformat() if row.until else "",
            *map(csv_text.harmless, (row.cause or "", row.reason, row.actor)),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        form = ControlFilterForm(request.GET)
        head = trader_head(request, only_one(form.cleaned_data["trader"])) if form.is_valid() else None
        shown = {"head": head, "traders": offered_traders()}
        return super().changelist_view(request, {**shown, **(extra_context or {})})

    @admin.display(description=gettext_lazy("when"))
    def when(self, row: TraderControl) -> SafeString:
        return ago(row.at)

    @admin.display(description=gettext_lazy("who"))
    def who(self, row: TraderControl) -> str:
        return row.actor

    @admin.display(description=gettext_lazy("trader"))
    def whom(self, row: TraderControl) -> SafeString | str:
        if row.trader_id is None:
            return format_html("<b>{}</b>", _("the fleet"))
        url = reverse("admin:traders_traderconfig_overview", args=[row.trader_id])
        return format_html('<a href="{}"><code>{}</code></a>', url, row.trader_id)

    @admin.display(description=gettext_lazy("control"))
    def what(self, row: TraderControl) -> str:
        return control_words(queries.as_control(row))

    @admin.display(description=gettext_lazy("why"))
    def why(self, row: TraderControl) -> str:
        return reason_words(row.reason)

    @admin.display(description=gettext_lazy("engines"))
    def heard(self, row: TraderControl) -> str:
        acks = getattr(row, "newest_acks", None)
        if acks is None:
            acks = list(queries.newest_acks([row.pk]).values())
        results = sorted(ack.result for ack in acks)
        words = {
            AckResult.DONE: pgettext("engines", "done"),
            AckResult.PARTIAL: pgettext("engines", "partial"),
            AckResult.REFUSED: pgettext("engines", "refused"),
        }
        counts = [(results.count(one), words[AckResult(one)]) for one in dict.fromkeys(results)]
        return listed(_("%(n)d %(result)s") % {"n": n, "result": result} for n, result in counts) or "–"
