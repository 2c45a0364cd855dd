"""The part of the record on the pages of a trader: links to its rows, and the result of each version."""

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
from trading.live.keys import ANALYTICS
from trading.live.redis import store
from trading.record.results import queries as results
from trading.record.results.queries import BEFORE_V1, EntryVersionResult, VersionDrawdown
from trading.schema.live_store.answers import FreshValue
from trading.templatetags.record import NONE, gain, money, percent, trades_words

SMALL_SAMPLE = 30
"""With fewer trades a rate or an average says little."""


def links(request: HttpRequest, trader_id: str) -> list[tuple[str, str, str]]:
    pages = (("decisionjournal", _("Decisions")), ("trade", _("Trades")), ("position", _("Positions")))
    return [
        (model, words, f"{reverse(f'admin:trading_{model}_changelist')}?{urlencode({'trader': trader_id})}")
        for model, words in pages
        if request.user.has_perm(f"trading.view_{model}")
    ]


def change_set_links(request: HttpRequest, change_set: int) -> list[tuple[str, str]]:
    if not request.user.has_perm("trading.view_trade"):
        return []
    return [(_("Result"), f"{reverse('admin:trading_trade_outcomes')}?{urlencode({'change_set': change_set})}")]


def result_columns(request: HttpRequest, trader_id: str, versions: Sequence[int]) -> Beside | None:
    """Four queries for all versions of a page, five with trades from before the first version. None without trades."""
    if not request.user.has_perm("trading.view_trade"):
        return None
    found = results.of_trader(trader_id)
    if not found:
        return None
    falls = results.drawdowns(trader_id, [version for version in (*versions, BEFORE_V1) if version in found])
    cells = {version: _cells(found[version], falls.get(version)) for version in found}
    return Beside(
        heads=(_("net P&L, USD"), _("win rate, %"), _("drawdown, USD"), _("drawdown, %")),
        cells=cells,
        lines=[(_("before v1"), BEFORE_V1)] if BEFORE_V1 in found else [],
        note=_aside_note(results.trades_aside(trader_id))
        + _(
            "A trade belongs to the version that opened it. Drawdown is the deepest fall of what the positions of a"
            " version earned, by fill, with the open ones at fresh prices; in percent of the equity that the version"
            " began with and what it had earned by then. Fewer than %(n)d trades are a small sample."
        )
        % {"n": SMALL_SAMPLE},
    )


def trader_rows(request: HttpRequest, trader_ids: Sequence[str]) -> list[tuple[str, list[Any]]]:
    """Of each trader's whole record: sums from PostgreSQL, figures of equity from the live store, which may not know
    them."""
    if not request.user.has_perm("trading.view_trade"):
        return []
    sums = [results.of_trader(name).values() for name in trader_ids]
    known = store.read(ANALYTICS, trader_ids)
    live = [answer.value if isinstance(answer := known[name], FreshValue) else None for name in trader_ids]
    trades = [sum(one.trades for one in own) for own in sums]
    wins = [sum(one.wins for one in own) for own in sums]
    return [
        (_("return, %"), [gain(_decimal(one.return_pct)) if one else NONE for one in live]),
        (_("drawdown, %"), [percent(_decimal(one.max_drawdown_pct)) if one else NONE for one in live]),
        (_("Sharpe"), [money(_decimal(one.sharpe)) if one else NONE for one in live]),
        (_("net P&L, USD"), [gain(sum((one.net_pnl for one in own), Decimal(0))) for own in sums]),
        (
            _("win rate, %"),
            [percent(Decimal(100) * won / n if n else None) for won, n in zip(wins, trades, strict=True)],
        ),
        (_("trades"), [trades_words(n, SMALL_SAMPLE) for n in trades]),
        (_("commission, USD"), [money(sum((one.commission for one in own), Decimal(0))) for own in sums]),
    ]


def _decimal(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(f"{value:.4f}")


def _aside_note(count: int) -> str:
    if not count:
        return ""
    said = ngettext(
        "%(n)d trade was set aside and is in none of these figures.",
        "%(n)d trades were set aside and are in none of these figures.",
        count,
    )
    return said % {"n": count} + " "


def _cells(result: EntryVersionResult, fall: VersionDrawdown | None) -> list[Any]:
    net = format_html(
        '<a href="{}?{}">{}</a>',
        reverse("admin:trading_trade_changelist"),
        urlencode({"trader": result.trader_id, "version": result.entry_version}),
        trades_words(result.trades, SMALL_SAMPLE),
    )
    return [
        format_html("<span>{}</span>{}", gain(result.net_pnl), net),
        percent(result.win_rate_pct),
        NONE if fall is None else money(fall.usd),
        NONE if fall is None or fall.pct is None else f"{fall.pct:.2f}",
    ]


seams.trader_links.append(links)
seams.change_set_links.append(change_set_links)
seams.beside_versions.append(result_columns)
seams.beside_traders.append(trader_rows)
