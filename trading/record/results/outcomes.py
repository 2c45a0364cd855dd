"""Versions of the fleet ranked by what they earned, each beside the version before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from traders.versions.changelog.queries import Filter
from trading.record.stored.bounded import fetch
from trading.record.stored.counted import ASIDE

LIMIT_MS = 5_000
PER_PAGE = 50

_TESTS = {
    "config_id": "r.trader_id = %(config_id)s",
    "actor": "v.history_user_id = %(actor)s",
    "paths": "v.changed_fields && %(paths)s::text[]",
    "source": "v.source = %(source)s",
    "since": "v.history_date >= %(since)s",
    "until": "v.history_date < %(until)s",
    "change_set": "v.change_set = %(change_set)s",
}
_FROM = """
  FROM version_results r
  JOIN trader_config_versions v ON v.id = r.trader_id AND v.version = r.entry_version
  LEFT JOIN version_results b ON b.trader_id = r.trader_id AND b.entry_version = r.entry_version - 1
       AND b.entry_version > 0
"""
# The page is cut before its versions are joined with what came after them.
_PAGE = """
SELECT m.*, n.history_date AS until FROM (
    SELECT r.net_pnl, r.trader_id, r.entry_version AS version, r.trades, r.wins, b.trades AS trades_before,
           b.net_pnl AS net_before, v.history_date AS since, v.history_user_id AS changed_by, v.account_id,
           v.history_change_reason AS reason, v.source, v.change_set, v.changed_fields
    {joined} WHERE {tests}
     ORDER BY r.net_pnl {way}, r.trader_id {way}, r.entry_version {way} LIMIT %(limit)s) m
  LEFT JOIN trader_config_versions n ON n.id = m.trader_id AND n.version = m.version + 1
 ORDER BY m.net_pnl {way}, m.trader_id {way}, m.version {way}
"""
_SUM = """
SELECT count(*) AS versions, coalesce(sum(r.trades), 0) AS trades, coalesce(sum(r.wins), 0) AS wins,
       coalesce(sum(r.net_pnl), 0) AS net_pnl, coalesce(sum(b.trades), 0) AS trades_before,
       coalesce(sum(b.net_pnl), 0) AS net_before, ({aside}) AS set_aside
{joined} WHERE {tests}
"""


# `r` are trades here: the tests name its trader alone. From a tiny index.
_ASIDE = f"""
SELECT count(*) FROM trades r JOIN trader_config_versions v ON v.id = r.trader_id AND v.version = r.entry_version
 WHERE r.{ASIDE} AND {{tests}}
"""


@dataclass(frozen=True, slots=True)
class OutcomePlace:
    """Where a page begins: past this version in the order of the page."""

    net: Decimal
    trader_id: str
    version: int


@dataclass(frozen=True, slots=True)
class ChangeOutcome:
    """A version and the trades that it opened. `trades_before` None: the version before opened none, or there is
    none; `until` None: it is the latest."""

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
    def place(self) -> OutcomePlace:
        return OutcomePlace(self.net_pnl, self.trader_id, self.version)

    @property
    def previous(self) -> int:
        """The version before, for a comparison; the first one has none but itself."""
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
        """What a trade earns more than under the version before: both may have lived for different times."""
        return None if self.per_trade_before is None else self.per_trade - self.per_trade_before


@dataclass(frozen=True, slots=True)
class OutcomeSum:
    """Over all that matches, and over the versions before them. `set_aside` are trades of those versions that count in
    nothing here."""

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
    where: Filter, *, best_first: bool, after: OutcomePlace | None = None
) -> tuple[list[ChangeOutcome], OutcomePlace | None]:
    """A page of versions with trades, and where the next one begins. Raises TookTooLong."""
    tests, parameters = _conditions(where)
    if after:
        tests.append(
            f"(r.net_pnl, r.trader_id, r.entry_version) {'<' if best_first else '>'}"
            " (%(net)s, %(trader)s::text, %(version)s)"
        )
        parameters |= {"net": after.net, "trader": after.trader_id, "version": after.version}
    sql = _PAGE.format(joined=_FROM, tests=" AND ".join(tests), way="DESC" if best_first else "ASC")
    found = fetch(sql, parameters | {"limit": PER_PAGE + 1}, limit_ms=LIMIT_MS)
    lines = [ChangeOutcome(**row._asdict()) for row in found[:PER_PAGE]]
    return lines, lines[-1].place if len(found) > PER_PAGE else None


def summed(where: Filter) -> OutcomeSum:
    """Raises TookTooLong."""
    tests, parameters = _conditions(where)
    matching = " AND ".join(tests)
    sql = _SUM.format(joined=_FROM, tests=matching, aside=_ASIDE.format(tests=matching))
    (sums,) = fetch(sql, parameters, limit_ms=LIMIT_MS)
    return OutcomeSum(**sums._asdict())


def _conditions(where: Filter) -> tuple[list[str], dict[str, Any]]:
    given = {name: value for name in _TESTS if (value := getattr(where, name))}
    return ["true", *(_TESTS[name] for name in given)], {**given, "paths": sorted(where.paths)}
