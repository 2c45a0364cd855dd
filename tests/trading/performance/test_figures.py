"""The database adds up what the command's functions compute."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise, product
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import save_edit
from tests.trading_factories import HOUR_MS, OPENED_MS, make_trade
from traders.database.apart import TookTooLong
from trading.analytics.groups.keys import GroupBy
from trading.analytics.services import performance_groups
from trading.models import EquitySnapshot, EquityTransfer
from trading.performance import services
from trading.performance.columns import COLUMNS, Figure, Needs, PerformanceLine, line_of_group
from trading.performance.queries import TradeSelection
from trading.performance.services import PerformanceQuestion, report
from trading.record.writing.trades import record_trade
from trading.schema.common import Side
from trading.schema.trade import Pnl

DAY_MS = 24 * HOUR_MS


@pytest.fixture
def record(traders: None) -> None:
    """Sixty trades of two traders, in versions with two models and in two symbols; equity and a deposit."""
    save_edit("quick_short", "mei", "another model", detail__llm__model="gpt-5")
    random = Random(7)
    for n in range(60):
        name = random.choice(["steady_long", "quick_short"])
        versions = [None, 1, 2, 3] if name == "steady_long" else [1, 2]
        opened = OPENED_MS + n * 9 * HOUR_MS + random.randrange(HOUR_MS)
        gross, commission = (Decimal(random.randrange(-9_000, 9_000)) / 100, Decimal(random.randrange(99)) / 100)
        net = gross - commission if n % 9 else Decimal(0)
        funding = Decimal("0.25") if n % 5 == 0 else None
        record_trade(
            make_trade(
                name,
                symbol=random.choice(["BTC", "ETH"]),
                side=random.choice([Side.LONG, Side.SHORT]),
                open_ms=opened,
                close_ms=opened + random.randrange(1, 20 * HOUR_MS),
                entry_version=random.choice(versions),
                pnl=Pnl(gross=gross, commission=commission, net=net, funding=funding),
            )
        )
    for hour in range(0, 24 * 20, 6):
        for name in ("steady_long", "quick_short"):
            amount = 10_000 + random.randrange(-500, 500) + (2_000 if hour > 200 and name == "quick_short" else 0)
            EquitySnapshot.objects.create(trader_id=name, ts_ms=OPENED_MS + hour * HOUR_MS, equity_usd=amount)
    EquityTransfer.objects.create(
        transfer_id="one",
        trader_id="quick_short",
        ts_ms=OPENED_MS + 201 * HOUR_MS,
        amount_usd=2_000,
        kind="deposit",
        reason="a test",
        actor="mei",
    )


def at(day: float) -> datetime:
    return datetime.fromtimestamp(OPENED_MS / 1000, UTC) + timedelta(days=day)


CHOSEN = {
    "all": TradeSelection(),
    "a period": TradeSelection(None, at(5), at(15.5)),
    "a trader": TradeSelection(["quick_short"], at(2)),
    "a symbol": TradeSelection(symbol="BTC"),
    "a side": TradeSelection(["quick_short", "steady_long"], until=at(11), side="short"),
}


def command(by: GroupBy, chosen: TradeSelection) -> dict[tuple[str, object], PerformanceLine]:
    """What the command prints, of groups with trades."""
    groups = performance_groups(
        chosen.traders or (),
        by=by,
        since=chosen.since,
        until=chosen.until,
        symbol=chosen.symbol,
        side=chosen.side,
    )
    lines = [line_of_group(group) for group in groups]
    return {(line.trader_id, line.value): line for line in lines if line.trades}


@pytest.mark.usefixtures("record")
@pytest.mark.parametrize("is_large", [False, True], ids=["whole", "added up"])
def test_the_page_has_the_figures_of_the_command(
    is_large: bool, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.DESK_TIMEZONE = ZoneInfo("Asia/Kolkata")
    if is_large:
        monkeypatch.setattr(services, "WHOLE_TRADES", 0)
    for by, name in product(GroupBy, CHOSEN):
        found = report(PerformanceQuestion(by, CHOSEN[name]), has_chart=False)
        expected = command(by, CHOSEN[name])
        lines = {(line.trader_id, line.value): line for line in found.lines if line.trades}
        assert found.is_whole is not is_large
        assert lines.keys() == expected.keys(), (by, name)
        for column, key in product(COLUMNS, lines):
            if column.needs in found.computed and not (column.needs is Needs.EQUITY and is_large):
                wanted, figure = expected[key].figure(column), lines[key].figure(column)
                assert _nearly(figure, wanted), (by, name, key, column.name)


def _nearly(figure: Figure, wanted: Figure) -> bool:
    if figure is None or wanted is None:
        return figure is wanted
    return float(figure) == pytest.approx(float(wanted), rel=1e-9)


@pytest.mark.usefixtures("record")
def test_the_equity_of_a_page_of_a_large_fleet_is_that_of_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "WHOLE_TRADES", 0)
    found = report(PerformanceQuestion(GroupBy.TRADER, TradeSelection()))
    expected = command(GroupBy.TRADER, TradeSelection())
    assert found.is_equity_of_page
    for line in found.lines:
        assert line.return_pct == expected[line.trader_id, line.value].return_pct is not None
        assert line.drawdown_pct == expected[line.trader_id, line.value].drawdown_pct is not None


@pytest.mark.usefixtures("record")
@pytest.mark.parametrize("by", [GroupBy.TRADER, GroupBy.VERSION, GroupBy.PROMPT, GroupBy.MODEL])
def test_the_sums_of_versions_answer_for_very_many_trades(by: GroupBy, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = command(by, TradeSelection())
    monkeypatch.setattr(services, "WHOLE_TRADES", 0)
    monkeypatch.setattr(services, "DETAILED_TRADES", 0)
    found = report(PerformanceQuestion(by, TradeSelection()))
    assert {column.name for column in found.left_out} >= {"avg_held_mins"}
    for line in found.lines:
        wanted = expected[line.trader_id, line.value]
        assert (line.net, line.gross, line.fees, line.funding) == (
            wanted.net,
            wanted.gross,
            wanted.fees,
            wanted.funding,
        )
        assert line.profit_factor == pytest.approx(wanted.profit_factor)


@pytest.mark.usefixtures("record")
def test_what_takes_too_long_is_refused_or_taken_from_the_sums_of_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "WHOLE_TRADES", 0)
    monkeypatch.setattr(services, "DETAILED_TRADES", 0)

    def slow(*_arguments: object, **_options: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(5)")

    monkeypatch.setattr(services, "LIMIT_MS", 50)
    monkeypatch.setattr("trading.performance.queries.summed", slow)
    found = report(PerformanceQuestion(GroupBy.TRADER, TradeSelection()))
    assert sum(line.trades for line in found.lines) == 60
    with pytest.raises(TookTooLong):
        report(PerformanceQuestion(GroupBy.SYMBOL, TradeSelection()))


@pytest.mark.usefixtures("record")
def test_lines_are_sorted_by_every_column_and_those_without_the_figure_come_last() -> None:
    for column, sign in product(COLUMNS, ("", "-")):
        found = report(PerformanceQuestion(GroupBy.DAY, TradeSelection(), sign + column.name), has_chart=False)
        figures: list[Any] = [line.figure(column) for line in found.lines]
        known = [figure for figure in figures if figure is not None]
        assert known == sorted(known, reverse=bool(sign))
        assert figures[: len(known)] == known


@pytest.mark.usefixtures("record")
def test_the_curve_has_every_day_also_those_without_a_trade() -> None:
    found = report(PerformanceQuestion(GroupBy.TRADER, TradeSelection(until=at(30))))
    starts = [start for start, _net in found.steps]
    assert [later - before for before, later in pairwise(starts)] == [DAY_MS] * (len(starts) - 1)
    assert sum(net for _start, net in found.steps) == found.net


@pytest.mark.plain
@pytest.mark.usefixtures("record")
def test_a_page_of_many_traders_asks_as_much_as_one_of_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "WHOLE_TRADES", 0)
    counts = []
    for names in (["steady_long"], None):
        with CaptureQueriesContext(connection) as ran:
            report(PerformanceQuestion(GroupBy.TRADER, TradeSelection(names)))
        counts.append(len(ran) - (names is None))  # which traders have records
    assert counts[0] == counts[1]


@pytest.mark.usefixtures("traders")
def test_no_trader_has_no_line() -> None:
    assert report(PerformanceQuestion(GroupBy.TRADER, TradeSelection([]))).lines == []


def test_columns_are_figures_of_a_line() -> None:
    assert {column.name for column in COLUMNS} <= {field.name for field in fields(PerformanceLine)}
