"""The charts of the page: P&L by period with its running sum, and the groups as bars."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import accumulate

from django.utils.translation import gettext as _

from traders.charts import Bar, BarList, Line, TimeChart
from trading.analytics.groups.keys import UNITS, GroupBy
from trading.performance.services import PerformanceReport

MOST_BARS = 12


def pnl_chart(found: PerformanceReport) -> TimeChart | None:
    """None without two periods: one bar is no curve."""
    if found.step is None or len(found.steps) < 2:
        return None
    nets = [net for _start, net in found.steps]
    runs = list(accumulate(nets))
    title = {
        GroupBy.DAY: _("Net P&L by day"),
        GroupBy.WEEK: _("Net P&L by week"),
        GroupBy.MONTH: _("Net P&L by month"),
    }[found.step]
    return TimeChart(
        id="performance-pnl",
        title=title,
        unit="USD",
        times=[start / 1000 for start, _net in found.steps],
        lines=[
            Line(_("net P&L"), nets, style="bars"),
            Line(_("sum since the first"), runs, style="line"),
        ],
        summary=_(
            "%(net)s USD over %(n)d periods; the best one %(best)s, the worst one %(worst)s; the sum was between"
            " %(low)s and %(high)s."
        )
        % {
            "net": _usd(runs[-1]),
            "n": len(nets),
            "best": _usd(max(nets)),
            "worst": _usd(min(nets)),
            "low": _usd(min(runs)),
            "high": _usd(max(runs)),
        },
    )


def net_bars(found: PerformanceReport, by: GroupBy, labels: Sequence[str]) -> BarList | None:
    """The groups with the greatest gains and losses; periods are in the other chart. `labels` are of the lines."""
    if by in UNITS or not found.lines:
        return None
    all_of = sorted(zip(found.lines, labels, strict=True), key=lambda pair: -abs(pair[0].net))
    shown = sorted(all_of[:MOST_BARS], key=lambda pair: -pair[0].net)
    title = _("Net P&L by group")
    if len(all_of) > MOST_BARS:
        title = _("Net P&L by group, the %(n)d greatest gains and losses") % {"n": MOST_BARS}
    return BarList(title, "USD", [Bar(label, line.net) for line, label in shown])


def _usd(amount: Decimal) -> str:
    return f"{amount:+,.2f}".replace("-", "−")
