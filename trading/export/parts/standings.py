"""How every trader stands. Sums of gains and losses are carried on from cycle to cycle, and proved each time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from trading.analytics.stats import exact_sum
from trading.export.parts.equity import AccountSeries
from trading.export.queries import fleet as export_fleet
from trading.export.queries.fleet import Result
from trading.schema.published import Standing
from trading.schema.trade import TradeRecord


@dataclass(frozen=True, slots=True)
class _Sums:
    trades: int
    won: Decimal
    lost: Decimal
    exclusion: int

    @property
    def net(self) -> Decimal:
        return exact_sum([self.won, self.lost])

    def is_of(self, result: Result) -> bool:
        return (self.trades, self.net, self.exclusion) == (result.trades, result.net, result.exclusion)

    def plus(self, trades: Sequence[TradeRecord]) -> _Sums:
        nets = [trade.net_pnl for trade in trades]
        return _Sums(
            self.trades + len(nets),
            exact_sum([self.won, *[net for net in nets if net > 0]]),
            exact_sum([self.lost, *[net for net in nets if net < 0]]),
            self.exclusion,
        )


class Standings:
    def __init__(self) -> None:
        self._sums: dict[str, _Sums] = {}

    def refresh(
        self,
        results: Sequence[Result],
        new_trades: Sequence[TradeRecord],
        accounts: AccountSeries,
        sharpes: Mapping[str, float | None],
    ) -> list[Standing]:
        self._bring_up_to_date(results, new_trades)
        return [self._standing(result, accounts, sharpes.get(result.trader_id)) for result in results]

    def _bring_up_to_date(self, results: Sequence[Result], new_trades: Sequence[TradeRecord]) -> None:
        """Adds new trades if they explain the sums of the database to the last digit and no row was set aside or
        included again since; else reads all trades of the trader."""
        by_trader: dict[str, list[TradeRecord]] = {}
        for trade in new_trades:
            by_trader.setdefault(trade.trader_id, []).append(trade)
        nothing = _Sums(0, Decimal(0), Decimal(0), 0)
        found = {
            one.trader_id: self._sums.get(one.trader_id, nothing).plus(by_trader.get(one.trader_id, []))
            for one in results
        }
        unexplained = [one for one in results if not found[one.trader_id].is_of(one)]
        if unexplained:
            read = export_fleet.gains_and_losses([one.trader_id for one in unexplained])
            for one in unexplained:
                won, lost = read.get(one.trader_id, (Decimal(0), Decimal(0)))
                found[one.trader_id] = _Sums(one.trades, won, lost, one.exclusion)
        self._sums = found

    def _standing(self, result: Result, accounts: AccountSeries, sharpe: float | None) -> Standing:
        name = result.trader_id
        sums, start, last = self._sums[name], accounts.start(name), accounts.last(name)
        return Standing(
            trader_id=result.trader_id,
            is_retired=result.is_retired,
            trades=result.trades,
            wins=result.wins,
            losses=result.losses,
            won=sums.won,
            lost=sums.lost,
            invocations=result.invocations,
            start_equity=start.amount if start else None,
            equity=last.equity if last else None,
            inception_ms=start.ts_ms if start else None,
            sharpe=sharpe,
            has_transfers=bool(accounts.flows(name)),
            weighted_return_pct=accounts.return_pct(last) if last else None,
        )
