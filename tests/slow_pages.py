"""Pages leave out what takes too long. That the machine does other things at the same time is no reason in a test."""

from __future__ import annotations

from trading.overview import board, period_risk
from trading.performance import services as performance
from trading.record.browse import links, queries, totals
from trading.trader_page import effects
from trading.trader_page import queries as trader_page

TIMES = 30


def let_pages_take_their_time() -> None:
    """Every limit of less than some seconds so many times as long, so that they differ as before."""
    totals.LIMIT_MS *= TIMES
    (most, most_ms), (least, least_ms) = totals.NEWEST
    totals.NEWEST = ((most, most_ms * TIMES), (least, least_ms * TIMES))
    queries.NEIGHBOURS_LIMIT_MS *= TIMES
    links.LIMIT_MS *= TIMES
    board.COST_LIMIT_MS *= TIMES
    period_risk.LIMIT_MS *= TIMES
    period_risk.READ_SECONDS *= TIMES
    performance.LIMIT_MS *= TIMES
    trader_page.LIMIT_MS *= TIMES
    vars(effects)["LIMIT_MS"] = trader_page.LIMIT_MS
