"""The equity of traders at the beginning of a day and now, and their last decisions. Reads only."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models.fields.json import KT
from django.utils import timezone

from trading.analytics.intervals import Period
from trading.analytics.today.days import DayLoss, day_loss
from trading.models import COUNTED, DecisionJournal
from trading.record.stored.safe_sql import EQUITY_COUNTS
from trading.record.stored.spread import reads
from trading.schema.ids import decision_name

_OF_TRADER = f"e.trader_id = w.trader_id AND {EQUITY_COUNTS}"
_DAYS = f"""
SELECT w.trader_id, s.equity_usd AS at_start, n.equity_usd AS now, n.ts_ms AS now_ms,
       coalesce((SELECT sum(amount_usd) FROM equity_transfers f
                  WHERE f.trader_id = w.trader_id AND f.ts_ms > s.ts_ms AND f.ts_ms <= n.ts_ms), 0) AS transfers
  FROM unnest(%(traders)s::text[]) AS w (trader_id)
 CROSS JOIN LATERAL (SELECT ts_ms, equity_usd FROM equity_snapshots e WHERE {_OF_TRADER} AND e.ts_ms <= %(from_ms)s
                      ORDER BY ts_ms DESC LIMIT 1) s
 CROSS JOIN LATERAL (SELECT ts_ms, equity_usd FROM equity_snapshots e WHERE {_OF_TRADER} AND e.ts_ms > %(from_ms)s
                        AND e.ts_ms < %(to_ms)s ORDER BY ts_ms DESC LIMIT 1) n
 ORDER BY w.trader_id
"""


_EQUITY = f"""
SELECT count(*) AS traders, coalesce(sum(n.equity_usd), 0) AS usd, min(n.ts_ms) AS oldest_ms
  FROM unnest(%(traders)s::text[]) AS w (trader_id)
 CROSS JOIN LATERAL (SELECT ts_ms, equity_usd FROM equity_snapshots e WHERE {_OF_TRADER}
                      ORDER BY ts_ms DESC LIMIT 1) n
"""


@dataclass(frozen=True, slots=True)
class FleetEquity:
    """The sum of the last equity of `traders` traders, of which the oldest is of `oldest_ms`."""

    traders: int
    usd: Decimal
    oldest_ms: int | None


@dataclass(frozen=True, slots=True)
class TraderDay:
    """Amounts in USD. `now` is the last equity, with the moment `now_ms`; `transfers` are the net transfers since
    `at_start`."""

    trader_id: str
    at_start: Decimal
    now: Decimal
    now_ms: int
    transfers: Decimal

    @property
    def loss(self) -> DayLoss:
        return day_loss(self.at_start, self.transfers, self.now)

    @property
    def gained_usd(self) -> Decimal:
        return -self.loss.usd

    @property
    def gained_pct(self) -> Decimal | None:
        return None if self.loss.pct is None else -self.loss.pct


def trader_days(trader_ids: Collection[str], day: Period) -> list[TraderDay]:
    """The days of traders with equity from before the day and from the day itself, by id."""
    return reads.rows_as(TraderDay, _DAYS, {"traders": list(trader_ids), "from_ms": day.from_ms, "to_ms": day.to_ms})


def fleet_equity(trader_ids: Collection[str]) -> FleetEquity:
    found = reads.rows_as(FleetEquity, _EQUITY, {"traders": list(trader_ids)})
    oldest = [one.oldest_ms for one in found if one.oldest_ms is not None]
    usd = sum((one.usd for one in found), Decimal(0))
    return FleetEquity(sum(one.traders for one in found), usd, min(oldest, default=None))


def last_decisions(most: int) -> list[dict[str, Any]]:
    """The newest of the last day that count, with the first symbol and action of each."""
    since = timezone.now() - timedelta(days=1)
    rows = DecisionJournal.objects.filter(COUNTED, decided_at__gte=since).order_by("-decided_at", "-id")
    named = rows.annotate(symbol=KT("detail__decisions__0__symbol"), action=KT("detail__decisions__0__action"))
    found = named.values("pk", "trader_id", "decided_at", "success", "config_version", "symbol", "action")[:most]
    return [{**row, "name": decision_name(row["trader_id"], row["pk"])} for row in found]
