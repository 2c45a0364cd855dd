"""account-totals, made of rows that are encoded once: only a trader's newest row changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as changed
from typing import Any

from trading.export.directory.manifest import Slices
from trading.export.documents.accounts import KEY, AccountRow, account_row, encoded_row, in_order, unrealized_of
from trading.export.documents.wire import closing, opening
from trading.export.parts.equity import AccountSeries
from trading.export.parts.labels import Labels
from trading.schema.published import AccountPoint, Standing, TraderLabel

Holdings = Mapping[str, Mapping[str, Mapping[str, Any]]]


@dataclass(frozen=True)
class Totals:
    body: bytes
    rows: int
    slices: Slices


class TotalRows:
    def __init__(self) -> None:
        self._past: dict[tuple[str, int], tuple[AccountPoint, AccountRow]] = {}
        self._base: tuple[object, ...] = ()

    def render(
        self,
        accounts: AccountSeries,
        standings: Sequence[Standing],
        held: Holdings,
        labels: Labels,
        benchmark: Sequence[AccountRow],
        as_of_ms: int,
    ) -> Totals:
        self._accounts = accounts
        starts = {one.trader_id: (one.start_equity, accounts.flows(one.trader_id)) for one in standings}
        if self._base != (accounts.inception_ms, starts):
            self._past, self._base = {}, (accounts.inception_ms, starts)
        sharpes = {one.trader_id: one.sharpe for one in standings}
        rows = list(benchmark)
        past = {}
        for trader_id, hours in accounts.hours.items():
            *before, newest = hours.items()
            for marker, point in before:
                past[trader_id, marker] = point, self._past_row(marker, point)
            row = self._newest_row(newest[1], held.get(trader_id, {}), sharpes.get(trader_id), labels[trader_id])
            rows.append(row)
        self._past = past
        rows += [row for _, row in past.values()]
        return _joined(in_order(rows), as_of_ms)

    def _past_row(self, marker: int, point: AccountPoint) -> AccountRow:
        known = self._past.get((point.trader_id, marker))
        if known and known[0] == point:
            return known[1]
        return self._row(point, {}, None, {})

    def _newest_row(
        self, point: AccountPoint, held: Mapping[str, Mapping[str, Any]], sharpe: float | None, label: TraderLabel
    ) -> AccountRow:
        if point.unrealized is None:
            point = changed(point, unrealized=unrealized_of(held))
        return self._row(point, held, sharpe, label.fields())

    def _row(
        self, point: AccountPoint, held: Mapping[str, Any], sharpe: float | None, more: dict[str, Any]
    ) -> AccountRow:
        inception_ms, gained = self._accounts.inception_ms, self._accounts.return_pct(point)
        return encoded_row(point, inception_ms, account_row(point, gained, inception_ms, held, sharpe) | more)


def _joined(rows: Sequence[AccountRow], as_of_ms: int) -> Totals:
    head = opening(KEY)
    tail = closing(lastHourlyMarkerRead=rows[-1].marker if rows else 0, serverTime=as_of_ms)
    markers: list[tuple[int, int]] = []
    newest: dict[str, tuple[int, int]] = {}
    offset = len(head)
    for row in rows:
        if not markers or markers[-1][0] != row.marker:
            markers.append((row.marker, offset))
        newest[row.trader_id] = offset, len(row.encoded)
        offset += len(row.encoded) + 1
    body = head + b",".join([row.encoded for row in rows]) + tail
    return Totals(body, len(rows), Slices(len(head), len(tail), markers, sorted(newest.values())))
