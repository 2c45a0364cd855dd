"""Facts are the rows' own figures, of the traders and the period asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.factories import SYSTEM_PROMPT, make_trader, sync_traders
from tests.trading_factories import HOUR_MS, OPENED_MS, make_entry, make_trade
from trading.analytics.queries import facts, traders_with_records
from trading.record.writing import decisions, trades
from trading.schema.common import ExitPlan
from trading.schema.trade import Fill, FillType

pytestmark = pytest.mark.django_db


def moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


@pytest.fixture(autouse=True)
def _fleet() -> None:
    sync_traders(make_trader(), make_trader("other", allocation_pct=10))


def test_a_trade_is_read_with_all_its_figures() -> None:
    one: dict[str, Any] = {"price": Decimal(1), "quantity": Decimal(1), "ts_ms": OPENED_MS}
    fills = tuple(
        Fill(type=kind, commission=Decimal(fee), **one)
        for kind, fee in ((FillType.ENTRY, "0.1"), (FillType.ENTRY, "0.2"), (FillType.EXIT, "0.05"))
    )
    plan = ExitPlan(tp_price=Decimal(46000), sl_price=Decimal("44500.5"))
    trades.record_trade(make_trade(fills=fills, exit_plan=plan, exit_version=None))
    [fact] = facts(["steady_long"]).trades
    assert (fact.open_ts_ms, fact.close_ts_ms, fact.holding_ms) == (OPENED_MS, OPENED_MS + HOUR_MS, HOUR_MS)
    assert (str(fact.entry_price), str(fact.exit_price), str(fact.net)) == ("45000.50", "45500.00", "4.5")
    assert (fact.entry_commission, fact.exit_commission) == (Decimal("0.3"), Decimal("0.05"))
    assert (fact.take_profit, fact.stop_loss) == (Decimal(46000), Decimal("44500.5"))
    assert (fact.entry_version, fact.exit_version, fact.straddles_versions) == (1, None, True)
    assert fact.prompt_sha256 == SYSTEM_PROMPT.sha256


def test_a_trade_without_fills_has_no_commission_by_side() -> None:
    trades.record_trade(make_trade(fills=()))
    [fact] = facts(["steady_long"]).trades
    assert fact.entry_commission is None
    assert fact.commission == Decimal("0.50")


def test_only_the_traders_and_the_period_asked_for_are_read() -> None:
    for name in ("steady_long", "other"):
        for n in range(3):
            trades.record_trade(make_trade(name, close_ms=OPENED_MS + n * HOUR_MS))
            decisions.record_decision(make_entry(name, decided_at=moment(OPENED_MS + n * HOUR_MS)))
    found = facts(["other"], since=moment(OPENED_MS + HOUR_MS), until=moment(OPENED_MS + 2 * HOUR_MS))
    assert [(fact.trader_id, fact.close_ts_ms) for fact in found.trades] == [("other", OPENED_MS + HOUR_MS)]
    assert [fact.decided_at_ms for fact in found.decisions] == [OPENED_MS + HOUR_MS]
    assert [(fact.symbol, fact.action, fact.confidence) for fact in found.signals] == [
        ("BTC", "open_long", Decimal(85))
    ]
    assert traders_with_records() == ["other", "steady_long"]
