"""The columns of the traders list."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traders.controls.words import ControlShown
from traders.models import TraderConfig
from traders.runtime.rules import State
from traders.runtime.states import state_of_trader
from traders.templatetags.display import ago, pct, state_mark
from traders.words import settings as words
from traders.words.moments import ago_words
from traders.words.reasons import reason_words


class TraderColumns:
    """Each method is one cell. None looks into `detail`, which the list does not read and another program may have
    filled with anything. `last_by` and `last_reason` are annotated by the list's query."""

    @admin.display(description=gettext_lazy("trader"), ordering="id")
    def trader(self, row: TraderConfig) -> SafeString:
        url = reverse("admin:traders_traderconfig_overview", args=[row.id])
        return format_html(
            '<a href="{}" class="name">{}</a><code class="faint">{}</code>', url, row.display_name or row.id, row.id
        )

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: TraderConfig) -> SafeString:
        now = timezone.now()
        found = state_of_trader(row, now)
        return state_mark(found, ago_words(row.runtime_state.updated_at, now) if found is State.STALE else "")

    @admin.display(description=gettext_lazy("wanted"))
    def wanted(self, row: TraderConfig) -> SafeString | str:
        """What is wanted in a word; on hover who asked, when, and what its engine reported."""
        shown: ControlShown | None = row.control  # type: ignore[attr-defined]
        if shown is None:
            return ""
        parts = [format_html('<span title="{}; {}">{}</span>', shown.wanted, shown.observed, shown.short)]
        if shown.state.pinned_version is not None:
            parts.append(
                format_html('<span class="faint">{}</span>', _("pinned to v%(n)d") % {"n": shown.state.pinned_version})
            )
        parts += [format_html('<span class="alarming">{}</span>', warning) for warning in shown.warnings]
        return format_html_join("", "{}", ((part,) for part in parts))

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

    @admin.display(description=gettext_lazy("model"), ordering="model")
    def llm_model(self, row: TraderConfig) -> SafeString:
        return format_html("{}", row.model) if row.model else format_html('<span class="faint">{}</span>', _("default"))

    @admin.display(description=gettext_lazy("every"), ordering="decision_interval_seconds")
    def every(self, row: TraderConfig) -> str:
        return words.duration(row.decision_interval_seconds) if row.decision_interval_seconds else ""

    @admin.display(description=gettext_lazy("alloc %"), ordering="allocation_pct")
    def alloc(self, row: TraderConfig) -> str:
        return pct(row.allocation_pct)

    @admin.display(description=gettext_lazy("last change"), ordering="updated_at")
    def last_change(self, row: TraderConfig) -> SafeString:
        by, reason = row.last_by, reason_words(row.last_reason or "")  # type: ignore[attr-defined]
        return format_html(
            '<span><b>{}</b> · {}</span><span class="faint" title="{}">{}</span>',
            by,
            ago(row.updated_at),
            reason,
            reason,
        )
