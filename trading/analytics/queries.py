"""The trading record as the flat facts that analytics read. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from traders.schema.moments import EARLIEST_MS, LATEST_MS
from trading.analytics.intervals import OpenPosition
from trading.record.stored.safe_sql import bounded, epoch_ms, is_moment_ms, items, moment_ms, number, version
from trading.record.stored.unreadable import note
from trading.schema.facts import DecisionFact, EquityPoint, SetAsideCounts, SignalFact, TradeFact
from trading.schema.leaf import LARGEST
from trading.schema.unreadable import NO_FIGURE, NO_MOMENT, NO_MOMENT_MS, Unreadable

# The text sent to the model is told by the hash of the system prompt of the version that opened the trade.
_TRADES = f"""
SELECT t.id, t.trader_id, t.symbol, t.side, {moment_ms("t.detail", "time.open_ts_ms")},
       CASE WHEN {is_moment_ms("t.close_ts_ms")} THEN t.close_ts_ms END,
       {bounded("t.quantity")}, {number("t.detail", "prices.avg_entry")}, {number("t.detail", "prices.avg_exit")},
       {number("t.detail", "pnl.gross")}, {number("t.detail", "pnl.commission")}, {bounded("t.net_pnl")},
       c.entry, c.exit, {bounded("t.leverage")}, {bounded("t.confidence")},
       {number("t.detail", "exit_plan.sl_price")}, {number("t.detail", "exit_plan.tp_price")},
       t.entry_version, {version("t.detail", "versions.exit")}, v.detail #>> '{{prompts,system_sha256}}'
  FROM trades t
  LEFT JOIN trader_config_versions v ON v.id = t.trader_id AND v.version = t.entry_version
  LEFT JOIN LATERAL (
       SELECT sum({number("fill", "commission")}) FILTER (WHERE fill ->> 'type' = 'entry') AS entry,
              sum({number("fill", "commission")}) FILTER (WHERE fill ->> 'type' = 'exit') AS exit
         FROM jsonb_array_elements({items("t.detail", "fills")}) AS fill) c ON true
 WHERE t.trader_id = ANY (%(traders)s) AND t.exclusion_id IS NULL
   AND (%(since)s::bigint IS NULL OR t.close_ts_ms >= %(since)s)
   AND (%(until)s::bigint IS NULL OR t.close_ts_ms < %(until)s)
 ORDER BY t.trader_id, t.close_ts_ms, t.id
"""
# What a trade's figures cannot be made without, by the place of its column.
_NEEDED = {
    4: "detail.time.open_ts_ms",
    5: "close_ts_ms",
    6: "detail.quantity.total",
    7: "detail.prices.avg_entry",
    8: "detail.prices.avg_exit",
    9: "detail.pnl.gross",
    10: "detail.pnl.commission",
    11: "detail.pnl.net",
}
_OF_PERIOD = """
 WHERE j.trader_id = ANY (%(traders)s) AND j.exclusion_id IS NULL
   AND (%(since_at)s::timestamptz IS NULL OR j.decided_at >= %(since_at)s)
   AND (%(until_at)s::timestamptz IS NULL OR j.decided_at < %(until_at)s)
"""
_DECISIONS = f"""
SELECT j.id, j.trader_id, {epoch_ms("j.decided_at")}, j.success, j.config_version
  FROM decision_journal j {_OF_PERIOD} ORDER BY j.trader_id, j.decided_at, j.id
"""
_SIGNALS = f"""
SELECT j.id, j.trader_id, {epoch_ms("j.decided_at")}, d ->> 'symbol', d ->> 'action',
       {number("d", "confidence")}, {number("d", "leverage")}, {number("d", "entry_price")},
       {number("d", "stop_loss")}, {number("d", "take_profit")}, {number("d", "position_size_usd")},
       j.config_version, v.detail #>> '{{prompts,system_sha256}}'
  FROM decision_journal j
 CROSS JOIN LATERAL jsonb_array_elements({items("j.detail", "decisions")}) AS d
  LEFT JOIN trader_config_versions v ON v.id = j.trader_id AND v.version = j.config_version
 {_OF_PERIOD} ORDER BY j.trader_id, j.decided_at, j.id
"""
_EQUITY = """
SELECT trader_id, ts_ms, equity_usd, source FROM equity_snapshots
 WHERE trader_id = ANY (%(traders)s) AND exclusion_id IS NULL
   AND (%(since)s::bigint IS NULL OR ts_ms >= %(since)s)
   AND (%(until)s::bigint IS NULL OR ts_ms < %(until)s)
 ORDER BY trader_id, ts_ms
"""
_OPEN = f"""
SELECT p.trader_id, p.symbol, p.side, p.opened_ms, %(until)s::bigint, p.entry_version,
       v.detail #>> '{{prompts,system_sha256}}'
  FROM positions p
  LEFT JOIN trader_config_versions v ON v.id = p.trader_id AND v.version = p.entry_version
 WHERE p.trader_id = ANY (%(traders)s) AND p.status = 'open' AND p.exclusion_id IS NULL
   AND p.opened_ms <= %(until)s AND {is_moment_ms("p.opened_ms")}
 ORDER BY p.trader_id, p.symbol
"""


_ASIDE = """
SELECT (SELECT count(*) FROM trades WHERE trader_id = ANY (%(traders)s) AND exclusion_id IS NOT NULL
           AND (%(since)s::bigint IS NULL OR close_ts_ms >= %(since)s)
           AND (%(until)s::bigint IS NULL OR close_ts_ms < %(until)s)),
       (SELECT count(*) FROM positions WHERE trader_id = ANY (%(traders)s) AND exclusion_id IS NOT NULL
           AND (%(since)s::bigint IS NULL OR opened_ms >= %(since)s)
           AND (%(until)s::bigint IS NULL OR opened_ms < %(until)s)),
       (SELECT count(*) FROM decision_journal WHERE trader_id = ANY (%(traders)s) AND exclusion_id IS NOT NULL
           AND (%(since_at)s::timestamptz IS NULL OR decided_at >= %(since_at)s)
           AND (%(until_at)s::timestamptz IS NULL OR decided_at < %(until_at)s)),
       (SELECT count(*) FROM equity_snapshots WHERE trader_id = ANY (%(traders)s) AND exclusion_id IS NOT NULL
           AND (%(since)s::bigint IS NULL OR ts_ms >= %(since)s)
           AND (%(until)s::bigint IS NULL OR ts_ms < %(until)s))
"""


@dataclass(frozen=True)
class Facts:
    """Of some traders and a period, each list in order of trader and time."""

    trades: list[TradeFact]
    signals: list[SignalFact]
    decisions: list[DecisionFact]
    equity: list[EquityPoint]


def facts(trader_ids: Collection[str], *, since: datetime | None = None, until: datetime | None = None) -> Facts:
    """Trades that closed, decisions taken and equity seen at or after `since` and before `until`. Four statements."""
    asked = _asked(trader_ids, since, until)
    return Facts(
        [TradeFact(*row) for row in _rows(_TRADES, asked) if _is_whole(row)],
        [SignalFact(*row) for row in _rows(_SIGNALS, asked) if _is_said(row)],
        [DecisionFact(*row) for row in _rows(_DECISIONS, asked) if _is_dated(row)],
        [EquityPoint(*row) for row in _rows(_EQUITY, asked) if is_equity(*row[:3])],
    )


def set_aside(trader_ids: Collection[str], *, since: datetime | None, until: datetime | None) -> SetAsideCounts:
    """What the facts of the same question leave out. One statement, from tiny indexes."""
    ((*counts,),) = _rows(_ASIDE, _asked(trader_ids, since, until))
    return SetAsideCounts(*counts)


def _asked(trader_ids: Collection[str], since: datetime | None, until: datetime | None) -> dict[str, Any]:
    return {
        "traders": list(trader_ids),
        "since": since and _ms(since),
        "until": until and _ms(until),
        "since_at": since,
        "until_at": until,
    }


def open_positions(trader_ids: Collection[str], *, until: datetime) -> list[OpenPosition]:
    """What the traders hold, as held until a moment; a position opened after it is left out."""
    return [OpenPosition(*row) for row in _rows(_OPEN, {"traders": list(trader_ids), "until": _ms(until)})]


def existing(trader_ids: Collection[str]) -> set[str]:
    return {
        name for (name,) in _rows("SELECT id FROM trader_config WHERE id = ANY (%(ids)s)", {"ids": list(trader_ids)})
    }


def traders_with_records() -> list[str]:
    """Ids of the traders that have trades or decisions, in order."""
    return [
        trader_id
        for (trader_id,) in _rows(
            "SELECT id FROM trader_config c WHERE EXISTS (SELECT FROM trades t WHERE t.trader_id = c.id)"
            " OR EXISTS (SELECT FROM decision_journal j WHERE j.trader_id = c.id) ORDER BY id",
            {},
        )
    ]


def _is_whole(row: Sequence[Any]) -> bool:
    if None not in row[4:12]:
        return True
    missing = next(path for place, path in _NEEDED.items() if row[place] is None)
    note(Unreadable("trades", row[0], missing, NO_FIGURE))
    return False


def _is_said(row: Sequence[Any]) -> bool:
    """A decision without a time is noted where decisions are read."""
    number, _trader, at_ms, symbol, action, *_ = row
    if symbol is None or action is None:
        note(Unreadable("decision_journal", str(number), "detail.decisions", "must name a symbol and an action each"))
        return False
    return at_ms is not None


def _is_dated(row: Sequence[Any]) -> bool:
    if row[2] is None:
        note(Unreadable("decision_journal", str(row[0]), "decided_at", NO_MOMENT))
    return row[2] is not None


def is_equity(trader_id: str, ts_ms: int, equity: Decimal) -> bool:
    """Whether a row of `equity_snapshots` can be worked with; noted if not."""
    problem = equity_problem(ts_ms, equity)
    if problem:
        note(Unreadable("equity_snapshots", f"{trader_id}|{ts_ms}", *problem))
    return problem is None


def equity_problem(ts_ms: int, equity: Decimal) -> tuple[str, str] | None:
    """(path, reason)."""
    if not EARLIEST_MS <= ts_ms <= LATEST_MS:
        return "ts_ms", NO_MOMENT_MS
    if not equity.is_finite() or abs(equity) > LARGEST:
        return "equity_usd", f"{NO_FIGURE}, is {equity:.6g}"
    return None


def _rows(sql: str, parameters: dict[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
