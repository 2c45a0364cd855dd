"""The page of a point of equity: the point among its neighbours, each with its mark, and what it corrects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from traders.charts import Line, Mark, TimeChart
from trading.analytics.returns import DAY_MS
from trading.columns import EQUITY_COUNTED
from trading.models import EquitySnapshot
from trading.record.exclusions.admin import mark_of
from trading.record.pages import RecordPage
from trading.schema.exclusion import RecordKey, RecordKind, equity_id, equity_key
from trading.templatetags.record import moment_of, money

NEIGHBOURS = 10
"""Points on each side."""
CHARTED_MS = 3 * DAY_MS
"""The curve is of so long before and after the point."""
MOST_CHARTED = 600


class PointState(StrEnum):
    COUNTS = "counts"
    SUSPECT = "suspect"
    ASIDE = "aside"


@dataclass(frozen=True, slots=True)
class ShownPoint:
    """Amounts in USD. `address` is that of its own page; `corrects` the moment of the wrong point."""

    at: datetime
    equity: Decimal
    realized: Decimal | None
    unrealized: Decimal | None
    source: str
    state: PointState
    corrects: datetime | None
    is_this: bool
    address: str


def equity_view(page: RecordPage, name: str) -> HttpResponse:
    asked = equity_key(name)
    row = EquitySnapshot.objects.filter(trader=asked[0], ts_ms=asked[1]).first() if asked else None
    if asked is None or row is None:
        return page.gone(name)
    trader_id, ts_ms = asked
    points = [_shown(one, ts_ms) for one in _around(trader_id, ts_ms)]
    return page.render(
        "equity.html",
        _("Equity of %(trader)s") % {"trader": trader_id},
        trader_id=trader_id,
        record_id=name,
        point=next(one for one in points if one.is_this),
        points=points,
        chart=_chart(row),
        mark=mark_of(page.request, RecordKey(RecordKind.EQUITY, name, trader_id)),
    )


def _chart(row: EquitySnapshot) -> TimeChart | None:
    """The equity that counts around the point, of the same series; None without two points."""
    rows = EquitySnapshot.objects.filter(
        EQUITY_COUNTED,
        trader=row.trader,
        source=row.source,
        ts_ms__range=(row.ts_ms - CHARTED_MS, row.ts_ms + CHARTED_MS),
    )
    known = list(rows.order_by("ts_ms").values_list("ts_ms", "equity_usd"))
    shown = known[:: -(-len(known) // MOST_CHARTED)] if known else []
    if len(shown) < 2:
        return None
    values = [equity for _ts_ms, equity in shown]
    said = {"first": money(values[0]), "last": money(values[-1]), "low": money(min(values)), "high": money(max(values))}
    return TimeChart(
        id="equity-around",
        title=_("Equity three days before and after"),
        unit="USD",
        times=[ts_ms / 1000 for ts_ms, _equity in shown],
        lines=[Line(_("equity"), values)],
        marks=[Mark(row.ts_ms / 1000, _("this point"), money(row.equity_usd), equity_url(row.trader_id, row.ts_ms))],
        summary=_("From %(first)s to %(last)s USD; lowest %(low)s, highest %(high)s.") % said,
    )


def equity_url(trader_id: str, ts_ms: int) -> str:
    return reverse("admin:trading_recordexclusion_equity", args=[equity_id(trader_id, ts_ms)])


def _around(trader_id: str, ts_ms: int) -> list[EquitySnapshot]:
    rows = EquitySnapshot.objects.filter(trader=trader_id)
    before = rows.filter(ts_ms__lt=ts_ms).order_by("-ts_ms")[:NEIGHBOURS]
    since = rows.filter(ts_ms__gte=ts_ms).order_by("ts_ms")[: NEIGHBOURS + 1]
    return [*reversed(before), *since]


def _shown(row: EquitySnapshot, this_ms: int) -> ShownPoint:
    state = PointState.SUSPECT if row.is_suspect else PointState.COUNTS
    return ShownPoint(
        moment_of(row.ts_ms),
        row.equity_usd,
        row.realized_pnl_usd,
        row.unrealized_pnl_usd,
        row.source,
        state if row.exclusion_id is None else PointState.ASIDE,
        None if row.corrects_ts_ms is None else moment_of(row.corrects_ts_ms),
        row.ts_ms == this_ms,
        equity_url(row.trader_id, row.ts_ms),
    )
