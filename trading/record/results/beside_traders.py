"""What the record adds to the pages of a trader: the ways to its records, and what each of its versions earned."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from traders.pages import seams
from traders.pages.seams import Beside
from trading.record.results import queries as results
from trading.record.results.queries import BEFORE_V1, VersionOutcome
from trading.templatetags.record import NONE, gain, money, percent, trades_words

SMALL_SAMPLE = 30
"""With fewer trades a rate or an average says little."""


def links(request: HttpRequest, trader_id: str) -> list[tuple[str, str]]:
    pages = (("position", _("Positions")), ("trade", _("Trades")), ("decisionjournal", _("Decisions")))
    return [
        (words, f"{reverse(f'admin:trading_{model}_changelist')}?{urlencode({'trader': trader_id})}")
        for model, words in pages
        if request.user.has_perm(f"trading.view_{model}")
    ]


def change_set_links(request: HttpRequest, change_set: int) -> list[tuple[str, str]]:
    if not request.user.has_perm("trading.view_trade"):
        return []
    return [(_("Outcome"), f"{reverse('admin:trading_trade_outcomes')}?{urlencode({'change_set': change_set})}")]


def outcomes(request: HttpRequest, trader_id: str, versions: Sequence[int]) -> Beside | None:
    """Three queries for all versions of a page, two where nothing came before the first. None without trades."""
    if not request.user.has_perm("trading.view_trade"):
        return None
    found = results.of_trader(trader_id)
    if not found:
        return None
    falls = results.drawdowns(trader_id, [version for version in (*versions, BEFORE_V1) if version in found])
    cells = {version: _cells(found[version], falls.get(version)) for version in found}
    return Beside(
        heads=(_("net P&L, USD"), _("won, %"), _("drawdown, USD")),
        cells=cells,
        lines=[(_("before v1"), BEFORE_V1)] if BEFORE_V1 in found else [],
        note=_aside_note(results.trades_aside(trader_id))
        + _(
            "A trade belongs to the version that opened it. Drawdown is the deepest fall of the running net P&L of"
            " those trades, in order of their closes. Fewer than %(n)d trades are a small sample."
        )
        % {"n": SMALL_SAMPLE},
    )


def _aside_note(count: int) -> str:
    if not count:
        return ""
    said = ngettext(
        "%(n)d trade was set aside and is in none of these figures.",
        "%(n)d trades were set aside and are in none of these figures.",
        count,
    )
    return said % {"n": count} + " "


def _cells(outcome: VersionOutcome, fall: Decimal | None) -> list[Any]:
    net = format_html(
        '<a href="{}?{}">{}</a>',
        reverse("admin:trading_trade_changelist"),
        urlencode({"trader": outcome.trader_id, "version": outcome.entry_version}),
        trades_words(outcome.trades, SMALL_SAMPLE),
    )
    return [
        format_html("<span>{}</span>{}", gain(outcome.net_pnl), net),
        percent(outcome.win_rate_pct),
        NONE if fall is None else money(fall),
    ]


seams.trader_links.append(links)
seams.change_set_links.append(change_set_links)
seams.beside_versions.append(outcomes)
