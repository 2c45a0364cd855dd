"""What the documents are made of, read at most once a cycle and only where a document asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from django.db import Error

from trading.export.directory.manifest import DocumentSource
from trading.export.directory.runs import Finished
from trading.export.documents.accounts import HOUR_MS, AccountRow
from trading.export.documents.benchmark import SYMBOL, benchmark_rows, with_newest
from trading.export.documents.last_known import with_last_known
from trading.export.documents.names import Document
from trading.export.documents.positions import holdings, position_object, positions_document
from trading.export.documents.prices import prices_document
from trading.export.documents.standings import inception_document, leaderboard_document
from trading.export.documents.wire import encode
from trading.export.parts.analytics import AnalyticsRows
from trading.export.parts.equity import Accounts
from trading.export.parts.left_out import LeftOut
from trading.export.parts.open_positions import OpenPositions
from trading.export.parts.options import Options
from trading.export.parts.planned import Made, Planned
from trading.export.parts.quotes import Quotes, read_quotes
from trading.export.parts.standings import Standings
from trading.export.parts.talks import TalkItems
from trading.export.parts.totals import Holdings, TotalRows
from trading.export.parts.trades import TradeRows
from trading.export.queries import fleet as export_fleet
from trading.export.queries.fleet import Result
from trading.export.queries.snapshot import is_lost, on_its_own
from trading.record.stored.unreadable import attempt
from trading.schema.live_store.quotes import PositionMark, PriceOf
from trading.schema.live_store.values import US_PER_MS, Price
from trading.schema.position import PositionRecord
from trading.schema.published import PricePoint, Standing


class Parts:
    """Lives as long as the exporter: what was read and written out once stays."""

    def __init__(self, options: Options) -> None:
        self.start_capital = options.start_capital
        self.trades = TradeRows(options.trades)
        self.talks = TalkItems(options.talks, is_withheld=options.is_withheld)
        self.accounts = Accounts(options.account_rows, options.start_capital)
        self.left_out = LeftOut()
        self.analytics = AnalyticsRows(options.start_capital, self.left_out)
        self.standings = Standings()
        self.totals = TotalRows()
        self.positions = OpenPositions()
        self._exclusion = 0
        self._analytics_seconds: float | None = None
        self.now = _Now(self)

    def take_over(self, run: Finished) -> None:
        self.analytics.take_over(run)
        self.accounts.take_over(run.manifest.inception_ms)

    def begin(self, analytics_seconds: float | None) -> None:
        """Begins a new moment: drops the values of the one before."""
        self._analytics_seconds = analytics_seconds
        self.now = _Now(self)

    def see_exclusions(self, newest: int) -> None:
        if newest != self._exclusion:
            self.trades.look_again()
            self.talks.look_again()
        self._exclusion = newest

    def plan(self, document: Document) -> Planned:
        plans: dict[Document, Callable[[], Planned]] = {
            Document.CRYPTO_PRICES: self._prices,
            Document.ACCOUNT_TOTALS: self._account_totals,
            Document.POSITIONS: self._positions,
            Document.TRADES: self._trades,
            Document.SINCE_INCEPTION: self._inception,
            Document.LEADERBOARD: self._leaderboard,
            Document.ANALYTICS: self._analytics,
            Document.CONVERSATIONS: self._conversations,
        }
        return plans[document]()

    def traders_with_analytics(self) -> list[str]:
        return sorted(self.analytics.rows)

    def plan_of_one(self, trader_id: str) -> Planned:
        row = self.analytics.rows[trader_id]
        return Planned(row, DocumentSource.REBUILT, 1, lambda as_of: Made(self.analytics.render_one(trader_id, as_of)))

    def refresh_analytics(self) -> AnalyticsRows:
        self.analytics.look(self.now.results, self.now.accounts)
        self.analytics.compute(self._analytics_seconds)
        return self.analytics

    def _prices(self) -> Planned:
        quotes = self.now.quotes
        signature = tuple(quotes.prices.values())
        return Planned(
            signature,
            quotes.source,
            len(quotes.prices),
            lambda as_of: Made(prices_document(quotes.prices, as_of_ms=as_of)),
        )

    def _positions(self) -> Planned:
        held, traders = self.now.held, [result.trader_id for result in self.now.results]
        return Planned(
            (encode(held), tuple(traders)),
            self.now.quotes.source,
            sum(map(len, held.values())),
            lambda as_of: Made(positions_document(held, traders, as_of_ms=as_of)),
        )

    def _account_totals(self) -> Planned:
        now = self.now
        accounts, standings, held, benchmark = now.accounts, now.standings, now.held, now.benchmark

        def render(as_of_ms: int) -> Made:
            made = self.totals.render(accounts, standings, held, benchmark, as_of_ms)
            return Made(made.body, made.slices)

        sharpes = tuple((one.trader_id, one.start_equity, one.sharpe) for one in standings)
        signature = accounts.version, sharpes, encode(held), tuple(row.encoded for row in benchmark)
        rows = sum(map(len, accounts.hours.values())) + len(benchmark)
        return Planned(signature, now.quotes.source, rows, render)

    def _trades(self) -> Planned:
        trades = self.now.trades
        return Planned(trades.ids, DocumentSource.REBUILT, len(trades.ids), lambda as_of: Made(trades.render(as_of)))

    def _inception(self) -> Planned:
        standings = self.now.standings
        signature = tuple((one.trader_id, one.start_equity, one.inception_ms, one.invocations) for one in standings)
        return Planned(
            signature,
            DocumentSource.REBUILT,
            len(standings),
            lambda as_of: Made(inception_document(standings, as_of_ms=as_of)),
        )

    def _leaderboard(self) -> Planned:
        standings = self.now.standings
        return Planned(
            tuple(standings),
            DocumentSource.REBUILT,
            len(standings),
            lambda _as_of: Made(leaderboard_document(standings)),
        )

    def _analytics(self) -> Planned:
        rows = self.now.analytics
        signature = tuple(rows.rows.items())
        return Planned(signature, DocumentSource.REBUILT, len(rows.rows), lambda as_of: Made(rows.render(as_of)))

    def _conversations(self) -> Planned:
        with self.left_out.reading("conversations"):
            self.talks.refresh(len(self.now.results))
        keys = self.talks.keys
        return Planned(keys, DocumentSource.REBUILT, len(keys), lambda as_of: Made(self.talks.render(as_of)))


class _Now:
    """One moment of the record. A part whose reading fails, fails every document that asks for it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @cached_property
    def results(self) -> list[Result]:
        found = export_fleet.results()
        self._parts.see_exclusions(max((one.exclusion for one in found), default=0))
        return found

    @cached_property
    def quotes(self) -> Quotes:
        return read_quotes()

    @cached_property
    def trades(self) -> TradeRows:
        with self._parts.left_out.reading("trades"):
            self._parts.trades.refresh(len(self.results))
        return self._parts.trades

    @cached_property
    def accounts(self) -> Accounts:
        with self._parts.left_out.reading("equity"):
            self._parts.accounts.refresh(self.results)
        return self._parts.accounts

    @cached_property
    def analytics(self) -> AnalyticsRows:
        return self._parts.refresh_analytics()

    @cached_property
    def sharpes(self) -> Mapping[str, float | None]:
        """Those known from before where the analytics fail: that is the analytics' failure, and told there."""
        try:
            with on_its_own():
                return self.analytics.sharpes
        except Exception as error:
            if isinstance(error, Error) and is_lost():
                raise
            return self._parts.analytics.sharpes

    @cached_property
    def standings(self) -> list[Standing]:
        return self._parts.standings.refresh(self.results, self.trades.new, self.accounts, self.sharpes)

    @cached_property
    def held(self) -> Holdings:
        quotes = self.quotes
        with self._parts.left_out.reading("positions"):
            shown = [
                (one, _shown(one, quotes.mark(one), _price(quotes.prices.get(one.symbol))))
                for one in self._parts.positions.refresh()
            ]
        return holdings((one, found) for one, found in shown if found is not None)

    @cached_property
    def benchmark(self) -> list[AccountRow]:
        """At the end of every hour that the fleet has; the newest at the live price."""
        accounts, capital = self.accounts, self._parts.start_capital
        markers = {marker for hours in accounts.hours.values() for marker in hours}
        ends = [accounts.inception_ms + (marker + 1) * HOUR_MS - 1 for marker in sorted(markers)]
        prices = export_fleet.prices_at(SYMBOL, ends)
        if (live := self.quotes.price_now(SYMBOL)) is not None:
            prices = with_newest(prices, PricePoint(live.as_of // US_PER_MS, live.price), accounts.inception_ms)
        return benchmark_rows(prices, capital, accounts.inception_ms)


def _shown(position: PositionRecord, mark: PositionMark | None, last: Price | None) -> dict[str, Any] | None:
    return attempt("positions", position.id, lambda: _valued(position, mark, last))


def _valued(position: PositionRecord, mark: PositionMark | None, last: Price | None) -> dict[str, Any]:
    """`last` is the last known price of its symbol, for a position without a mark."""
    found = position_object(position, mark)
    if mark is not None:
        return found
    return with_last_known(found, position, last.price if last else None, last.as_of // US_PER_MS if last else 0)


def _price(last: PriceOf | None) -> Price | None:
    return last.price if last else None
