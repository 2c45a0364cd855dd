"""The audit of access: who logged in or failed, and who changed who may do what. Read by Admins only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from traders.audit.rules import WORDS, AuditKind
from traders.models import AuditEntry
from traders.pages import csv_text
from traders.pages.logs import LogAdmin, LogForm
from traders.templatetags.display import ago, when
from traders.words.messages import translated

COLUMNS = ("id", "at", "kind", "account", "account_id", "address", "subject", "text", "keep_until")
BAD = frozenset({AuditKind.LOGIN_FAILED, AuditKind.LOCKED_OUT})
RISKY = frozenset({AuditKind.FACTOR_REMOVED, AuditKind.RECOVERY_USED, AuditKind.ROLE_CHANGED})

_words: Any = lazy(lambda kind: translated(WORDS[kind]), str)


class AuditFilterForm(LogForm):
    """`who` is an account or token, as the one who did it or the one it was done to."""

    kind = forms.ChoiceField(
        label=_("Kind"),
        required=False,
        choices=[("", _("Kind: all")), *((kind.value, _words(kind)) for kind in AuditKind)],
    )
    who = forms.CharField(label=_("Account or token"), required=False, max_length=200)
    address = forms.CharField(label=_("Address"), required=False, max_length=64)
    typed = ("who", "address")

    def chosen(self, rows: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        given = self.cleaned_data
        if given["who"]:
            rows = rows.filter(Q(actor=given["who"]) | Q(subject=given["who"]))
        return rows.filter(**{name: given[name] for name in ("kind", "address") if given[name]})


@admin.register(AuditEntry)
class AuditEntryAdmin(LogAdmin):
    change_list_template = "traders/audit.html"
    filter_form = AuditFilterForm
    csv_file, csv_route, csv_columns = "audit", "traders_audit_csv", COLUMNS
    list_display = ("when", "what", "who", "whom", "where", "said")
    fieldsets = ((None, {"fields": ("when", "what", "who", "whom", "where", "said", "kept")}),)
    readonly_fields = ("when", "what", "who", "whom", "where", "said", "kept")

    def cells(self, row: AuditEntry) -> Iterable[str]:
        return [
            str(row.pk),
            row.at.isoformat(),
            row.kind,
            csv_text.harmless(row.actor),
            str(row.account_id or ""),
            *map(csv_text.harmless, (row.address or "", row.subject, row.text)),
            row.keep_until.isoformat(),
        ]

    @admin.display(description=_("when"))
    def when(self, row: AuditEntry) -> SafeString:
        return ago(row.at)

    @admin.display(description=_("what"))
    def what(self, row: AuditEntry) -> SafeString | str:
        kind = AuditKind(row.kind) if row.kind in list(AuditKind) else None
        words = translated(WORDS[kind]) if kind else row.kind
        tone = "wrong" if kind in BAD else "risky" if kind in RISKY else ""
        return format_html('<span class="tag {}">{}</span>', tone, words) if tone else words

    @admin.display(description=_("who"))
    def who(self, row: AuditEntry) -> str:
        return row.actor

    @admin.display(description=_("concerns"))
    def whom(self, row: AuditEntry) -> str:
        return row.subject or "–"

    @admin.display(description=_("address"))
    def where(self, row: AuditEntry) -> SafeString | str:
        return format_html("<code>{}</code>", row.address) if row.address else "–"

    @admin.display(description=_("detail"))
    def said(self, row: AuditEntry) -> SafeString | str:
        """As it is stored, which is English on every page."""
        return format_html('<span lang="en">{}</span>', row.text) if row.text else "–"

    @admin.display(description=_("kept until"))
    def kept(self, row: AuditEntry) -> SafeString:
        return when(row.keep_until)
