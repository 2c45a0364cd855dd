"""Sums of the trades of a period by group, which the database adds up. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from traders.database import sql
from traders.schema.moments import EARLIEST_MS, LATEST_MS
from trading.analytics.groups.keys import UNITS, GroupBy
from trading.record.stored.safe_sql import (
    EQUITY_IS_GOOD,
    bounded,
    is_bounded,
    is_funding_unknown,
    is_moment_ms,
    moment_ms,
    number,
)

ROLLED_UP = (GroupBy.TRADER, GroupBy.VERSION, GroupBy.PROMPT, GroupBy.MODEL)
"""The groups that `version_results` knows."""


@dataclass(frozen=True)
class TradeSelection:
    """Closed trades: of these traders (None: of all), in [since, until), in one symbol, on one side."""

    traders: Sequence[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    symbol: str | None = None
    side: str | None = None

    @property
    def is_whole_record(self) -> bool:
        """Whether every trade of its traders is in it."""
        return not (self.since or self.until or self.symbol or self.side)

    @property
    def conditions(self) -> str:
        """SQL of `trades`. Only what is asked for, so that an index with nothing else in it serves."""
        tests = ["exclusion_id IS NULL", is_moment_ms("close_ts_ms"), is_bounded("net_pnl")]
        given = {
            "trader_id = ANY (%(traders)s)": self.traders is not None,
            "close_ts_ms >= %(since)s": self.since is not None,
            "close_ts_ms < %(until)s": self.until is not None,
            "symbol = %(symbol)s": self.symbol is not None,
            "side = %(side)s": self.side is not None,
        }
        return " AND ".join([*tests, *(test for test, is_asked in given.items() if is_asked)])

    @property
    def parameters(self) -> dict[str, Any]:
        return {
            "traders": None if self.traders is None else list(self.traders),
            "since": self.since and _ms(self.since),
            "until": self.until and _ms(self.until),
            "symbol": self.symbol,
            "side": self.side,
        }


@dataclass(frozen=True, slots=True)
class GroupSums:
    """In USD and milliseconds; None of `won` to `held_ms` was not added up. The value of a period is its start."""

    trader_id: str
    value: int | str | None
    trades: int
    wins: int
    net: Decimal
    won: Decimal | None
    lost: Decimal | None
    gross: Decimal | None
    fees: Decimal | None
    funding: Decimal | None
    held_ms: Decimal | None


_SUMMED = ("trades", "wins", "net", "won", "lost", "gross", "fees", "funding", "held_ms")
_DETAILS = f"""sum({number("detail", "pnl.gross")}) AS gross, sum({number("detail", "pnl.commission")}) AS fees,
       coalesce(sum({number("detail", "pnl.funding")}), 0) AS funding,
       sum(close_ts_ms - {moment_ms("detail", "time.open_ts_ms")}) AS held_ms"""
_NO_DETAILS = ", ".join(f"NULL::numeric AS {name}" for name in ("gross", "fees", "funding", "held_ms"))
_KEYS = {
    GroupBy.TRADER: "trader_id, trader_id AS value",
    GroupBy.VERSION: "trader_id, entry_version AS value",
    GroupBy.PROMPT: "trader_id, entry_version AS value",
    GroupBy.MODEL: "trader_id, entry_version AS value",
    GroupBy.SYMBOL: "'' AS trader_id, symbol AS value",
    GroupBy.SIDE: "'' AS trader_id, side AS value",
    # By the starts that the calendar gives, so that days of 23 hours are right.
    **dict.fromkeys(UNITS, "'' AS trader_id, width_bucket(close_ts_ms, %(starts)s::bigint[]) AS value"),
}
_OF_VERSION = {GroupBy.PROMPT: "{prompts,system_sha256}", GroupBy.MODEL: "{llm,model}"}
_ROLLED_UP = f"""
SELECT trader_id, nullif(entry_version, 0) AS entry_version, trades, wins, {bounded("net_pnl")} AS net,
       NULL::numeric AS won, NULL::numeric AS lost, {bounded("gross_pnl")} AS gross, {bounded("commission")} AS fees,
       {bounded("funding")} AS funding, NULL::numeric AS held_ms
  FROM version_results WHERE %(traders)s::text[] IS NULL OR trader_id = ANY (%(traders)s)
"""
_ENDS = "SELECT min(close_ts_ms) AS first_ms, max(close_ts_ms) AS last_ms FROM trades WHERE {tests}"
_POINTS = f"""
SELECT count(*) FROM (SELECT 1 FROM equity_snapshots WHERE trader_id = ANY (%(traders)s) AND {EQUITY_IS_GOOD}
   AND ts_ms >= %(since)s AND ts_ms < %(until)s LIMIT %(most)s) e
"""
_DECISIONS = """
SELECT count(*) FROM (SELECT 1 FROM decision_journal WHERE trader_id = ANY (%(traders)s)
   AND decided_at >= to_timestamp(%(since)s / 1000.0) AND decided_at < to_timestamp(%(until)s / 1000.0)
 LIMIT %(most)s) j
"""


def count(chosen: TradeSelection, most: int) -> int:
    """How many trades, up to `most`."""
    if chosen.is_whole_record:
        statement = f"SELECT least(coalesce(sum(trades), 0)::bigint, %(most)s) FROM ({_ROLLED_UP}) r"
    else:
        statement = f"SELECT count(*) FROM (SELECT 1 FROM trades WHERE {chosen.conditions} LIMIT %(most)s) t"
    return int(sql.value(statement, chosen.parameters | {"most": most}))


def count_without_funding(chosen: TradeSelection) -> int:
    """How many of the trades are without funding that was due, from an index of these alone."""
    statement = f"SELECT count(*) FROM trades WHERE {chosen.conditions} AND {is_funding_unknown('detail')}"
    return int(sql.value(statement, chosen.parameters))


def traders_of(chosen: TradeSelection, most: int) -> list[str]:
    """The traders that closed one of the trades, by id, up to `most`."""
    statement = f"SELECT DISTINCT trader_id FROM trades WHERE {chosen.conditions} ORDER BY trader_id LIMIT %(most)s"
    return sql.values(statement, chosen.parameters | {"most": most})


def ends(chosen: TradeSelection) -> tuple[int, int] | None:
    """When the first and the last of the trades closed, in milliseconds; None without any."""
    [row] = sql.rows(_ENDS.format(tests=chosen.conditions), chosen.parameters)
    return None if row.first_ms is None else (row.first_ms, row.last_ms)


def count_points(chosen: TradeSelection, traders: Sequence[str], most: int) -> int:
    """Points of equity of these traders in the period, up to `most`."""
    return int(sql.value(_POINTS, _bounds(chosen) | {"traders": list(traders), "most": most}))


def count_decisions(chosen: TradeSelection, traders: Sequence[str], most: int) -> int:
    """Decisions of these traders in the period, up to `most`."""
    return int(sql.value(_DECISIONS, _bounds(chosen) | {"traders": list(traders), "most": most}))


def summed(
    chosen: TradeSelection, by: GroupBy, *, starts: Sequence[int] = (), has_details: bool = False
) -> list[GroupSums]:
    """By group. `starts` are the starts of the periods, ascending, where `by` is one. With details each trade's row is
    read, else an index alone."""
    keys = _KEYS[by]
    parts = _DETAILS if has_details else _NO_DETAILS
    statement = f"""
SELECT {keys}, count(*) AS trades, count(*) FILTER (WHERE net_pnl > 0) AS wins, sum(net_pnl) AS net,
       coalesce(sum(net_pnl) FILTER (WHERE net_pnl > 0), 0) AS won,
       coalesce(sum(net_pnl) FILTER (WHERE net_pnl < 0), 0) AS lost, {parts}
  FROM trades WHERE {chosen.conditions} GROUP BY 1, 2"""
    if by in _OF_VERSION:
        statement = _by_value_of_version(statement.replace(" AS value,", " AS entry_version,"), by)
    found = sql.rows_as(GroupSums, statement, chosen.parameters | {"starts": list(starts)})
    return [replace(one, value=starts[int(one.value or 1) - 1]) for one in found] if by in UNITS else found


def rolled_up(chosen: TradeSelection, by: GroupBy) -> list[GroupSums]:
    """Of whole records, from the sums that the database keeps of each version: no trade is read."""
    if by in _OF_VERSION:
        statement = _by_value_of_version(_ROLLED_UP, by)
    else:
        value = "trader_id" if by is GroupBy.TRADER else "entry_version"
        statement = f"SELECT trader_id, {value} AS value, {_added_up()} FROM ({_ROLLED_UP}) s GROUP BY 1, 2"
    return sql.rows_as(GroupSums, statement, chosen.parameters)


def _by_value_of_version(statement: str, by: GroupBy) -> str:
    """By what the version that entered names."""
    return f"""
SELECT '' AS trader_id, nullif(v.detail #>> '{_OF_VERSION[by]}', '') AS value, {_added_up()} FROM ({statement}) s
  LEFT JOIN trader_config_versions v ON v.id = s.trader_id AND v.version = s.entry_version GROUP BY 2"""


def _added_up() -> str:
    kinds = {"trades": "::bigint", "wins": "::bigint"}
    return ", ".join(f"sum(s.{name}){kinds.get(name, '')} AS {name}" for name in _SUMMED)


def _bounds(chosen: TradeSelection) -> dict[str, Any]:
    given = {name: value for name in ("since", "until") if (value := chosen.parameters[name]) is not None}
    return {"since": EARLIEST_MS, "until": LATEST_MS} | given


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
