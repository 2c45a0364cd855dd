"""What PostgreSQL says of each trader, as the values of the live store. Reads only.

`as_of` is the moment before the statement's snapshot. A writer projects after its commit, so of two projections the
one with the later `as_of` knows at least as much: the store may keep the newer and drop the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from traders.database import sql
from trading.analytics import inception
from trading.analytics.inception import EquityDay
from trading.record.stored import transfers
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
from trading.schema.facts import EquityPoint
from trading.schema.live_store import values as live
from trading.schema.live_store.limits import MOST_CONVERSATIONS, MOST_TRADES
from trading.schema.live_store.quotes import Providers

MOST_ERROR_CHARACTERS = 500
_NOW = "(extract(epoch FROM statement_timestamp()) * 1000000)::bigint"
_TRADERS = f"""
SELECT {_NOW} AS as_of, id, detail -> 'retired' IS NOT DISTINCT FROM 'true'::jsonb AS is_retired
  FROM trader_config WHERE %(all)s OR id = ANY (%(traders)s) ORDER BY id
"""
_PROVIDERS = "SELECT id, exchange_provider, market_provider FROM trader_config ORDER BY id"
_POSITION_IS_READABLE = f"{is_bounded('quantity')} AND {is_bounded('entry_price')} AND {is_moment_ms('opened_ms')}"
_POSITIONS = f"""
SELECT trader_id, symbol, side, quantity, entry_price, {bounded("leverage")} AS leverage,
       {number("detail", "risk.confidence")} AS confidence, {number("detail", "risk.risk_usd")} AS risk_usd, opened_ms,
       coalesce({epoch_ms("updated_at")}, opened_ms) AS updated_ms, detail #>> '{{exchange,provider}}' AS exchange
  FROM positions
 WHERE trader_id = ANY (%(traders)s) AND status = 'open' AND exclusion_id IS NULL AND {_POSITION_IS_READABLE}
 ORDER BY trader_id, symbol
"""
# What cannot be read is left out before the last ones are taken, so that it takes no other trade's place.
_TRADES = f"""
SELECT t.trader_id, t.symbol, t.side, t.quantity, t.entry AS entry_price, t.exit AS exit_price,
       t.net_pnl AS net_pnl_usd, t.close_ts_ms AS closed_ms, t.id, t.opened_ms, {bounded("t.leverage")} AS leverage,
       {bounded("t.confidence")} AS confidence, t.detail #>> '{{exchange,provider}}' AS exchange
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
SELECT trader_id, sum(trades)::bigint AS trades, sum(wins)::bigint AS wins, sum(losses)::bigint AS losses,
       coalesce(sum({bounded("net_pnl")}), 0) AS net, coalesce(sum({bounded("gross_pnl")}), 0) AS gross,
       coalesce(sum({bounded("commission")}), 0) AS fees,
       min(CASE WHEN {is_moment_ms("first_close_ms")} THEN first_close_ms END) AS first_close_ms,
       max(CASE WHEN {is_moment_ms("last_close_ms")} THEN last_close_ms END) AS last_close_ms
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
           max(e.equity_usd) OVER (PARTITION BY e.trader_id ORDER BY e.ts_ms) AS peak,
           max(e.equity_usd) OVER (PARTITION BY e.trader_id) AS highest
      FROM equity_snapshots e JOIN series USING (trader_id, source) WHERE {EQUITY_COUNTS})
SELECT trader_id, min(ts_ms) AS first_ms, (array_agg(equity_usd ORDER BY ts_ms))[1] AS first,
       (array_agg(equity_usd ORDER BY ts_ms DESC))[1] AS last,
       max(CASE WHEN peak > 0 THEN least(100 * (peak - equity_usd) / peak, 100) END) AS fall_pct, count(*) AS points
  FROM points WHERE peak > 0 OR highest <= 0 GROUP BY trader_id, ts_ms / 86400000 ORDER BY trader_id, ts_ms / 86400000
"""
_POINTS = f"""
SELECT e.trader_id, e.ts_ms, e.equity_usd AS equity, e.source
  FROM equity_snapshots e
 WHERE e.trader_id = ANY (%(traders)s) AND {EQUITY_COUNTS}
   AND e.source = (SELECT source FROM equity_snapshots s WHERE s.trader_id = e.trader_id AND {EQUITY_COUNTS}
                    GROUP BY source ORDER BY source <> 'engine', source <> 'imported', source LIMIT 1)
 ORDER BY e.trader_id, e.ts_ms
"""
# All less those set aside: two counts from indexes alone.
_DECISIONS = f"""
SELECT wanted.id AS trader_id, j.decided_ms, j.success, j.first ->> 'symbol' AS symbol, j.first ->> 'action' AS action,
       {number("j.first", "confidence")} AS confidence, left(j.error, {MOST_ERROR_CHARACTERS}) AS error,
       j.config_version, j.id, j.cycle_number, j.done, j.actions,
       (SELECT count(*) FROM decision_journal WHERE trader_id = wanted.id)
           - (SELECT count(*) FROM decision_journal WHERE trader_id = wanted.id AND exclusion_id IS NOT NULL)
           AS decisions
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
SELECT wanted.id AS trader_id, c.conversation, c.messages, {epoch_ms("c.sent_at")} AS sent_ms
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
    """Of these traders, or of the whole fleet; unknown ones are left out. Eight statements; nine with transfers."""
    as_of, retired = _traders(trader_ids)
    asked = {"traders": list(retired), "most": MOST_TRADES}
    results = _by_trader(sql.rows(_RESULTS, asked))
    decided = _by_trader(sql.rows(_DECISIONS, asked))
    equity = _equity(list(retired))
    held = _grouped(sql.rows(_POSITIONS, asked))
    traded = _grouped(sql.rows(_TRADES, asked))
    talked = _grouped(sql.rows(_CONVERSATIONS, asked | {"most": MOST_CONVERSATIONS}))
    return Projection(
        as_of=as_of,
        retired=retired,
        positions={name: _positions(as_of, held.get(name, ())) for name in retired},
        trades={name: live.RecentTrades(as_of, tuple(map(_trade, traded.get(name, ())))) for name in retired},
        analytics={name: _analytics(as_of, results.get(name), equity.get(name), decided.get(name)) for name in retired},
        inception={name: _inception(as_of, results.get(name), equity.get(name), decided.get(name)) for name in retired},
        decisions={name: _decision(as_of, row) for name, row in decided.items()},
        conversations={name: tuple(_conversation(as_of, row) for row in rows) for name, rows in talked.items()},
    )


def _equity(trader_ids: list[str]) -> dict[str, inception.Equity]:
    """By days, which the database sums up; of a trader with transfers from all its points."""
    flows = transfers.flows(trader_ids)
    plain = {"traders": [name for name in trader_ids if name not in flows]}
    found = {name: inception.equity_of(map(_day, days)) for name, days in _grouped(sql.rows(_EQUITY, plain)).items()}
    points = equity_points(flows)
    return found | {name: inception.equity_with_transfers(points[name], flows[name]) for name in points}


def equity_points(trader_ids: Collection[str]) -> dict[str, list[EquityPoint]]:
    """{trader: its preferred series, ascending} of those that have equity."""
    found: dict[str, list[EquityPoint]] = {}
    for point in sql.rows_as(EquityPoint, _POINTS, {"traders": list(trader_ids)}) if trader_ids else ():
        found.setdefault(point.trader_id, []).append(point)
    return found


def fleet() -> dict[str, bool]:
    """{trader id: whether it is retired}, in order of id."""
    return _traders(None)[1]


def providers() -> dict[str, Providers]:
    """{trader id: where it trades and whose market data it reads}, of the whole fleet."""
    return {row.id: Providers(row.exchange_provider, row.market_provider) for row in sql.rows(_PROVIDERS)}


def known_providers(of_traders: Mapping[str, Providers]) -> frozenset[str]:
    """By these the fields of prices are read."""
    return frozenset(name for both in of_traders.values() for name in both)


def _traders(trader_ids: Collection[str] | None) -> tuple[int, dict[str, bool]]:
    rows = sql.rows(_TRADERS, {"all": trader_ids is None, "traders": list(trader_ids or ())})
    as_of = rows[0].as_of if rows else sql.value(f"SELECT {_NOW}")
    return int(as_of), {row.id: row.is_retired for row in rows}


def _day(row: Any) -> EquityDay:
    return EquityDay(row.first_ms, row.first, row.last, row.fall_pct, row.points)


def _positions(as_of: int, rows: Iterable[Any]) -> live.Positions:
    return live.Positions(as_of, {row.symbol: _position(row) for row in rows})


def _position(row: Any) -> live.LivePosition:
    return live.LivePosition(
        side=row.side,
        quantity=row.quantity,
        entry_price=row.entry_price,
        leverage=row.leverage,
        confidence=row.confidence,
        risk_usd=row.risk_usd,
        opened_ms=row.opened_ms,
        updated_ms=row.updated_ms,
        exchange=row.exchange,
    )


def _trade(row: Any) -> live.LiveTrade:
    return live.LiveTrade(
        symbol=row.symbol,
        side=row.side,
        quantity=row.quantity,
        entry_price=row.entry_price,
        exit_price=row.exit_price,
        net_pnl_usd=row.net_pnl_usd,
        closed_ms=row.closed_ms,
        id=row.id,
        opened_ms=row.opened_ms,
        leverage=row.leverage,
        confidence=row.confidence,
        exchange=row.exchange,
    )


def _analytics(as_of: int, results: Any, equity: inception.Equity | None, decided: Any) -> live.Analytics:
    """`results`, `equity` and `decided` are None for a trader without trades, equity or decisions."""
    return live.Analytics(
        as_of=as_of,
        net_pnl_usd=results.net if results else Decimal(0),
        trades=results.trades if results else 0,
        wins=results.wins if results else 0,
        losses=results.losses if results else 0,
        win_rate_pct=100 * results.wins / results.trades if results and results.trades else None,
        gross_pnl_usd=results.gross if results else Decimal(0),
        fees_usd=results.fees if results else Decimal(0),
        return_pct=equity.return_pct if equity else None,
        sharpe=equity.sharpe if equity else None,
        max_drawdown_pct=equity.max_drawdown_pct if equity else None,
        last_close_ms=results.last_close_ms if results else None,
        executed_share=decided.done / decided.actions if decided and decided.actions else None,
        last_actions=decided.actions if decided else None,
    )


def _inception(as_of: int, results: Any, equity: inception.Equity | None, decided: Any) -> live.SinceInception:
    net, first_close_ms = (results.net, results.first_close_ms) if results else (Decimal(0), None)
    return live.SinceInception(
        as_of=as_of,
        net_pnl_usd=equity.gained if equity else net,
        return_pct=equity.return_pct if equity else None,
        sharpe=equity.sharpe if equity else None,
        start_equity_usd=equity.first if equity else None,
        equity_usd=equity.last if equity else None,
        inception_ms=equity.first_ms if equity else first_close_ms,
        decisions=decided.decisions if decided else 0,
    )


def _decision(as_of: int, row: Any) -> live.DecisionLast:
    return live.DecisionLast(
        as_of=as_of,
        decided_ms=row.decided_ms,
        success=row.success,
        symbol=row.symbol,
        action=row.action,
        confidence=row.confidence,
        error=row.error,
        config_version=row.config_version,
        id=row.id,
        cycle=row.cycle_number,
    )


def _conversation(as_of: int, row: Any) -> live.Conversation:
    return live.Conversation(as_of, conversation=row.conversation, messages=row.messages, sent_ms=row.sent_ms)


def _by_trader(rows: Iterable[Any]) -> dict[str, Any]:
    """{trader: its only row}."""
    return {row.trader_id: row for row in rows}


def _grouped(rows: Iterable[Any]) -> dict[str, list[Any]]:
    """{trader: its rows}."""
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.trader_id].append(row)
    return found
