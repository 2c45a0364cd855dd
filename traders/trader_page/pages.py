"""The view: the parts of this layer and those that the record adds, each drawn apart."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traders.database.apart import apart, page_reads
from traders.pages import seams
from traders.pages.changes import rows
from traders.pages.config_page import ConfigPage
from traders.pages.seams import TraderPart
from traders.pages.versions import changes_since
from traders.trader_page.settings import groups_of
from traders.trader_page.timeline import timeline
from traders.versions import services as configs
from traders.versions.rules.errors import UnknownConfig

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ShownPart:
    """`title` is empty for a part whose HTML has a heading of its own."""

    key: str
    title: str | Promise
    html: SafeString | str
    is_live: bool


def trader_view(page: ConfigPage) -> HttpResponse:
    """A fault in one part costs that part."""
    if page.trader is None:
        return page.gone()
    parts = sorted([*_own(), *seams.trader_parts], key=lambda part: part.place)
    written = {part.key: attempted(part, page) for part in parts if part.writes}
    with page_reads():
        written |= {part.key: attempted(part, page) for part in parts if not part.writes}
    shown = [ShownPart(part.key, part.title, written[part.key], part.is_live) for part in parts]
    return page.render(
        "trader.html",
        page.trader.display_name or page.config_id,
        tab="overview",
        parts=[part for part in shown if part.html],
    )


def _own() -> list[TraderPart]:
    return [
        TraderPart("now", gettext_lazy("Now"), 10, _now, is_live=True),
        TraderPart("guards", "", 15, _sections, is_live=True, writes=True),
        TraderPart("touched", gettext_lazy("Who touched it"), 60, _touched, is_live=True),
        TraderPart("settings", gettext_lazy("Settings"), 70, _settings),
    ]


def attempted(part: TraderPart, page: ConfigPage) -> SafeString | str:
    """What it writes; of a part that fails, a notice with the fault."""
    try:
        with apart():
            return part.write(page)
    except Exception as fault:
        # Whatever one part stumbles over, the others and the buttons stay within reach.
        log.exception("A part of a trader's page cannot be shown")
        said = _("The database could not answer.") if isinstance(fault, DatabaseError) else type(fault).__name__
        return format_html(
            '<p class="notice wrong" role="alert">{} {}</p>',
            _("This part cannot be shown; the log has the fault."),
            said,
        )


def _now(page: ConfigPage) -> SafeString:
    current = page.current
    before = configs.version(page.config_id, current.version - 1) if current and current.version > 1 else None
    return _rendered(
        "now.html",
        page,
        current=current,
        runtime=page.runtime(),
        control=page.control,
        changes=rows(page.config_id, changes_since(before, current)) if current else [],
    )


def _sections(page: ConfigPage) -> SafeString:
    return format_html_join("", "{}", ((section,) for section in page.sections()))


def _touched(page: ConfigPage) -> SafeString:
    return _rendered("touched.html", page, lines=timeline(page))


def _settings(page: ConfigPage) -> SafeString:
    current = page.current
    if current is None:
        raise UnknownConfig(page.config_id)
    groups = groups_of(current.flat, links=page.request.user.has_perm("traders.view_prompttext"))
    return _rendered(
        "settings.html",
        page,
        current=current,
        groups=groups,
        set_count=sum(line.is_set for group in groups for line in group.lines),
    )


def _rendered(name: str, page: ConfigPage, **context: Any) -> SafeString:
    return render_to_string(f"traders/trader/{name}", {"config_page": page, **context}, page.request)
