"""What guards look at. Each statement begins at an index and reads what belongs to one trader, or one row a trader."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q

from traders.database import sql
from traders.models import TraderConfig, TraderControl
from traders.schema import jsonio
from traders.schema.controls.rows import ControlKind
from trading.analytics.queries import is_equity
from trading.columns import EQUITY_COUNTED
from trading.guards.rules.streaks import Outcome
from trading.models import (
    OPEN_AND_COUNTED,
    DecisionJournal,
    EquitySnapshot,
    EquityTransfer,
    Position,
    RecordExclusion,
    Trade,
)
from trading.record.stored.safe_sql import EQUITY_COUNTS, has_own_capital, number, whole
from trading.record.stored.spread import reads
from trading.schema.decision import Withheld
from trading.schema.facts import EquityPoint

SOURCE = "engine"
"""Guards look at what engines report. An import tells of the past."""

PAGE = 5000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COUNTED = EQUITY_COUNTED & Q(source=SOURCE)
_TOKENS = (
    f"coalesce({whole('detail', 'usage.prompt_tokens')}, 0) + coalesce({whole('detail', 'usage.completion_tokens')}, 0)"
)
_USED = f"""
SELECT coalesce(detail #>> '{{answer,model}}', '') AS model,
       coalesce(sum({number("detail", "usage.cost_usd")}), 0) AS cost_usd,
       coalesce(sum({_TOKENS}), 0)::bigint AS tokens,
       coalesce(sum({_TOKENS}) FILTER (WHERE {number("detail", "usage.cost_usd")} IS NULL), 0)::bigint
           AS tokens_without_cost
  FROM decision_journal
 WHERE trader_id = %(trader)s AND exclusion_id IS NULL AND decided_at >= %(since)s AND decided_at < %(until)s
 GROUP BY 1
"""
_USED_BY_FLEET = f"""
SELECT trader_id, coalesce(sum({_TOKENS}), 0)::bigint AS tokens
  FROM decision_journal WHERE exclusion_id IS NULL AND decided_at >= %(since)s AND decided_at < %(until)s
 GROUP BY trader_id ORDER BY trader_id
"""
# Other traders of these models whose last decision failed lately: then it is the provider, not the trader.
_FAILING = """
SELECT last.success, last.said
  FROM unnest(%(traders)s::text[]) AS wanted (id)
 CROSS JOIN LATERAL (SELECT success,
                            jsonb_build_object('error', detail -> 'error', 'actions', detail -> 'actions') AS said
                       FROM decision_journal j
                      WHERE j.trader_id = wanted.id AND j.exclusion_id IS NULL AND j.decided_at >= %(since)s
                      ORDER BY j.decided_at DESC LIMIT 1) last
 WHERE NOT last.success
"""
# The last points of every trader up to a moment. Traders with paper capital of their own have none of the fleet's.
_WITH_CAPITAL = reads.Those(f"SELECT id FROM trader_config c WHERE NOT {has_own_capital('c.detail')}")
_OTHERS = reads.Those("SELECT id FROM trader_config WHERE model = ANY (%(models)s) AND id <> %(me)s")
_OF_FLEET = f"""
SELECT e.trader_id, e.ts_ms, e.equity_usd AS equity
  FROM unnest(%(traders)s::text[]) AS wanted (id)
 CROSS JOIN LATERAL (SELECT trader_id, ts_ms, equity_usd FROM equity_snapshots
                      WHERE trader_id = wanted.id AND source = '{SOURCE}'
                        AND ts_ms <= %(until)s AND {EQUITY_COUNTS}
                      ORDER BY ts_ms DESC LIMIT %(most)s) e
 ORDER BY e.trader_id, e.ts_ms
"""


@dataclass(frozen=True, slots=True)
class UsedModel:
    """What one model was used for: the cost that engines reported, in USD, all tokens, and those of decisions whose
    cost was not reported."""

    model: str
    cost_usd: Decimal
    tokens: int
    tokens_without_cost: int


def traders_now() -> list[str]:
    """Those that are not retired, by id."""
    return list(TraderConfig.objects.filter(retired=False).order_by("pk").values_list("pk", flat=True))


def acts_since(trader_id: str) -> datetime | None:
    """The last start or resume; what happened before it makes no guard act."""
    kinds = [ControlKind.START, ControlKind.RESUME]
    return _last(TraderControl.objects.filter(trader=trader_id, kind__in=kinds))


def resumed_at(trader_id: str, causes: Collection[str], since: datetime | None = None) -> datetime | None:
    """When a person last lifted a pause of one of these causes."""
    rows = TraderControl.objects.filter(trader=trader_id, kind=ControlKind.RESUME, cause__in=causes)
    return _last(rows.filter(at__gte=since) if since else rows)


def paused_by(cause: str) -> list[str]:
    """The traders that a pause of this cause holds now, by id."""
    rows = TraderControl.objects.filter(cause=cause, kind__in=[ControlKind.PAUSE, ControlKind.RESUME])
    last = rows.order_by("trader_id", "-id").distinct("trader_id")
    return [str(row.trader_id) for row in last if row.kind == ControlKind.PAUSE]


def points(trader_id: str, *, after_ms: int, most: int = PAGE) -> list[EquityPoint]:
    """The first `most` points after a moment, in order of time."""
    rows = EquitySnapshot.objects.filter(_COUNTED, trader=trader_id, ts_ms__gt=after_ms)
    return _points(rows.order_by("ts_ms")[:most])


def last_points(trader_id: str, *, until_ms: int, most: int) -> list[EquityPoint]:
    """The last `most` points at or before a moment, in order of time."""
    rows = EquitySnapshot.objects.filter(_COUNTED, trader=trader_id, ts_ms__lte=until_ms)
    return _points(rows.order_by("-ts_ms")[:most])[::-1]


def suspect_points(trader_id: str, since_ms: int) -> list[EquityPoint]:
    """The points since a moment that count nowhere yet, in order of time."""
    rows = EquitySnapshot.objects.filter(trader=trader_id, ts_ms__gte=since_ms, is_suspect=True, exclusion=None)
    return _points(rows.order_by("ts_ms"))


def changed_behind(trader_id: str, *, upto_ms: int, since: datetime) -> bool:
    """Whether a transfer or an exclusion that was written since concerns the time until `upto_ms`."""
    late = EquityTransfer.objects.filter(trader=trader_id, ts_ms__lte=upto_ms, created_at__gt=since)
    aside = RecordExclusion.objects.filter(trader=trader_id, at__gt=since)
    return late.exists() or aside.exists()


def nets_of_symbol(trader_id: str, symbol: str, most: int) -> list[tuple[str, int, Decimal | None]]:
    """(id, close in ms, net P&L in USD) of the last trades, the newest first."""
    rows = Trade.objects.filter(trader=trader_id, symbol=symbol, exclusion=None).order_by("-close_ts_ms", "-id")
    return [(pk, ms, net) for pk, ms, net in rows.values_list("pk", "close_ts_ms", "net_pnl")[:most]]


def nets_lately(trader_id: str, most: int) -> dict[str, list[tuple[str, int, Decimal | None]]]:
    """{symbol: as `nets_of_symbol`} of the trader's last trades. One statement, however many symbols."""
    rows = Trade.objects.filter(trader=trader_id, exclusion=None).order_by("-close_ts_ms", "-id")
    found: dict[str, list[tuple[str, int, Decimal | None]]] = {}
    for symbol, *trade in rows.values_list("symbol", "pk", "close_ts_ms", "net_pnl")[:most]:
        found.setdefault(symbol, []).append((trade[0], trade[1], trade[2]))
    return found


def outcomes(trader_id: str, *, since: datetime | None, most: int) -> Iterator[tuple[int, Outcome]]:
    """(id, outcome) of the last decisions, the newest first."""
    rows = DecisionJournal.objects.filter(trader=trader_id, exclusion=None).order_by("-decided_at", "-id")
    if since is not None:
        rows = rows.filter(decided_at__gte=since)
    for number_, success, detail in rows.values_list("pk", "success", "detail")[:most]:
        yield number_, _outcome(success, detail)


def _outcome(success: bool, detail: Any) -> Outcome:
    if success:
        return Outcome.DONE
    known = detail if isinstance(detail, dict) else {}
    actions = known.get("actions")
    taken = [action for action in actions if isinstance(action, dict)] if isinstance(actions, list) else []
    is_refused = any(action.get("refused_by") for action in taken)
    has_error = bool(known.get("error")) or any(
        action.get("error") and action.get("refused_by") in (None, [], [Withheld.NO_ANSWER]) for action in taken
    )
    return Outcome.REFUSED if is_refused and not has_error else Outcome.ERROR


def used(trader_id: str, since: datetime, until: datetime) -> list[UsedModel]:
    """By model."""
    return sql.rows_as(UsedModel, _USED, {"trader": trader_id, "since": since, "until": until})


def used_by_fleet(since: datetime, until: datetime) -> dict[str, int]:
    """{trader: tokens}."""
    return {row.trader_id: row.tokens for row in sql.rows(_USED_BY_FLEET, {"since": since, "until": until})}


def version_moved(trader_id: str, version: int, since_ms: int) -> bool:
    """Whether positions that a version opened are open, or were closed since."""
    held = Position.objects.filter(OPEN_AND_COUNTED, trader=trader_id, entry_version=version)
    closed = Trade.objects.filter(trader=trader_id, entry_version=version, exclusion=None, close_ts_ms__gte=since_ms)
    return held.exists() or closed.exists()


def is_flat(trader_id: str) -> bool:
    return not Position.objects.filter(OPEN_AND_COUNTED, trader=trader_id).exists()


def others_failing(trader_id: str, models: Collection[str], since: datetime) -> int:
    """How many other traders of these models failed at their last decision since a moment. One that a check refused did
    not fail."""
    asked = {"traders": _OTHERS, "models": list(models), "me": trader_id, "since": since}
    rows = reads.rows(_FAILING, asked)
    return sum(_outcome(row.success, jsonio.loads_stored(row.said)) is Outcome.ERROR for row in rows)


def fleet_points(until_ms: int, most: int) -> dict[str, list[EquityPoint]]:
    """{trader: its last `most` points at or before a moment, in order of time}; of those that have some, and capital
    of the fleet."""
    found: dict[str, list[EquityPoint]] = {}
    for row in reads.rows(_OF_FLEET, {"traders": _WITH_CAPITAL, "until": until_ms, "most": most}):
        found.setdefault(row.trader_id, []).append(EquityPoint(row.trader_id, row.ts_ms, row.equity))
    return found


def _last(rows: Any) -> datetime | None:
    found: datetime | None = rows.order_by("-id").values_list("at", flat=True).first()
    return found


def _points(rows: Any) -> list[EquityPoint]:
    found = [EquityPoint(*row) for row in rows.values_list("trader_id", "ts_ms", "equity_usd", "source", *_PARTS)]
    return [point for point in found if is_equity(point.trader_id, point.ts_ms, point.equity)]


_PARTS = ("realized_pnl_usd", "unrealized_pnl_usd")
