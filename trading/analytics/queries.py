"""The trading record as the flat facts that analytics read. Reads only."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

from traders.database import sql
from traders.models import TraderConfig
from traders.schema.messages import TranslatableText, _
from traders.schema.moments import EARLIEST_MS, LATEST_MS
from trading.analytics.intervals import OpenPosition
from trading.record.stored.safe_sql import (
    EQUITY_IS_GOOD,
    bounded,
    epoch_ms,
    is_funding_unknown,
    is_moment_ms,
    items,
    moment_ms,
    number,
    version,
)
from trading.record.stored.spread import reads
from trading.record.stored.unreadable import note
from trading.schema.facts import DecisionFact, EquityPoint, SetAsideCounts, SignalFact, TradeFact
from trading.schema.leaf import LARGEST
from trading.schema.unreadable import NO_FIGURE, NO_MOMENT, NO_MOMENT_MS, Unreadable

# The text sent to the model is identified by the hash of the system prompt of the version that opened the trade.
_OF_VERSION = (
    """v.detail #>> '{prompts,system_sha256}' AS prompt_sha256, nullif(v.detail #>> '{llm,model}', '') AS model"""
)
_IN_SYMBOL = (
    "(%(symbol)s::text IS NULL OR {row}.symbol = %(symbol)s) AND (%(side)s::text IS NULL OR {row}.side = %(side)s)"
)
_TRADES = f"""
SELECT t.id, t.trader_id, t.symbol, t.side, {moment_ms("t.detail", "time.open_ts_ms")} AS open_ts_ms,
       CASE WHEN {is_moment_ms("t.close_ts_ms")} THEN t.close_ts_ms END AS close_ts_ms,
       {bounded("t.quantity")} AS quantity, {number("t.detail", "prices.avg_entry")} AS entry_price,
       {number("t.detail", "prices.avg_exit")} AS exit_price, {number("t.detail", "pnl.gross")} AS gross,
       {number("t.detail", "pnl.commission")} AS commission, {bounded("t.net_pnl")} AS net,
       c.entry_commission, c.exit_commission, {bounded("t.leverage")} AS leverage,
       {bounded("t.confidence")} AS confidence, {number("t.detail", "exit_plan.sl_price")} AS stop_loss,
       {number("t.detail", "exit_plan.tp_price")} AS take_profit, t.entry_version,
       {version("t.detail", "versions.exit")} AS exit_version,
       {_OF_VERSION}, {number("t.detail", "pnl.funding")} AS funding,
       coalesce({is_funding_unknown("t.detail")}, false) AS is_funding_unknown
  FROM trades t
  LEFT JOIN trader_config_versions v ON v.id = t.trader_id AND v.version = t.entry_version
  LEFT JOIN LATERAL (
       SELECT sum({number("fill", "commission")}) FILTER (WHERE fill ->> 'type' = 'entry') AS entry_commission,
              sum({number("fill", "commission")}) FILTER (WHERE fill ->> 'type' = 'exit') AS exit_commission
         FROM jsonb_array_elements({items("t.detail", "fills")}) AS fill) c ON true
 WHERE t.trader_id = ANY (%(traders)s) AND t.exclusion_id IS NULL AND {_IN_SYMBOL.format(row="t")}
   AND (%(since)s::bigint IS NULL OR t.close_ts_ms >= %(since)s)
   AND (%(until)s::bigint IS NULL OR t.close_ts_ms < %(until)s)
 ORDER BY t.trader_id, t.close_ts_ms, t.id
"""
# What every trade needs, by the name in TradeFact, with the path under which it is stored.
_NEEDED = {
    "open_ts_ms": "detail.time.open_ts_ms",
    "close_ts_ms": "close_ts_ms",
    "quantity": "detail.quantity.total",
    "entry_price": "detail.prices.avg_entry",
    "exit_price": "detail.prices.avg_exit",
    "gross": "detail.pnl.gross",
    "commission": "detail.pnl.commission",
    "net": "detail.pnl.net",
}
_needed = attrgetter(*_NEEDED)
_OF_PERIOD = """
 WHERE j.trader_id = ANY (%(traders)s) AND j.exclusion_id IS NULL
   AND (%(since_at)s::timestamptz IS NULL OR j.decided_at >= %(since_at)s)
   AND (%(until_at)s::timestamptz IS NULL OR j.decided_at < %(until_at)s)
"""
_DECISIONS = f"""
SELECT j.id, j.trader_id, {epoch_ms("j.decided_at")} AS decided_at_ms, j.success, j.config_version
  FROM decision_journal j {_OF_PERIOD} ORDER BY j.trader_id, j.decided_at, j.id
"""
_SIGNALS = f"""
SELECT j.id AS decision_id, j.trader_id, {epoch_ms("j.decided_at")} AS decided_at_ms, d ->> 'symbol' AS symbol,
       d ->> 'action' AS action, {number("d", "confidence")} AS confidence, {number("d", "leverage")} AS leverage,
       {number("d", "entry_price")} AS entry_price, {number("d", "stop_loss")} AS stop_loss,
       {number("d", "take_profit")} AS take_profit, {number("d", "position_size_usd")} AS position_size_usd,
       j.config_version, {_OF_VERSION}
  FROM decision_journal j
 CROSS JOIN LATERAL jsonb_array_elements({items("j.detail", "decisions")}) AS d
  LEFT JOIN trader_config_versions v ON v.id = j.trader_id AND v.version = j.config_version
 {_OF_PERIOD} AND (%(symbol)s::text IS NULL OR d ->> 'symbol' = %(symbol)s)
   AND (%(side)s::text IS NULL OR d ->> 'action' IN ('open_' || %(side)s, 'close_' || %(side)s))
 ORDER BY j.trader_id, j.decided_at, j.id
"""
_EQUITY = f"""
SELECT trader_id, ts_ms, equity_usd AS equity, source FROM equity_snapshots
 WHERE trader_id = ANY (%(traders)s) AND {EQUITY_IS_GOOD}
   AND (%(since)s::bigint IS NULL OR ts_ms >= %(since)s)
   AND (%(until)s::bigint IS NULL OR ts_ms < %(until)s)
 ORDER BY trader_id, ts_ms
"""
_OPEN = f"""
SELECT p.trader_id, p.symbol, p.side, p.opened_ms AS open_ts_ms, %(until)s::bigint AS close_ts_ms, p.entry_version,
       {_OF_VERSION}
  FROM positions p
  LEFT JOIN trader_config_versions v ON v.id = p.trader_id AND v.version = p.entry_version
 WHERE p.trader_id = ANY (%(traders)s) AND p.status = 'open' AND p.exclusion_id IS NULL
   AND {_IN_SYMBOL.format(row="p")} AND p.opened_ms <= %(until)s AND {is_moment_ms("p.opened_ms")}
 ORDER BY p.trader_id, p.symbol
"""


_WITH_RECORDS = """
SELECT wanted.id FROM unnest(%(traders)s::text[]) AS wanted (id)
 WHERE EXISTS (SELECT 1 FROM trades WHERE trader_id = wanted.id)
    OR EXISTS (SELECT 1 FROM decision_journal WHERE trader_id = wanted.id)
"""
_ASIDE = """
SELECT (SELECT count(*) FROM trades WHERE trader_id = ANY (%(traders)s) AND exclusion_id IS NOT NULL
           AND (%(since)s::bigint IS NULL OR close_ts_ms >= %(since)s)
           AND (%(until)s::bigint IS NULL OR close_ts_ms < %(until)s)) AS trades,
       (SELECT count(*) FROM positions WHERE trader_id = ANY (%(traders)s) AND exclusion_id IS NOT NULL
           AND (%(since)s::bigint IS NULL OR opened_ms >= %(since)s)
           AND (%(until)s::bigint IS NULL OR opened_ms < %(until)s)) AS positions,
       (SELECT count(*) FROM decision_journal WHERE trader_id = ANY (%(traders)s) AND exclusion_id IS NOT NULL
           AND (%(since_at)s::timestamptz IS NULL OR decided_at >= %(since_at)s)
           AND (%(until_at)s::timestamptz IS NULL OR decided_at < %(until_at)s)) AS decisions,
       (SELECT count(*) FROM equity_snapshots WHERE trader_id = ANY (%(traders)s) AND exclusion_id IS NOT NULL
           AND (%(since)s::bigint IS NULL OR ts_ms >= %(since)s)
           AND (%(until)s::bigint IS NULL OR ts_ms < %(until)s)) AS equity
"""


@dataclass(frozen=True)
class Facts:
    """Of some traders and a period, each list in order of trader and time."""

    trades: list[TradeFact]
    signals: list[SignalFact]
    decisions: list[DecisionFact]
    equity: list[EquityPoint]


def facts(
    trader_ids: Collection[str],
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    symbol: str | None = None,
    side: str | None = None,
) -> Facts:
    """Trades that closed, decisions taken and equity seen at or after `since` and before `until`. With `symbol` or
    `side` the trades and signals of it alone; decisions and equity are of no single one. Four statements."""
    asked = _asked(trader_ids, since, until) | {"symbol": symbol, "side": side}
    return Facts(
        [fact for fact in sql.rows_as(TradeFact, _TRADES, asked) if _is_whole(fact)],
        [fact for fact in sql.rows_as(SignalFact, _SIGNALS, asked) if _names_symbol_and_action(fact)],
        [fact for fact in sql.rows_as(DecisionFact, _DECISIONS, asked) if _is_dated(fact)],
        equity(trader_ids, since=since, until=until),
    )


def equity(
    trader_ids: Collection[str], *, since: datetime | None = None, until: datetime | None = None
) -> list[EquityPoint]:
    """In order of trader and time, of every series."""
    return [
        point
        for point in sql.rows_as(EquityPoint, _EQUITY, _asked(trader_ids, since, until))
        if is_equity(point.trader_id, point.ts_ms, point.equity)
    ]


def set_aside(trader_ids: Collection[str], *, since: datetime | None, until: datetime | None) -> SetAsideCounts:
    """What the facts of the same question leave out. One statement, from tiny indexes."""
    return sql.rows_as(SetAsideCounts, _ASIDE, _asked(trader_ids, since, until))[0]


def _asked(trader_ids: Collection[str], since: datetime | None, until: datetime | None) -> dict[str, Any]:
    return {
        "traders": list(trader_ids),
        "since": since and _ms(since),
        "until": until and _ms(until),
        "since_at": since,
        "until_at": until,
    }


def open_positions(
    trader_ids: Collection[str], *, until: datetime, symbol: str | None = None, side: str | None = None
) -> list[OpenPosition]:
    """What the traders hold, as held until a moment; a position opened after it is left out."""
    asked = {"traders": list(trader_ids), "until": _ms(until), "symbol": symbol, "side": side}
    return sql.rows_as(OpenPosition, _OPEN, asked)


def existing(trader_ids: Collection[str]) -> set[str]:
    return set(TraderConfig.objects.filter(pk__in=trader_ids).values_list("pk", flat=True))


def traders_with_records() -> list[str]:
    """Ids of the traders that have trades or decisions, in order."""
    return sorted(row.id for row in reads.rows(_WITH_RECORDS, {"traders": reads.FLEET}))


def _is_whole(fact: TradeFact) -> bool:
    """Whether the database had every value that TradeFact requires; noted if not."""
    needed = _needed(fact)
    if None not in needed:
        return True
    missing = next(path for path, value in zip(_NEEDED.values(), needed, strict=True) if value is None)
    note(Unreadable("trades", fact.id, missing, NO_FIGURE))
    return False


def _names_symbol_and_action(fact: Any) -> bool:
    """Noted if not. A decision without a time is noted by `_is_dated`."""
    if fact.symbol is None or fact.action is None:
        reason = _("must each name a symbol and an action")
        note(Unreadable("decision_journal", str(fact.decision_id), "detail.decisions", reason))
        return False
    return fact.decided_at_ms is not None


def _is_dated(fact: Any) -> bool:
    if fact.decided_at_ms is None:
        note(Unreadable("decision_journal", str(fact.id), "decided_at", NO_MOMENT))
    return fact.decided_at_ms is not None


def is_equity(trader_id: str, ts_ms: int, equity: Decimal) -> bool:
    """Whether a row of `equity_snapshots` can be used; noted if not."""
    problem = equity_problem(ts_ms, equity)
    if problem:
        note(Unreadable("equity_snapshots", f"{trader_id}|{ts_ms}", *problem))
    return problem is None


def equity_problem(ts_ms: int, equity: Decimal) -> tuple[str, TranslatableText] | None:
    """(path, reason); None for equity that can be used."""
    if not EARLIEST_MS <= ts_ms <= LATEST_MS:
        return "ts_ms", NO_MOMENT_MS
    if not equity.is_finite() or abs(equity) > LARGEST:
        return "equity_usd", _("%(rule)s, is %(value)s", rule=NO_FIGURE, value=f"{equity:.6g}")
    return None


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
