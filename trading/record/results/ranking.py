"""Versions of the fleet ordered by their results, each with the version before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from traders.versions.changelog.queries import Filter
from trading.record.stored.bounded import fetch
from trading.record.stored.counted import ASIDE
from trading.record.stored.safe_sql import is_bounded

LIMIT_MS = 5_000
PER_PAGE = 50

_TESTS = {
    "config_id": "r.trader_id = %(config_id)s",
    "config_ids": "r.trader_id = ANY (%(config_ids)s)",
    "actor": "v.history_user_id = %(actor)s",
    "paths": "v.changed_fields && %(paths)s::text[]",
    "source": "v.source = %(source)s",
    "change_set": "v.change_set = %(change_set)s",
}
# The period is that of the trades: the roll-up has no days, so of a period their index is summed.
_IN_PERIOD = {"since": "close_ts_ms >= %(since_ms)s", "until": "close_ts_ms < %(until_ms)s"}
_OF_PERIOD = f"""
WITH of_period AS MATERIALIZED (
    SELECT trader_id, entry_version, count(*) AS trades, count(*) FILTER (WHERE net_pnl > 0) AS wins,
           sum(net_pnl) AS net_pnl
      FROM trades WHERE exclusion_id IS NULL AND entry_version IS NOT NULL AND {is_bounded("net_pnl")} AND {{tests}}
     GROUP BY trader_id, entry_version)
"""
_FROM = """
  FROM {results} r
  JOIN trader_config_versions v ON v.id = r.trader_id AND v.version = r.entry_version
  LEFT JOIN {results} b ON b.trader_id = r.trader_id AND b.entry_version = r.entry_version - 1
       AND b.entry_version > 0
"""
# The page is cut first, then its versions are joined with the next versions.
_PAGE = """{period}
SELECT m.*, n.history_date AS until FROM (
    SELECT r.net_pnl, r.trader_id, r.entry_version AS version, r.trades, r.wins, b.trades AS trades_before,
           b.net_pnl AS net_before, v.history_date AS since, v.history_user_id AS changed_by, v.account_id,
           v.history_change_reason AS reason, v.source, v.change_set, v.changed_fields
    {joined} WHERE {tests}
     ORDER BY r.net_pnl {way}, r.trader_id {way}, r.entry_version {way} LIMIT %(limit)s) m
  LEFT JOIN trader_config_versions n ON n.id = m.trader_id AND n.version = m.version + 1
 ORDER BY m.net_pnl {way}, m.trader_id {way}, m.version {way}
"""
# Beside each other: Citus refuses a subquery among sums.
_SUM = """{period}
SELECT s.*, a.set_aside FROM (
    SELECT count(*) AS versions, coalesce(sum(r.trades), 0) AS trades, coalesce(sum(r.wins), 0) AS wins,
           coalesce(sum(r.net_pnl), 0) AS net_pnl, coalesce(sum(b.trades), 0) AS trades_before,
           coalesce(sum(b.net_pnl), 0) AS net_before
    {joined} WHERE {tests}) s
 CROSS JOIN ({aside}) a
"""


# `r` is the table of trades here: the conditions use only its trader. Reads a small partial index.
_ASIDE = f"""
SELECT count(*) AS set_aside
  FROM trades r JOIN trader_config_versions v ON v.id = r.trader_id AND v.version = r.entry_version
 WHERE r.{ASIDE} AND {{tests}}
"""


@dataclass(frozen=True, slots=True)
class ResultPlace:
    """The page begins after this version, in the order of the page."""

    net: Decimal
    trader_id: str
    version: int


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """A version and the trades that it opened; of a period, those that closed in it. `trades_before` None: the version
    before opened no trades or does not exist. `until` None: it is the latest version."""

    net_pnl: Decimal
    trader_id: str
    version: int
    trades: int
    wins: int
    trades_before: int | None
    net_before: Decimal | None
    since: datetime
    changed_by: str
    account_id: int | None
    reason: str
    source: str
    change_set: int
    changed_fields: list[str]
    until: datetime | None

    @property
    def place(self) -> ResultPlace:
        return ResultPlace(self.net_pnl, self.trader_id, self.version)

    @property
    def previous(self) -> int:
        """The version before, for a comparison; for the first version, itself."""
        return max(1, self.version - 1)

    @property
    def win_rate_pct(self) -> Decimal:
        return Decimal(100) * self.wins / self.trades

    @property
    def per_trade(self) -> Decimal:
        return self.net_pnl / self.trades

    @property
    def per_trade_before(self) -> Decimal | None:
        return None if self.net_before is None or not self.trades_before else self.net_before / self.trades_before

    @property
    def change_per_trade(self) -> Decimal | None:
        """The change of the P&L per trade from the version before, because the two were active for different times."""
        return None if self.per_trade_before is None else self.per_trade - self.per_trade_before


@dataclass(frozen=True, slots=True)
class ResultSum:
    """Sums of all versions that match, and of the versions before them. `set_aside`: trades of those versions that are
    in no sum."""

    versions: int
    trades: int
    wins: int
    net_pnl: Decimal
    trades_before: int
    net_before: Decimal
    set_aside: int

    @property
    def win_rate_pct(self) -> Decimal | None:
        return Decimal(100) * self.wins / self.trades if self.trades else None


def ranked(
    where: Filter, *, best_first: bool, after: ResultPlace | None = None
) -> tuple[list[ChangeResult], ResultPlace | None]:
    """(a page of versions with trades, the start of the next page). Raises TookTooLong."""
    tests, parameters = _conditions(where)
    if after:
        tests.append(
            f"(r.net_pnl, r.trader_id, r.entry_version) {'<' if best_first else '>'}"
            " (%(net)s, %(trader)s::text, %(version)s)"
        )
        parameters |= {"net": after.net, "trader": after.trader_id, "version": after.version}
    sql = _PAGE.format(**_source(where), tests=" AND ".join(tests), way="DESC" if best_first else "ASC")
    found = fetch(sql, parameters | {"limit": PER_PAGE + 1}, limit_ms=LIMIT_MS)
    lines = [ChangeResult(**row._asdict()) for row in found[:PER_PAGE]]
    return lines, lines[-1].place if len(found) > PER_PAGE else None


def summed(where: Filter) -> ResultSum:
    """Raises TookTooLong."""
    tests, parameters = _conditions(where)
    aside = _ASIDE.format(tests=" AND ".join([*tests, *(f"r.{test}" for test in _period_tests(where))]))
    sql = _SUM.format(**_source(where), tests=" AND ".join(tests), aside=aside)
    (sums,) = fetch(sql, parameters, limit_ms=LIMIT_MS)
    return ResultSum(**sums._asdict())


def _conditions(where: Filter) -> tuple[list[str], dict[str, Any]]:
    given = {name: value for name in _TESTS if (value := getattr(where, name))}
    parameters = {**given, "paths": sorted(where.paths), "config_ids": list(where.config_ids)}
    parameters |= {
        f"{name}_ms": round(value.timestamp() * 1000) for name in _IN_PERIOD if (value := getattr(where, name))
    }
    return ["true", *(_TESTS[name] for name in given)], parameters


def _period_tests(where: Filter) -> list[str]:
    return [test for name, test in _IN_PERIOD.items() if getattr(where, name)]


def _source(where: Filter) -> dict[str, str]:
    """Where the results come from: the sums that the database keeps, or those of the trades of the period."""
    tests = _period_tests(where)
    if not tests:
        return {"period": "", "joined": _FROM.format(results="version_results")}
    if where.config_id:
        tests.append("trader_id = %(config_id)s")
    if where.config_ids:
        tests.append("trader_id = ANY (%(config_ids)s)")
    return {"period": _OF_PERIOD.format(tests=" AND ".join(tests)), "joined": _FROM.format(results="of_period")}
