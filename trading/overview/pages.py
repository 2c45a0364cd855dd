"""The index page of the admin: the fleet page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from traders.database.apart import page_reads
from traders.fleet import services as fleet_services
from traders.runtime.rules import State
from traders.versions.changelog import queries as changelog
from traders.versions.changelog.pages import lines_shown
from traders.versions.changelog.queries import Filter
from trading.alarms.admin import may_acknowledge
from trading.alarms.forms import AcknowledgeForm
from trading.overview import charts, queries, services
from trading.overview.attention import attention
from trading.overview.forms import OverviewForm
from trading.overview.health import health
from trading.overview.parts import PagePart, computed
from trading.overview.ranges import DAYS, RangeName, ShownRange
from trading.overview.services import FleetStanding

LAST_CHANGES, LAST_ORDERS, MOST_MARKS = 6, 6, 100
admin.site.index_template = "trading/overview.html"
# The order of attention: what is wrong first.
STATES = (State.STALE, State.OVERDUE, State.STOPPED, State.PAUSED, State.PENDING, State.NOT_REPORTED, State.RUNNING)


@dataclass(frozen=True)
class Seen:
    """What the account may look at."""

    request: HttpRequest

    def _may(self, permission: str) -> bool:
        return self.request.user.has_perm(permission)

    @property
    def traders(self) -> bool:
        return self._may("traders.view_traderconfig") or self._may("traders.change_traderconfig")

    @property
    def equity(self) -> bool:
        return self.traders and self._may("trading.view_equitysnapshot")

    @property
    def board(self) -> bool:
        return self.equity and self._may("trading.view_trade")

    @property
    def positions(self) -> bool:
        return self.traders and self._may("trading.view_position")

    @property
    def decisions(self) -> bool:
        return self._may("trading.view_decisionjournal")

    @property
    def alarms(self) -> bool:
        return self._may("trading.view_alarm")

    @property
    def anything(self) -> bool:
        return self.traders or self.decisions or self.alarms


def add_overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The context of the index page; the theme calls it."""
    seen = Seen(request)
    if not seen.anything:
        return context
    with page_reads():
        return context | {
            "seen": seen,
            "site_zone": settings.DESK_TIMEZONE.key,
            **OverviewPage(request, seen, timezone.now()).context(),
        }


class OverviewPage:
    """One request. Parts that others are made of are computed once."""

    def __init__(self, request: HttpRequest, seen: Seen, now: datetime) -> None:
        self.request, self.seen, self.now = request, seen, now
        self.form = OverviewForm(request.GET)

    def context(self) -> dict[str, Any]:
        seen = self.seen
        return {
            "now": self.now,
            "attention": computed("attention", lambda: attention(self.request, self.now)) if seen.alarms else None,
            "acknowledge": AcknowledgeForm(auto_id=False) if may_acknowledge(self.request) else None,
            "health": computed("health", lambda: health(self.now)) if seen.alarms or seen.traders else None,
            "decisions": computed("decisions", lambda: queries.ordered(LAST_ORDERS)) if seen.decisions else None,
            **(self._of_traders() if seen.traders else {}),
            **(self._of_equity() if seen.equity or seen.positions else {}),
        }

    def _of_traders(self) -> dict[str, Any]:
        allocation = computed("allocation", fleet_services.overview)
        return {
            "allocation": allocation,
            "overview": allocation.value,
            "has_fleet": allocation.value is not None and allocation.value.has_settings,
            "may_add": self.request.user.has_perm("traders.add_traderconfig"),
            "changes": computed("changes", lambda: lines_shown(changelog.change_sets(Filter(), limit=LAST_CHANGES))),
        }

    def _of_equity(self) -> dict[str, Any]:
        found = self.standing
        context: dict[str, Any] = {"standing": found, "form": self.form, "ranges": self._ranges()}
        if found.value is None:
            return context
        seen, standing = self.seen, found.value
        context |= {
            "states": [(state, standing.states[state]) for state in STATES if standing.states.get(state)],
            # In Python, because a loop of the template takes several times as long for a large fleet.
            "choices": format_html_join(
                "", '<option value="{}"></option>', ((one.trader_id,) for one in standing.lines)
            ),
            "chosen": self.trader_id,
        }
        if seen.positions:
            context["exposure"] = self._with_held(standing)
        if seen.equity:
            context["chart"] = computed("curve", lambda: self._chart(standing))
        if seen.board:
            board = computed("leaderboard", lambda: self._board(standing))
            context |= {"board": board, "heads": self._heads(), "range_words": self._range_words(standing.shown)}
            if board.value:
                context["board_pages"] = self._pages(board.value.page, board.value.pages)
        return context

    @cached_property
    def standing(self) -> PagePart[FleetStanding]:
        def work() -> FleetStanding:
            now_ms = int(self.now.timestamp() * 1000)
            return services.standing(self.form.shown(now_ms, queries.first_equity_ms), self.now)

        return computed("equity", work)

    @cached_property
    def held(self) -> PagePart[Any]:
        standing = self.standing.value
        assert standing is not None
        return computed("exposure", lambda: services.held(standing))

    @property
    def trader_id(self) -> str:
        """The trader whose curve is asked for, if there is one of this id."""
        asked, standing = self.form.given("trader"), self.standing.value
        return asked if standing and any(trader.pk == asked for trader in standing.traders) else ""

    def _with_held(self, standing: FleetStanding) -> PagePart[Any]:
        held = self.held
        if held.value is None:
            return held
        return PagePart(services.exposures(standing, held.value))

    def _chart(self, standing: FleetStanding) -> Any:
        trader_id, period = self.trader_id, standing.shown.period
        curve = services.trader_curve(standing, trader_id) if trader_id else services.fleet_curve(standing)
        where = Filter(
            config_id=trader_id,
            since=datetime.fromtimestamp(period.from_ms / 1000, UTC),
            until=datetime.fromtimestamp(period.to_ms / 1000, UTC),
        )
        return charts.equity_chart(curve, changelog.change_sets(where, limit=MOST_MARKS), trader_id)

    def _board(self, standing: FleetStanding) -> Any:
        held = self.held.value if self.seen.positions else None
        sort, page = self.form.given("sort") or "return", self.form.given("page") or 1
        return services.board(standing, held, sort=sort, page=page, now=self.now)

    def _ranges(self) -> list[tuple[str, str, bool]]:
        """(words, address, whether it is shown) of each range."""
        shown = self.standing.value.shown.name if self.standing.value else None
        words = {
            RangeName.DAY: _("1 d"),
            RangeName.WEEK: _("7 d"),
            RangeName.MONTH: _("30 d"),
            RangeName.ALL: _("all"),
        }
        return [
            (said, self.address(range=name.value, since=None, until=None), name is shown)
            for name, said in words.items()
        ]

    def _heads(self) -> list[tuple[str, str, str, bool]]:
        """(words, unit, address that sorts by it, whether the board is sorted by it) of each column of figures."""
        words = {
            "gained": (_("gained"), "USD"),
            "return": (_("return"), "%"),
            "sharpe": (_("Sharpe"), ""),
            "drawdown": (_("drawdown"), "%"),
            "equity": (_("equity"), "USD"),
            "exposure": (_("exposure"), "USD"),
            "pnl": (_("net P&L since start"), "USD"),
            "wins": (_("win rate since start"), "%"),
            "trades": (_("trades since start"), ""),
        }
        sort = self.form.given("sort") or "return"
        return [(said, unit, self.address(sort=name, page=None), name == sort) for name, (said, unit) in words.items()]

    def _range_words(self, shown: ShownRange) -> str:
        if shown.name in DAYS:
            days = DAYS[shown.name]
            return ngettext("of the last day", "of the last %(n)d days", days) % {"n": days}
        return _("of the whole record") if shown.name is RangeName.ALL else _("of the chosen period")

    def _pages(self, page: int, pages: int) -> list[tuple[int, str, bool]]:
        """(number, address, whether it is shown) of the first and last pages and those around the shown one."""
        near = {1, pages, *range(page - 2, page + 3)}
        return [(one, self.address(page=str(one)), one == page) for one in sorted(near) if 1 <= one <= pages]

    def address(self, **changed: str | None) -> str:
        """This page with some of its parameters changed; None leaves one out."""
        asked = {name: self.request.GET.get(name) for name in self.form.fields}
        return "?" + urlencode({name: value for name, value in (asked | changed).items() if value})
