"""`performance`: what the record says, whole and in parts, for people and for programs."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.factories import make_trader, sync_traders
from tests.trading.bad_rows import add_decision, add_equity, add_trade, decision_detail, trade_detail
from tests.trading_factories import HOUR_MS, OPENED_MS, make_position, make_trade
from traders.schema import jsonio
from trading.models import EquitySnapshot
from trading.record.stored import unreadable
from trading.record.writing import positions, trades
from trading.schema.common import Side

pytestmark = pytest.mark.django_db

NETS = ["10.25", "-4.125", "7", "-1.0000000000000000001", "0"]


@pytest.fixture(autouse=True)
def _record() -> None:
    sync_traders(make_trader(), make_trader("other", allocation_pct=10))
    for n, net in enumerate(NETS):
        version = None if n == 0 else 1
        symbol = "BTC" if n % 2 else "ETH"
        trades.record_trade(
            make_trade(net=net, symbol=symbol, open_ms=OPENED_MS + 2 * n * HOUR_MS, entry_version=version)
        )
    trades.record_trade(make_trade("other", net="-3", side=Side.SHORT))


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("performance", *arguments, stdout=out)
    return out.getvalue()


def objects(*arguments: str) -> list[Any]:
    return [jsonio.loads(line) for line in said("--json", *arguments).splitlines()]


def test_json_sums_to_the_last_digit_and_leaves_nothing_undefined_but_null() -> None:
    whole = {found["trader_id"]: found for found in objects()}
    assert whole["steady_long"]["net"] == sum(Decimal(net) for net in NETS)
    assert (whole["steady_long"]["wins"], whole["steady_long"]["losses"], whole["steady_long"]["flats"]) == (2, 2, 1)
    assert whole["other"]["profit_factor"] == 0
    assert whole["other"]["sharpe"] is None
    assert whole["other"]["max_drawdown"] is None


def test_the_parts_add_up_to_the_whole() -> None:
    whole = sum(found["net"] for found in objects())
    for by in ("version", "symbol", "side", "prompt", "model", "day", "week", "month"):
        parts = objects("--by", by)
        assert sum(found["net"] for found in parts) == whole, by
        assert sum(found["trades"] for found in parts) == len(NETS) + 1, by


def test_a_trade_counts_for_the_version_that_opened_it() -> None:
    nets: dict[str, Decimal] = defaultdict(Decimal)
    for found in objects("--by", "version", "--trader", "steady_long"):
        nets[found["label"]] = found["net"]
    assert nets == {"before v1": Decimal("10.25"), "v1": sum(Decimal(net) for net in NETS[1:])}


def test_a_version_is_measured_from_the_equity_that_it_began_with() -> None:
    EquitySnapshot.objects.create(trader_id="other", ts_ms=OPENED_MS - 2 * HOUR_MS, equity_usd=8_000)
    EquitySnapshot.objects.create(trader_id="other", ts_ms=OPENED_MS - HOUR_MS, equity_usd=10_000)
    # After a loss of 3: up to 10,500.
    for n, net in enumerate(["503", "-700"]):
        trades.record_trade(make_trade("other", net=net, open_ms=OPENED_MS + (2 + n) * HOUR_MS, entry_version=1))

    [first] = objects("--by", "version", "--trader", "other")

    assert first["label"] == "v1"
    assert first["max_drawdown"]["depth_usd"] == 700
    assert float(first["max_drawdown"]["depth_pct"]) == pytest.approx(100 * 700 / 10_500)


def test_csv_has_the_same_figures_at_full_precision() -> None:
    rows = list(csv.DictReader(StringIO(said("--csv"))))
    assert [row["trader_id"] for row in rows] == ["other", "steady_long"]
    assert Decimal(rows[1]["net"]) == sum(Decimal(net) for net in NETS)
    assert rows[0]["sharpe"] == ""


def test_a_period_takes_the_trades_that_closed_in_it() -> None:
    since = datetime.fromtimestamp((OPENED_MS + 3 * HOUR_MS) / 1000, UTC).isoformat()
    until = datetime.fromtimestamp((OPENED_MS + 5 * HOUR_MS) / 1000, UTC).isoformat()
    [found] = objects("--trader", "steady_long", "--from", since, "--to", until)
    assert found["net"] == Decimal("-4.125")


def test_start_capital_gives_the_ratios_a_series_and_names_it() -> None:
    [found] = objects("--trader", "steady_long", "--start-capital", "1000")
    assert found["equity_series"] == "derived"
    assert found["max_drawdown"]["series"] == "derived"
    assert found["max_drawdown"]["depth_usd"] == Decimal("4.125")


def test_open_positions_count_as_time_in_the_market() -> None:
    positions.open_position(trader_id="other", symbol="SOL", side=Side.LONG, detail=make_position())
    [found] = objects("--trader", "other")
    assert found["exposure_pct"] == pytest.approx(100)


def test_the_table_marks_small_samples_and_straddling_trades() -> None:
    text = said()
    assert "whole record*~" in text
    assert "* fewer than 30 trades" in text
    assert "~ some trades were closed under another version" in text


def test_an_empty_selection_says_so() -> None:
    assert said("--to", "2020-01-01") == "No trade and no decision in that selection.\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--trader", "nobody"], "there is no trader 'nobody'"),
        (["--from", "2026-01-02", "--to", "2026-01-01"], "--from must be before --to"),
        (["--start-capital", "-5"], "no amount in USD above 0"),
        (["--by", "moon"], "invalid choice"),
        (["--from", "yesterday"], "is no moment"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        said(*arguments)


@pytest.mark.parametrize("by", ["trader", "version", "symbol", "side", "prompt", "month"])
def test_rows_that_cannot_be_read_are_left_out_and_named(by: str, caplog: pytest.LogCaptureFixture) -> None:
    before = objects("--by", by)
    unreadable._logged.clear()
    infinite = dict.fromkeys(("gross", "commission", "net"), 10**60)
    ids = [
        add_trade("steady_long", trade_detail(pnl=infinite), number=1),
        add_trade("steady_long", trade_detail(prices={"avg_entry": "NaN", "avg_exit": 5}), number=2),
        add_decision("steady_long", decision_detail(decisions=[{"symbol": 5}, 7, None])),
        add_decision("steady_long", decision_detail(decisions={"symbol": "BTC"})),
        add_equity("other", "NaN"),
        add_equity("other", "1000", ts_ms=5),
    ]

    assert _traded(objects("--by", by)) == _traded(before)
    assert {row_id for row_id in ids if row_id in caplog.text} >= {ids[0], ids[1], ids[2], ids[4], ids[5]}


def _traded(groups: list[Any]) -> list[Any]:
    return [(found["trades"], found["net"]) for found in groups if found["trades"]]


def test_one_symbol_and_one_side_are_taken_alone() -> None:
    found = {one["trader_id"]: one for one in objects("--symbol", "ETH")}
    assert found["steady_long"]["net"] == Decimal("17.25")
    assert list(found) == ["steady_long"]
    assert [one["trader_id"] for one in objects("--side", "short")] == ["other"]
