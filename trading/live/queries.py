"""What PostgreSQL says of each trader, as the values of the live store. Reads only.

`as_of` is the moment before the statement's snapshot. A writer projects after its commit, so of two projections the
one with the later `as_of` knows at least as much: the store may keep the newer and drop the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from trading.analytics import inception
from trading.record.stored.counted import MESSAGE_COUNTS
from trading.record.stored.safe_sql import (
    EQUITY_COUNTS,
    bounded,
    epoch_ms,
    is_bounded,
    is_moment,
    is_moment_ms,
    items,
    moment_ms,
    number,
)
from trading.schema.live_store import values as live
from trading.schema.live_store.limits import MOST_CONVERSATIONS, MOST_TRADES

MOST_ERROR_CHARACTERS = 500
_NOW = "(extract(epoch FROM statement_timestamp()) * 1000000)::bigint"
_TRADERS = f"""
SELECT {_NOW}, id, detail -> 'retired' IS NOT DISTINCT FROM 'true'::jsonb
  FROM trader_config WHERE %(all)s OR id = ANY (%(traders)s) ORDER BY id
"""
_POSITION_IS_READABLE = f"{is_bounded('quantity')} AND {is_bounded('entry_price')} AND {is_moment_ms('opened_ms')}"
_POSITIONS = f"""
SELECT trader_id, symbol, side, quantity, entry_price, {bounded("leverage")},
       {number("detail", "risk.confidence")}, {number("detail", "risk.risk_usd")}, opened_ms,
       coalesce({epoch_ms("updated_at")}, opened_ms), detail #>> '{{exchange,provider}}'
  FROM positions
 WHERE trader_id = ANY (%(traders)s) AND status = 'open' AND exclusion_id IS NULL AND {_POSITION_IS_READABLE}
 ORDER BY trader_id, symbol
"""
# What cannot be read is left out before the last ones are taken, so that it takes no other trade's place.
_TRADES = f"""
SELECT t.trader_id, t.symbol, t.side, t.quantity, t.entry, t.exit, t.net_pnl, t.close_ts_ms, t.id, t.opened_ms,
       {bounded("t.leverage")}, {bounded("t.confidence")}, t.detail #>> '{{exchange,provider}}'
  FROM unnest(%(traders)s::text[]) AS wanted (id)
 CROSS JOIN LATERAL (
       SELECT * FROM (
              SELECT *, {number("detail", "prices.avg_entry")} AS entry, {number("detail", "prices.avg_exit")} AS exit,
                     {moment_ms("detail", "time.open_ts_ms")} AS opened_ms
                FROM trades WHERE trader_id = wanted.id AND exclusion_id IS NULL) whole
        WHERE entry IS NOT NULL AND exit IS NOT NULL AND opened_ms IS NOT NULL AND {is_moment_ms("close_ts_ms")}
          AND {is_bounded("quantity")} AND {is_bounded("net_pnl")}
        ORDER BY close_ts_ms DESC, id DESC LIMIT %(most)s) t
 ORDER BY t.trader_id, t.close_ts_ms DESC, t.id DESC
"""
_RESULTS = f"""
SELECT trader_id, sum(trades)::bigint, sum(wins)::bigint, sum(losses)::bigint,
       coalesce(sum({bounded("net_pnl")}), 0), coalesce(sum({bounded("gross_pnl")}), 0),
       coalesce(sum({bounded("commission")}), 0),
       min(CASE WHEN {is_moment_ms("first_close_ms")} THEN first_close_ms END),
       max(CASE WHEN {is_moment_ms("last_close_ms")} THEN last_close_ms END)
  FROM version_results WHERE trader_id = ANY (%(traders)s) GROUP BY trader_id
"""
# Of each trader its preferred series (as the analytics choose it), one point a day and the very first and last.
_EQUITY = f"""
WITH series AS (
    SELECT trader_id, (array_agg(source ORDER BY source <> 'engine', source <> 'imported', source))[1] AS source
      FROM (SELECT DISTINCT trader_id, source FROM equity_snapshots
             WHERE trader_id = ANY (%(traders)s) AND {EQUITY_COUNTS}) s
     GROUP BY trader_id),
points AS (
    SELECT e.trader_id, e.ts_ms, e.equity_usd,
           max(e.equity_usd) OVER (PARTITION BY e.trader_id ORDER BY e.ts_ms) AS peak
      FROM equity_snapshots e JOIN series USING (trader_id, source) WHERE {EQUITY_COUNTS})
SELECT trader_id, min(ts_ms), (array_agg(equity_usd ORDER BY ts_ms))[1], (array_agg(equity_usd ORDER BY ts_ms DESC))[1],
       max(CASE WHEN peak > 0 THEN least(100 * (peak - equity_usd) / peak, 100) END), count(*)
  FROM points GROUP BY trader_id, ts_ms / 86400000 ORDER BY trader_id, ts_ms / 86400000
"""
# All less those set aside: two counts from indexes alone.
_DECISIONS = f"""
SELECT wanted.id, j.decided_ms, j.success, j.first ->> 'symbol', j.first ->> 'action',
       {number("j.first", "confidence")}, left(j.error, {MOST_ERROR_CHARACTERS}), j.config_version, j.id,
       j.cycle_number, j.done, j.actions,
       (SELECT count(*) FROM decision_journal WHERE trader_id = wanted.id)
           - (SELECT count(*) FROM decision_journal WHERE trader_id = wanted.id AND exclusion_id IS NOT NULL)
  FROM unnest(%(traders)s::text[]) AS wanted (id)
 CROSS JOIN LATERAL (
       SELECT id, {epoch_ms("decided_at")} AS decided_ms, success, config_version,
              cycle_number, detail #> '{{decisions,0}}' AS first, detail ->> 'error' AS error,
              (SELECT count(*) FROM jsonb_array_elements({items("detail", "actions")}) a
                WHERE a -> 'ok' = 'true'::jsonb) AS done,
              jsonb_array_length({items("detail", "actions")}) AS actions
         FROM decision_journal
        WHERE trader_id = wanted.id AND exclusion_id IS NULL AND jsonb_typeof(detail) = 'object'
          AND {is_moment("decided_at")}
        ORDER BY decided_at DESC, id DESC LIMIT 1) j
"""
_CONVERSATIONS = f"""
SELECT wanted.id, c.conversation, c.messages, {epoch_ms("c.sent_at")}
  FROM unnest(%(traders)s::text[]) AS wanted (id)
 CROSS JOIN LATERAL (
       SELECT conversation, count(*) AS messages, max(sent_at) FILTER (WHERE {is_moment("sent_at")}) AS sent_at
         FROM conversation_messages m WHERE trader_id = wanted.id AND {MESSAGE_COUNTS}
        GROUP BY conversation ORDER BY 3 DESC NULLS LAST, conversation DESC LIMIT %(most)s) c
 ORDER BY wanted.id, c.sent_at DESC NULLS LAST, c.conversation DESC
"""


@dataclass(frozen=True)
class Projection:
    """Of some traders, one value of each kind for every one of them, empty ones included; `decisions` and
    `conversations` only where there are any."""

    as_of: int
    retired: dict[str, bool]
    positions: dict[str, live.Positions]
    trades: dict[str, live.RecentTrades]
    analytics: dict[str, live.Analytics]
    inception: dict[str, live.SinceInception]
    decisions: dict[str, live.DecisionLast]
    conversations: dict[str, tuple[live.Conversation, ...]]

    @property
    def traders(self) -> list[str]:
        return list(self.retired)


def project(trader_ids: Collection[str] | None = None) -> Projection:
    """Of these traders, or of the whole fleet; unknown ones are left out. Seven statements."""
    as_of, retired = _traders(trader_ids)
    asked = {"traders": list(retired), "most": MOST_TRADES}
    results = {row[0]: row[1:] for row in _rows(_RESULTS, asked)}
    equity = {name: inception.equity_of(rows) for name, rows in _grouped(_rows(_EQUITY, asked)).items()}
    decided = {row[0]: row[1:] for row in _rows(_DECISIONS, asked)}
    held = _grouped(_rows(_POSITIONS, asked))
    traded = _grouped(_rows(_TRADES, asked))
    talked = _grouped(_rows(_CONVERSATIONS, asked | {"most": MOST_CONVERSATIONS}))
    return Projection(
        as_of=as_of,
        retired=retired,
        positions={name: _positions(as_of, held.get(name, ())) for name in retired},
        trades={name: live.RecentTrades(as_of, tuple(_trade(row) for row in traded.get(name, ()))) for name in retired},
        analytics={name: _analytics(as_of, results.get(name), equity.get(name), decided.get(name)) for name in retired},
        inception={name: _inception(as_of, results.get(name), equity.get(name), decided.get(name)) for name in retired},
        decisions={name: _decision(as_of, row) for name, row in decided.items()},
        conversations={name: tuple(live.Conversation(as_of, *row) for row in rows) for name, rows in talked.items()},
    )


def fleet() -> dict[str, bool]:
    """{trader id: whether it is retired}, in order of id."""
    return _traders(None)[1]


def _traders(trader_ids: Collection[str] | None) -> tuple[int, dict[str, bool]]:
    rows = _rows(_TRADERS, {"all": trader_ids is None, "traders": list(trader_ids or ())})
    ((as_of,),) = _rows(f"SELECT {_NOW}", {}) if not rows else [(rows[0][0],)]
    return int(as_of), {name: retired for _, name, retired in rows}


def _positions(as_of: int, rows: Iterable[Any]) -> live.Positions:
    return live.Positions(as_of, {symbol: live.LivePosition(*parts) for symbol, *parts in rows})


def _trade(row: Any) -> live.LiveTrade:
    symbol, side, quantity, entry, exit_price, net, closed, trade_id, opened, leverage, confidence, exchange = row
    return live.LiveTrade(
        symbol=symbol,
        side=side,
        quantity=quantity,
        entry_price=entry,
        exit_price=exit_price,
        net_pnl_usd=net,
        closed_ms=closed,
        id=trade_id,
        opened_ms=opened,
        leverage=leverage,
        confidence=confidence,
        exchange=exchange,
    )


def _analytics(as_of: int, results: Any, equity: inception.Equity | None, decided: Any) -> live.Analytics:
    trades, wins, losses, net, gross, fees, _first, last = results or (
        0,
        0,
        0,
        Decimal(0),
        Decimal(0),
        Decimal(0),
        0,
        None,
    )
    done, actions = decided[9:11] if decided else (None, None)
    return live.Analytics(
        as_of=as_of,
        net_pnl_usd=net,
        trades=trades,
        wins=wins,
        losses=losses,
        win_rate_pct=100 * wins / trades if trades else None,
        gross_pnl_usd=gross,
        fees_usd=fees,
        return_pct=equity.return_pct if equity else None,
        sharpe=equity.sharpe if equity else None,
        max_drawdown_pct=equity.max_drawdown_pct if equity else None,
        last_close_ms=last,
        executed_share=done / actions if actions else None,
        last_actions=actions,
    )


def _inception(as_of: int, results: Any, equity: inception.Equity | None, decided: Any) -> live.SinceInception:
    net, first_close = (results[3], results[6]) if results else (Decimal(0), None)
    return live.SinceInception(
        as_of=as_of,
        net_pnl_usd=equity.last - equity.first if equity else net,
        return_pct=equity.return_pct if equity else None,
        sharpe=equity.sharpe if equity else None,
        start_equity_usd=equity.first if equity else None,
        equity_usd=equity.last if equity else None,
        inception_ms=equity.first_ms if equity else first_close,
        decisions=decided[11] if decided else 0,
    )


def _decision(as_of: int, row: Any) -> live.DecisionLast:
    decided_ms, success, symbol, action, confidence, error, version, number, cycle, *_ = row
    return live.DecisionLast(
        as_of=as_of,
        decided_ms=decided_ms,
        success=success,
        symbol=symbol,
        action=action,
        confidence=confidence,
        error=error,
        config_version=version,
        id=number,
        cycle=cycle,
    )


def _grouped(rows: Iterable[Any]) -> dict[str, list[Any]]:
    """{trader: its rows without the id}."""
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(row[1:])
    return found


def _rows(sql: str, asked: dict[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, asked)
        return list(cursor.fetchall())
