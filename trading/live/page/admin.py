"""The page Live: what the fleet has, holds and decides now, with the ages of its prices."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from traders.pages.config_page import may_change_fleet
from traders.tokens import services as tokens
from trading.analytics.today.days import day_of
from trading.live.page import now as live_now
from trading.live.page.outage import seen_status
from trading.live.page.queries import fleet_equity, last_decisions, trader_days
from trading.live.page.wanted import wanted_lines
from trading.record.check.admin import unreadable_count
from trading.record.pages import RecordPage

# A longer table cannot be read, and each row is sent again every few seconds.
MOST_POSITIONS, MOST_DECISIONS = 200, 10


def live_view(page: RecordPage) -> HttpResponse:
    seen = live_now.now()
    zone = settings.DESK_TIMEZONE
    shown = sorted(seen.held, key=lambda one: not one.is_retired)[:MOST_POSITIONS]
    wanted, wanted_more = wanted_lines(seen.holding)
    may_see_decisions = page.request.user.has_perm("trading.view_decisionjournal")
    return page.render(
        "live.html",
        _("Live"),
        seen=seen_status(),
        may_see_store=may_change_fleet(page.request),
        totals=seen.totals(),
        equity=fleet_equity(seen.members),
        held=shown,
        exposures=seen.exposures(),
        has_held_on_paper=seen.has_held_on_paper,
        decisions=last_decisions(MOST_DECISIONS) if may_see_decisions else [],
        wanted=wanted,
        wanted_more=wanted_more,
        days=trader_days(sorted({one.trader_id for one in shown}), day_of(timezone.now(), zone)),
        zone=zone.key,
        more=max(0, len(seen.held) - MOST_POSITIONS),
        prices=seen.prices,
        unreadable=unreadable_count(),
        clocks=tokens.clocks_lately(),
    )
