"""The data of the documents: each part is read at most once a cycle, and only if a document asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from django.db import Error

from trading.export.directory.manifest import DocumentSource
from trading.export.directory.runs import FinishedRun
from trading.export.documents.accounts import HOUR_MS, AccountRow
from trading.export.documents.benchmark import SYMBOL, benchmark_rows, carried_on, with_newest
from trading.export.documents.last_known import with_last_known
from trading.export.documents.names import Document
from trading.export.documents.positions import holdings, position_object, positions_document
from trading.export.documents.prices import prices_document
from trading.export.documents.standings import inception_document, leaderboard_document
from trading.export.documents.wire import encode
from trading.export.parts.analytics import AnalyticsRows
from trading.export.parts.conversations import ConversationItems
from trading.export.parts.equity import AccountSeries
from trading.export.parts.labels import Labels, labels_of
from trading.export.parts.left_out import LeftOut
from trading.export.parts.open_positions import OpenPositions
from trading.export.parts.options import Options
from trading.export.parts.planned import MadeDocument, PlannedDocument
from trading.export.parts.quotes import Quotes, read_quotes
from trading.export.parts.standings import Standings
from trading.export.parts.totals import Holdings, TotalRows
from trading.export.parts.trades import TradeRows
from trading.export.queries import fleet as export_fleet
from trading.export.queries.fleet import Result
from trading.export.queries.snapshot import is_lost, on_its_own
from trading.record.stored import prices as record_prices
from trading.record.stored.unreadable import attempt
from trading.schema.live_store.quotes import PositionMark, PriceOf
from trading.schema.live_store.values import US_PER_MS, Price
from trading.schema.position import PositionRecord
from trading.schema.published import PricePoint, Standing


class Parts:
    """Lives as long as the exporter and keeps read rows and encoded texts."""

    def __init__(self, options: Options) -> None:
        self.start_capital = options.start_capital
        self.trades = TradeRows(options.trades)
        self.conversations = ConversationItems(options.conversations, is_withheld=options.is_withheld)
        self.accounts = AccountSeries(options.account_rows, options.start_capital)
        self.left_out = LeftOut()
        self.analytics = AnalyticsRows(options.start_capital, self.left_out)
        self.standings = Standings()
        self.totals = TotalRows()
        self.positions = OpenPositions()
        self._exclusion = 0
        self._analytics_seconds: float | None = None
        self.now = _Now(self)

    def take_over(self, run: FinishedRun) -> None:
        self.analytics.take_over(run)
        self.accounts.take_over(run.manifest.inception_ms)

    def begin(self, analytics_seconds: float | None) -> None:
        """Begins a new moment: drops the values of the previous one."""
        self._analytics_seconds = analytics_seconds
        self.now = _Now(self)

    def see_exclusions(self, newest: int) -> None:
        if newest != self._exclusion:
            self.trades.look_again()
            self.conversations.look_again()
        self._exclusion = newest

    def plan(self, document: Document) -> PlannedDocument:
        plans: dict[Document, Callable[[], PlannedDocument]] = {
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

    def plan_of_one(self, trader_id: str) -> PlannedDocument:
        labels = self.now.labels
        return PlannedDocument(
            (self.analytics.rows[trader_id], labels[trader_id]),
            DocumentSource.REBUILT,
            1,
            lambda as_of: MadeDocument(self.analytics.render_one(trader_id, labels, as_of)),
        )

    def refresh_analytics(self) -> AnalyticsRows:
        self.analytics.look(self.now.results, self.now.accounts)
        self.analytics.compute_short(self._analytics_seconds)
        return self.analytics

    def _prices(self) -> PlannedDocument:
        quotes = self.now.quotes
        signature = tuple(quotes.prices.values())
        return PlannedDocument(
            signature,
            quotes.source,
            len(quotes.prices),
            lambda as_of: MadeDocument(prices_document(quotes.prices, as_of_ms=as_of)),
        )

    def _positions(self) -> PlannedDocument:
        held, labels = self.now.held, self.now.labels
        return PlannedDocument(
            (encode(held), labels),
            self.now.quotes.source,
            sum(map(len, held.values())),
            lambda as_of: MadeDocument(positions_document(held, labels, as_of_ms=as_of)),
        )

    def _account_totals(self) -> PlannedDocument:
        now, labels = self.now, self.now.labels
        accounts, standings, held, benchmark = now.accounts, now.standings, now.held, now.benchmark

        def render(as_of_ms: int) -> MadeDocument:
            made = self.totals.render(accounts, standings, held, labels, benchmark, as_of_ms)
            return MadeDocument(made.body, made.slices)

        sharpes = tuple((one.trader_id, one.start_equity, one.sharpe) for one in standings)
        signature = accounts.version, labels, sharpes, encode(held), tuple(row.encoded for row in benchmark)
        rows = sum(map(len, accounts.hours.values())) + len(benchmark)
        return PlannedDocument(signature, now.quotes.source, rows, render)

    def _trades(self) -> PlannedDocument:
        trades, labels = self.now.trades, self.now.labels
        return PlannedDocument(
            (trades.ids, labels),
            DocumentSource.REBUILT,
            len(trades.ids),
            lambda as_of: MadeDocument(trades.render(labels, as_of)),
        )

    def _inception(self) -> PlannedDocument:
        standings, labels = self.now.standings, self.now.labels
        shown = tuple((one.trader_id, one.start_equity, one.inception_ms, one.invocations) for one in standings)
        return PlannedDocument(
            (shown, labels),
            DocumentSource.REBUILT,
            len(standings),
            lambda as_of: MadeDocument(inception_document(standings, labels, as_of_ms=as_of)),
        )

    def _leaderboard(self) -> PlannedDocument:
        standings, labels = self.now.standings, self.now.labels
        return PlannedDocument(
            (tuple(standings), labels),
            DocumentSource.REBUILT,
            len(standings),
            lambda _as_of: MadeDocument(leaderboard_document(standings, labels)),
        )

    def _analytics(self) -> PlannedDocument:
        rows, labels = self.now.analytics, self.now.labels
        return PlannedDocument(
            (tuple(rows.rows.items()), labels),
            DocumentSource.REBUILT,
            len(rows.rows),
            lambda as_of: MadeDocument(rows.render(labels, as_of)),
        )

    def _conversations(self) -> PlannedDocument:
        with self.left_out.reading("conversations"):
            self.conversations.refresh(len(self.now.results))
        keys, labels = self.conversations.keys, self.now.labels
        return PlannedDocument(
            (keys, labels),
            DocumentSource.REBUILT,
            len(keys),
            lambda as_of: MadeDocument(self.conversations.render(labels, as_of)),
        )


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
    def labels(self) -> Labels:
        return labels_of(self.results)

    @cached_property
    def quotes(self) -> Quotes:
        return read_quotes()

    @cached_property
    def trades(self) -> TradeRows:
        with self._parts.left_out.reading("trades"):
            self._parts.trades.refresh(len(self.results))
        return self._parts.trades

    @cached_property
    def accounts(self) -> AccountSeries:
        with self._parts.left_out.reading("equity"):
            self._parts.accounts.refresh(self.results)
        return self._parts.accounts

    @cached_property
    def analytics(self) -> AnalyticsRows:
        return self._parts.refresh_analytics()

    @cached_property
    def sharpes(self) -> Mapping[str, float | None]:
        """Sharpe ratios; where the analytics fail, the previous ones. The failure is reported with the analytics."""
        try:
            with on_its_own():
                return self.analytics.sharpes
        except Exception as error:
            if isinstance(error, Error) and is_lost(error):
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
        """A row at the end of every hour of the fleet; the newest row at the live price, else at the last known
        price."""
        accounts, capital = self.accounts, self._parts.start_capital
        inception_ms, known = accounts.inception_ms, self.quotes.prices.get(SYMBOL)
        markers = {marker for hours in accounts.hours.values() for marker in hours}
        ends = [inception_ms + (marker + 1) * HOUR_MS - 1 for marker in sorted(markers)]
        prices = record_prices.prices_at(SYMBOL, ends)
        if (live := self.quotes.price_now(SYMBOL)) is not None:
            prices = with_newest(prices, PricePoint(live.as_of // US_PER_MS, live.price), inception_ms)
            return benchmark_rows(prices, capital, inception_ms)
        if known is not None and accounts.hours:
            prices = with_newest(prices, PricePoint(known.price.as_of // US_PER_MS, known.price.price), inception_ms)
        stale_ms = prices[-1].ts_ms if prices else None
        prices = carried_on(prices, accounts.newest_ms, inception_ms)
        return benchmark_rows(prices, capital, inception_ms, stale_ms=stale_ms)


def _shown(position: PositionRecord, mark: PositionMark | None, last: Price | None) -> dict[str, Any] | None:
    return attempt("positions", position.id, lambda: _valued(position, mark, last))


def _valued(position: PositionRecord, mark: PositionMark | None, last: Price | None) -> dict[str, Any]:
    """The position at its mark price; without one at `last`, the last known price of its symbol."""
    found = position_object(position, mark)
    if mark is not None:
        return found
    return with_last_known(found, position, last.price if last else None, last.as_of // US_PER_MS if last else 0)


def _price(last: PriceOf | None) -> Price | None:
    return last.price if last else None
