"""The trading record as the flat facts that analytics read. Reads only."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from trading.analytics.intervals import OpenPosition
from trading.schema.facts import DecisionFact, EquityPoint, SignalFact, TradeFact

# The text sent to the model is told by the hash of the system prompt of the version that opened the trade.
_TRADES = """
SELECT t.id, t.trader_id, t.symbol, t.side, (t.detail #>> '{time,open_ts_ms}')::bigint, t.close_ts_ms,
       t.quantity, (t.detail #>> '{prices,avg_entry}')::numeric, (t.detail #>> '{prices,avg_exit}')::numeric,
       (t.detail #>> '{pnl,gross}')::numeric, (t.detail #>> '{pnl,commission}')::numeric, t.net_pnl,
       c.entry, c.exit, t.leverage, t.confidence,
       (t.detail #>> '{exit_plan,sl_price}')::numeric, (t.detail #>> '{exit_plan,tp_price}')::numeric,
       t.entry_version, (t.detail #>> '{versions,exit}')::int, v.detail #>> '{prompts,system_sha256}'
  FROM trades t
  LEFT JOIN trader_config_versions v ON v.id = t.trader_id AND v.version = t.entry_version
  LEFT JOIN LATERAL (
       SELECT sum((fill ->> 'commission')::numeric) FILTER (WHERE fill ->> 'type' = 'entry') AS entry,
              sum((fill ->> 'commission')::numeric) FILTER (WHERE fill ->> 'type' = 'exit') AS exit
         FROM jsonb_array_elements(t.detail -> 'fills') AS fill) c ON true
 WHERE t.trader_id = ANY (%(traders)s)
   AND (%(since)s::bigint IS NULL OR t.close_ts_ms >= %(since)s)
   AND (%(until)s::bigint IS NULL OR t.close_ts_ms < %(until)s)
 ORDER BY t.trader_id, t.close_ts_ms, t.id
"""
_OF_PERIOD = """
 WHERE j.trader_id = ANY (%(traders)s)
   AND (%(since_at)s::timestamptz IS NULL OR j.decided_at >= %(since_at)s)
   AND (%(until_at)s::timestamptz IS NULL OR j.decided_at < %(until_at)s)
"""
_DECISIONS = f"""
SELECT j.id, j.trader_id, floor(extract(epoch FROM j.decided_at) * 1000)::bigint, j.success, j.config_version
  FROM decision_journal j {_OF_PERIOD} ORDER BY j.trader_id, j.decided_at, j.id
"""
_SIGNALS = f"""
SELECT j.id, j.trader_id, floor(extract(epoch FROM j.decided_at) * 1000)::bigint, d ->> 'symbol', d ->> 'action',
       (d ->> 'confidence')::numeric, (d ->> 'leverage')::numeric, (d ->> 'entry_price')::numeric,
       (d ->> 'stop_loss')::numeric, (d ->> 'take_profit')::numeric, (d ->> 'position_size_usd')::numeric,
       j.config_version, v.detail #>> '{{prompts,system_sha256}}'
  FROM decision_journal j
 CROSS JOIN LATERAL jsonb_array_elements(j.detail -> 'decisions') AS d
  LEFT JOIN trader_config_versions v ON v.id = j.trader_id AND v.version = j.config_version
 {_OF_PERIOD} ORDER BY j.trader_id, j.decided_at, j.id
"""
_EQUITY = """
SELECT trader_id, ts_ms, equity_usd, source FROM equity_snapshots
 WHERE trader_id = ANY (%(traders)s) AND (%(since)s::bigint IS NULL OR ts_ms >= %(since)s)
   AND (%(until)s::bigint IS NULL OR ts_ms < %(until)s)
 ORDER BY trader_id, ts_ms
"""
_OPEN = """
SELECT p.trader_id, p.symbol, p.side, p.opened_ms, %(until)s, p.entry_version, v.detail #>> '{prompts,system_sha256}'
  FROM positions p
  LEFT JOIN trader_config_versions v ON v.id = p.trader_id AND v.version = p.entry_version
 WHERE p.trader_id = ANY (%(traders)s) AND p.status = 'open' AND p.opened_ms <= %(until)s
 ORDER BY p.trader_id, p.symbol
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
    asked = {
        "traders": list(trader_ids),
        "since": since and _ms(since),
        "until": until and _ms(until),
        "since_at": since,
        "until_at": until,
    }
    return Facts(
        [TradeFact(*row) for row in _rows(_TRADES, asked)],
        [SignalFact(*row) for row in _rows(_SIGNALS, asked)],
        [DecisionFact(*row) for row in _rows(_DECISIONS, asked)],
        [EquityPoint(*row) for row in _rows(_EQUITY, asked)],
    )


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


def _rows(sql: str, parameters: dict[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
