"""The columns of the traders list."""

from __future__ import annotations

from django.contrib import admin
from django.db.models.fields.json import KT
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traders.models import TraderConfig
from traders.runtime.rules import State
from traders.runtime.states import state_of_trader
from traders.templatetags.desk import ago, pct, state_mark
from traders.words import settings as words
from traders.words.moments import ago_words


class TraderColumns:
    """Each method is one cell; `last_by` and `last_reason` are annotated by the list's query."""

    @admin.display(description=gettext_lazy("trader"), ordering="id")
    def trader(self, row: TraderConfig) -> SafeString:
        url = reverse("admin:traders_traderconfig_change", args=[row.id])
        return format_html(
            '<a href="{}" class="name">{}</a><code class="faint">{}</code>', url, row.detail["display_name"], row.id
        )

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: TraderConfig) -> SafeString:
        now = timezone.now()
        found = state_of_trader(row, now)
        return state_mark(found, ago_words(row.runtime_state.updated_at, now) if found is State.STALE else "")

    @admin.display(description=gettext_lazy("version"), ordering="version")
    def version_cell(self, row: TraderConfig) -> SafeString:
        active = row.runtime_state.active_config_version
        if active is None or active == row.version:
            return format_html("v{}", row.version)
        return format_html(
            '<span title="{}">v{} → <b>v{}</b></span>', _("the engine's version → the latest"), active, row.version
        )

    @admin.display(description=gettext_lazy("exchange / market"), ordering="exchange_provider")
    def providers(self, row: TraderConfig) -> SafeString:
        if row.market_provider == row.exchange_provider:
            return format_html("<span>{}</span>", row.exchange_provider)
        return format_html('<span>{}</span><span class="faint">{}</span>', row.exchange_provider, row.market_provider)

    @admin.display(description=gettext_lazy("model"), ordering=KT("detail__llm__model"))
    def llm_model(self, row: TraderConfig) -> SafeString:
        name = row.detail["llm"]["model"]
        return format_html("{}", name) if name else format_html('<span class="faint">{}</span>', _("default"))

    @admin.display(description=gettext_lazy("every"), ordering="detail__llm__decision_interval_seconds")
    def every(self, row: TraderConfig) -> str:
        return words.duration(row.detail["llm"]["decision_interval_seconds"])

    @admin.display(description=gettext_lazy("alloc %"), ordering="allocation_pct")
    def alloc(self, row: TraderConfig) -> str:
        return pct(row.allocation_pct)

    @admin.display(description=gettext_lazy("last change"), ordering="updated_at")
    def last_change(self, row: TraderConfig) -> SafeString:
        by, reason = row.last_by, row.last_reason  # type: ignore[attr-defined]
        return format_html(
            '<span><b>{}</b> · {}</span><span class="faint" title="{}">{}</span>',
            by,
            ago(row.updated_at),
            reason,
            reason,
        )
