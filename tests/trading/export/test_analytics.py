"""Analytics in the time that is given, and from one exporter to the next."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from tests.trading.export.record import TRADERS, fill_record, read
from tests.trading_factories import OPENED_MS, make_trade
from trading.analytics import queries as facts
from trading.analytics.tables.all import tables
from trading.export.cycle import Exporter
from trading.export.parts import analytics
from trading.export.parts.options import Options
from trading.record.writing.trades import record_trade

pytestmark = pytest.mark.django_db


@pytest.fixture
def options(tmp_path: Path) -> Options:
    fill_record()
    return Options(tmp_path / "export")


def test_a_cycle_without_time_computes_one_trader_and_the_next_ones_follow(options: Options) -> None:
    exporter = Exporter(options)
    shown = []
    for _ in range(4):
        exporter.cycle(analytics_seconds=0.0)
        shown.append(len(read(options.root, "analytics")["analytics"]))

    assert shown == [1, 2, 3, 3]
    assert exporter.parts.analytics.waiting == 0


def test_a_cycle_leaves_a_long_record_to_the_time_between_cycles(
    options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analytics, "LONG_TRADES", 4)
    exporter = Exporter(options)
    for _ in range(4):
        exporter.cycle(analytics_seconds=0.0)
    in_cycles = {row["model_id"] for row in read(options.root, "analytics")["analytics"]}
    waiting = exporter.parts.analytics.waiting

    while exporter.parts.analytics.waiting:
        exporter.parts.analytics.compute(0.0)
    exporter.cycle(analytics_seconds=0.0)

    assert in_cycles == {"cyd"}
    assert waiting == 2
    assert {row["model_id"] for row in read(options.root, "analytics")["analytics"]} == set(TRADERS)


def test_one_export_without_a_limit_of_time_computes_long_records_too(
    options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analytics, "LONG_TRADES", 1)

    Exporter(options).cycle(analytics_seconds=None)

    assert {row["model_id"] for row in read(options.root, "analytics")["analytics"]} == set(TRADERS)


def test_a_new_exporter_shows_what_the_one_before_computed_until_it_did_itself(options: Options) -> None:
    Exporter(options).cycle(analytics_seconds=None)
    before = {row["model_id"]: row for row in read(options.root, "analytics")["analytics"]}
    Exporter(options).cycle(analytics_seconds=0.0)
    after = {row["model_id"]: row for row in read(options.root, "analytics")["analytics"]}

    assert set(after) == set(TRADERS)
    assert sum(after[name] != before[name] for name in TRADERS) == 1
    sharpes = {row["id"]: row["sharpe"] for row in read(options.root, "leaderboard")["leaderboard"]}
    assert sharpes["ann"] is not None


def test_what_was_computed_here_is_not_given_up_for_the_rows_of_another(options: Options) -> None:
    one, other = Exporter(options), Exporter(options)
    other.cycle(analytics_seconds=None)
    one.cycle(analytics_seconds=None)
    record_trade(make_trade("ann", open_ms=OPENED_MS + 20 * 3_600_000))
    one.cycle(analytics_seconds=None)
    (options.root / "current").unlink()
    other.cycle(analytics_seconds=None)
    one.cycle(analytics_seconds=None)

    ann = next(row for row in read(options.root, "analytics")["analytics"] if row["model_id"] == "ann")
    assert ann["overall_trades_overview_table"]["total_trades"] == 5


def test_the_tables_are_those_of_the_facts(options: Options) -> None:
    Exporter(options).cycle(analytics_seconds=None)
    for trader_id in TRADERS:
        found = facts.facts([trader_id])
        expected = tables(found.trades, found.signals, found.decisions, found.equity)
        row = json.loads((options.root / "current" / "analytics" / f"{trader_id}.json").read_text())["analytics"]
        for name in ("fee_pnl_moves_breakdown_table", "winners_losers_breakdown_table", "longs_shorts_breakdown_table"):
            assert row[name] == pytest.approx(
                {key: float(value) if isinstance(value, Decimal) else value for key, value in expected[name].items()}
            )
