"""The figures of the page: what each is called, its unit, and what it says. Declared once for table, file and sort."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from trading.analytics.groups.grouping import Group
from trading.analytics.stats import percent, ratio
from trading.analytics.summary import SMALL_SAMPLE
from trading.performance.queries import GroupSums

Figure = Decimal | float | int | None


class Needs(IntEnum):
    """What a figure is computed from; a greater one takes longer."""

    SUMS = 1
    MONEY = 2
    TIMES = 3
    ORDER = 4
    EQUITY = 5


@dataclass(frozen=True)
class FigureColumn:
    """`name` is the attribute of a line, the head of the file and the name in the address."""

    name: str
    label: str | Promise
    unit: str | Promise
    about: str | Promise
    needs: Needs
    decimals: int = 2
    is_gain: bool = False


COLUMNS = (
    FigureColumn(
        "trades", pgettext_lazy("how many", "trades"), "", _("Trades that closed in the period."), Needs.SUMS, 0
    ),
    FigureColumn("net", _("net P&L"), "USD", _("Gross P&L less commission plus funding."), Needs.SUMS, is_gain=True),
    FigureColumn(
        *("return_pct", _("return"), "%", _("Time-weighted return of the equity: transfers are no gain.")),
        *(Needs.EQUITY, 2, True),
    ),
    FigureColumn(
        *("win_rate_pct", _("win rate"), "%", _("Trades with a net P&L above zero, of all trades."), Needs.SUMS, 1)
    ),
    FigureColumn(
        *(
            "profit_factor",
            _("profit factor"),
            "",
            _("Sum of the gains over that of the losses; none without a loss."),
        ),
        Needs.SUMS,
    ),
    FigureColumn("expectancy_usd", _("expectancy"), "USD", _("Mean net P&L of a trade."), Needs.SUMS, is_gain=True),
    FigureColumn(
        "drawdown_pct", _("drawdown"), "%", _("Deepest fall of the equity below its peak so far."), Needs.EQUITY
    ),
    FigureColumn("sharpe", _("Sharpe"), "", _("Mean over deviation of daily returns (UTC), per year."), Needs.EQUITY),
    FigureColumn("sortino", _("Sortino"), "", _("As Sharpe, over the deviation of the days that lost."), Needs.EQUITY),
    FigureColumn(
        *("time_in_market_pct", _("in market"), "%", _("Time in market: the share with at least one open position.")),
        *(Needs.ORDER, 1),
    ),
    FigureColumn("avg_held_mins", _("average hold"), _("min"), _("Mean time from entry to exit."), Needs.TIMES, 1),
    FigureColumn("fees", _("commission"), "USD", _("Paid to the exchange; below zero is a rebate."), Needs.MONEY),
    FigureColumn("funding", _("funding"), "USD", _("Received above zero, paid below."), Needs.MONEY, is_gain=True),
    FigureColumn("gross", _("gross P&L"), "USD", _("P&L before commission and funding."), Needs.MONEY, is_gain=True),
)
BY_NAME = {column.name: column for column in COLUMNS}


@dataclass(frozen=True)
class PerformanceLine:
    """A row of the table. `trader_id` is "" where the group spans traders; `value` None is what has none. A figure is
    None where it is undefined or was not computed."""

    trader_id: str
    value: int | str | None
    trades: int
    net: Decimal
    win_rate_pct: float | None
    profit_factor: float | None
    expectancy_usd: float | None
    avg_held_mins: float | None
    gross: Decimal | None
    fees: Decimal | None
    funding: Decimal | None
    return_pct: float | None = None
    sharpe: float | None = None
    sortino: float | None = None
    drawdown_pct: float | None = None
    time_in_market_pct: float | None = None
    tables: dict[str, dict[str, Figure]] | None = None

    @property
    def is_small(self) -> bool:
        return self.trades < SMALL_SAMPLE

    def figure(self, column: FigureColumn) -> Figure:
        found: Figure = getattr(self, column.name)
        return found


def line_of_group(group: Group) -> PerformanceLine:
    done = group.performance
    return PerformanceLine(
        trader_id=group.trader_id or "",
        value=group.value,
        trades=done.trades,
        net=done.net,
        win_rate_pct=done.win_rate_pct,
        profit_factor=done.profit_factor,
        expectancy_usd=done.expectancy_usd,
        avg_held_mins=done.holding.avg_mins,
        gross=done.gross,
        fees=done.fees,
        funding=done.funding,
        return_pct=done.return_pct,
        sharpe=done.sharpe,
        sortino=done.sortino,
        drawdown_pct=done.max_drawdown.depth_pct if done.max_drawdown else None,
        time_in_market_pct=done.exposure_pct,
        tables=done.tables,
    )


def line_of_sums(sums: GroupSums) -> PerformanceLine:
    """The same figures by the same formulas, from sums of the database."""
    return PerformanceLine(
        trader_id=sums.trader_id,
        value=sums.value,
        trades=sums.trades,
        net=sums.net,
        win_rate_pct=percent(sums.wins, sums.trades),
        profit_factor=None if sums.won is None or sums.lost is None else ratio(sums.won, -sums.lost),
        expectancy_usd=ratio(sums.net, sums.trades),
        avg_held_mins=None if sums.held_ms is None else ratio(sums.held_ms / 60_000, sums.trades),
        gross=sums.gross,
        fees=sums.fees,
        funding=sums.funding,
    )
