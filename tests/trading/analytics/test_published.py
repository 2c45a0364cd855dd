"""The figures that the arena published are the ones we compute from its trades. Runs where its data lies beside the
project."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from trading.analytics.tables import signals
from trading.analytics.tables.all import tables
from trading.schema.facts import SignalFact, TradeFact

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "alpha-arena"
TRADERS = ("gpt-5", "qwen3-max")
pytestmark = pytest.mark.skipif(
    not (DATA / "analytics.json").exists(), reason=f"the arena's published analytics are not in {DATA}"
)

# docs/analytics.md says for each what it needs, and how we define it.
NOT_DETERMINED = {
    "fee_pnl_moves_breakdown_table": {"std_taker_fee"},
    "overall_trades_overview_table": {
        "avg_convo_leverage",
        "median_convo_leverage",
        "avg_size_of_trade_portfolio_pct",
        "std_size_of_trade_portfolio_pct",
        "avg_stop_loss_distance_pct",
        "avg_take_profit_distance_pct",
    },
}
FROM_TRADES = (
    "fee_pnl_moves_breakdown_table",
    "winners_losers_breakdown_table",
    "longs_shorts_breakdown_table",
    "overall_trades_overview_table",
)


def read(name: str) -> Any:
    return json.loads((DATA / name).read_text(), parse_float=Decimal, parse_int=Decimal)


def published(trader_id: str) -> dict[str, dict[str, Decimal]]:
    return next(row for row in read("analytics.json")["analytics"] if row["model_id"] == trader_id)


def arena_trades(trader_id: str) -> list[TradeFact]:
    return [fact(row) for row in read("trades.json")["trades"] if row["model_id"] == trader_id]


def fact(row: dict[str, Any]) -> TradeFact:
    return TradeFact(
        id=row["id"],
        trader_id=row["model_id"],
        symbol=row["symbol"],
        side=row["side"],
        open_ts_ms=round(row["entry_time"] * 1000),
        close_ts_ms=round(row["exit_time"] * 1000),
        quantity=abs(row["quantity"]),
        entry_price=row["entry_price"],
        exit_price=row["exit_price"],
        gross=row["realized_gross_pnl"],
        commission=row["total_commission_dollars"],
        net=row["realized_net_pnl"],
    )


@pytest.mark.parametrize("trader_id", TRADERS)
@pytest.mark.parametrize("name", FROM_TRADES)
def test_every_figure_that_the_trades_determine_is_reproduced(trader_id: str, name: str) -> None:
    ours, theirs = tables(arena_trades(trader_id))[name], published(trader_id)[name]

    assert set(ours) == set(theirs)
    for field in set(theirs) - NOT_DETERMINED.get(name, set()):
        if ours[field] is None:
            # Fees as a share of a loss: the arena writes 0.
            assert (field, theirs[field]) == ("total_fees_as_pct_of_pnl", Decimal(0))
        else:
            assert float(ours[field] or 0) == pytest.approx(float(theirs[field]), rel=1e-9, abs=0), field


@pytest.mark.parametrize("trader_id", TRADERS)
def test_counts_of_signals_give_the_published_shares(trader_id: str) -> None:
    theirs = published(trader_id)["signals_breakdown_table"]
    actions = {"long": "open_long", "short": "open_short", "close": "close_long", "hold": "hold"}
    asked = [
        SignalFact(1, trader_id, 0, "BTC", action)
        for kind, action in actions.items()
        for _ in range(int(theirs[f"num_{kind}_signals"]))
    ]

    ours = signals.table(asked)

    fields = ["total_signals", "long_short_ratio"]
    fields += [name.format(kind) for kind in actions for name in ("num_{}_signals", "{}_signal_pct")]
    for field in fields:
        assert float(ours[field] or 0) == pytest.approx(float(theirs[field]), rel=1e-9), field


@pytest.mark.parametrize("trader_id", TRADERS)
def test_the_published_minutes_are_those_of_six_symbols_between_first_and_last_call(trader_id: str) -> None:
    theirs = published(trader_id)
    calls = theirs["invocation_breakdown_table"]
    between = float((calls["num_invocations"] - 1) * calls["avg_invocation_break_mins"])
    minutes = theirs["signals_breakdown_table"]

    total = sum(float(minutes[f"mins_{kind}_combined"]) for kind in ("long", "short", "flat"))

    assert total == pytest.approx(6 * between, rel=1e-9)


def test_the_sum_over_all_rows_is_the_files_to_the_last_digit() -> None:
    rows = read("trades.json")["trades"]
    net = sum((row["realized_net_pnl"] for row in rows), Decimal(0))

    assert tables([fact(row) for row in rows])["fee_pnl_moves_breakdown_table"]["overall_pnl_with_fees"] == net
