"""The six tables of each trader, computed again when its record changed.

A trader with ten thousand trades takes a fraction of a second, so a fleet of them is not computed at every cycle: what
is due is computed in the time that is given, the longest waiting first, and each row says of when it is (`updated_at`).
A cycle, for which readers wait, leaves long records to the time between cycles.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

import msgspec

from trading.analytics import queries as record
from trading.analytics.summary import performance
from trading.export.directory.manifest import file_name
from trading.export.directory.runs import FinishedRun
from trading.export.documents.analytics import analytics_document, analytics_of_one, analytics_row
from trading.export.documents.wire import encode, labelled
from trading.export.parts.equity import AccountSeries
from trading.export.parts.labels import Labels
from trading.export.parts.left_out import LeftOut
from trading.export.queries.fleet import Result
from trading.record.stored.unreadable import attempt
from trading.schema.facts import Flow
from trading.schema.published import without_label

Fingerprint = tuple[object, ...]
LONG_TRADES = 5_000
"""A record of so many trades takes longer to compute than the rest of a cycle."""


class Due(NamedTuple):
    """A trader whose record changed. `start_capital` None: it has none."""

    fingerprint: Fingerprint
    trades: int
    start_capital: Decimal | None
    flows: tuple[Flow, ...]


class AnalyticsRows:
    """`version` rises with every change; `sharpes` and rows have the same moment."""

    def __init__(self, start_capital: Decimal, left_out: LeftOut) -> None:
        self._start_capital = start_capital
        self._left_out = left_out
        self._fingerprints: dict[str, Fingerprint] = {}
        self._updated_ms: dict[str, int] = {}
        self._due: dict[str, Due] = {}
        self.rows: dict[str, bytes] = {}
        self.sharpes: dict[str, float | None] = {}
        self.version = 0

    def take_over(self, run: FinishedRun) -> None:
        """Takes rows of an earlier exporter until their turn comes. Rows that were computed here stay."""
        if self._fingerprints:
            return
        try:
            document = msgspec.json.decode((run.path / file_name("analytics")).read_bytes())
            board = msgspec.json.decode((run.path / file_name("leaderboard")).read_bytes())
            self.rows = {row["id"]: encode(without_label(row)) for row in document["analytics"]}
            self.sharpes = {row["id"]: row["sharpe"] for row in board["leaderboard"]}
        except (OSError, msgspec.DecodeError, KeyError, TypeError):
            return

    def look(self, results: Sequence[Result], accounts: AccountSeries) -> None:
        """Finds the traders that are due."""
        there = {one.trader_id for one in results}
        for gone in self._fingerprints.keys() - there:
            self._left_out.forget(_part(gone))
        self.rows = {name: row for name, row in self.rows.items() if name in there}
        self._due = {}
        for one in results:
            last = accounts.last(one.trader_id)
            hour = None if last is None else last.ts_ms // 3_600_000
            print_ = (
                one.trades,
                one.net,
                one.last_close_ms,
                one.invocations,
                one.exclusion,
                hour,
                accounts.flows(one.trader_id),
            )
            if self._fingerprints.get(one.trader_id) != print_:
                start = accounts.start(one.trader_id)
                capital = start.amount if start else self._start_capital
                self._due[one.trader_id] = Due(print_, one.trades, capital, accounts.flows(one.trader_id))

    def compute(self, seconds: float | None) -> int:
        """Computes due traders, at least one, and returns their number; without a time limit (None) all of them."""
        return self._compute_some(list(self._due), seconds)

    def compute_short(self, seconds: float | None) -> int:
        """As `compute`, of records with fewer than LONG_TRADES trades if there is a time limit."""
        names = [name for name, due in self._due.items() if seconds is None or due.trades < LONG_TRADES]
        return self._compute_some(names, seconds)

    def _compute_some(self, names: Sequence[str], seconds: float | None) -> int:
        until = None if seconds is None else time.monotonic() + seconds
        done = 0
        for trader_id in sorted(names, key=lambda name: self._updated_ms.get(name, 0)):
            if done and until is not None and time.monotonic() > until:
                break
            self._compute(trader_id, self._due.pop(trader_id))
            done += 1
        return done

    @property
    def waiting(self) -> int:
        return len(self._due)

    def render(self, labels: Labels, as_of_ms: int) -> bytes:
        rows = {name: labelled(row, labels[name]) for name, row in self.rows.items()}
        return analytics_document(rows, as_of_ms=as_of_ms)

    def render_one(self, trader_id: str, labels: Labels, as_of_ms: int) -> bytes:
        return analytics_of_one(labelled(self.rows[trader_id], labels[trader_id]), as_of_ms=as_of_ms)

    def _compute(self, trader_id: str, due: Due) -> None:
        """A trader whose figures cannot be computed keeps its previous row. It is tried again when its record
        changes."""
        now = datetime.now(UTC)
        with self._left_out.reading(_part(trader_id)):
            made = attempt("trader_config", trader_id, lambda: _made(trader_id, due.start_capital, due.flows, now))
        self._fingerprints[trader_id] = due.fingerprint
        if made is None:
            return
        self.rows[trader_id], self.sharpes[trader_id] = made
        self._updated_ms[trader_id] = round(now.timestamp() * 1000)
        self.version += 1


def _part(trader_id: str) -> str:
    return f"analytics/{trader_id}"


def _made(
    trader_id: str, start_capital: Decimal | None, flows: tuple[Flow, ...], now: datetime
) -> tuple[bytes, float | None]:
    """The row, encoded, and the Sharpe ratio."""
    found = record.facts([trader_id])
    held = record.open_positions([trader_id], until=now)
    how = performance(
        found.trades,
        found.signals,
        found.decisions,
        found.equity,
        start_capital=start_capital,
        open_positions=held,
        flows=flows,
    )
    trade = found.trades[-1] if found.trades else None
    decision = found.decisions[-1] if found.decisions else None
    row = analytics_row(
        trader_id,
        how.tables,
        updated_ms=round(now.timestamp() * 1000),
        last_exit_ms=trade.close_ts_ms if trade else None,
        last_decision_ms=decision.decided_at_ms if decision else None,
        last_decision_id=str(decision.id) if decision else None,
        last_trade_id=trade.id if trade else None,
    )
    return encode(row), how.sharpe
