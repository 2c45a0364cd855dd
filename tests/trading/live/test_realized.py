"""What was realized counts at once: profits of parts, fees of entries, and funding."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from tests.factories import make_trader, sync_traders
from tests.trading.export.record import read
from tests.trading_factories import HOUR_MS, OPENED_MS, make_position, make_trade
from trading.export.cycle import Exporter
from trading.export.parts.options import Options
from trading.live import queries as projection
from trading.models import VersionResult
from trading.record.check import services as check_record
from trading.record.exclusions import services as exclusions
from trading.record.results.queries import of_trader
from trading.record.writing import parts, positions
from trading.record.writing.trades import record_trade
from trading.schema.common import EventKind, PositionEvent, Side
from trading.schema.exclusion import RecordKey, RecordKind
from trading.schema.position import Entry
from trading.schema.trade import Pnl

pytestmark = pytest.mark.django_db
ANN = "ann"


@pytest.fixture(autouse=True)
def _ann() -> None:
    sync_traders(make_trader(ANN))


def holds(commission: str = "0.135") -> None:
    """Buys 3 at 100."""
    entry = Entry(price=Decimal(100), quantity=Decimal(3), time_ms=OPENED_MS, commission=Decimal(commission))
    positions.open_position(trader_id=ANN, symbol="ETH", side=Side.LONG, detail=make_position(entry=entry))


def part(kind: EventKind, quantity: int, price: int, hour: int, **more: Any) -> None:
    event = PositionEvent(
        kind=kind, at_ms=OPENED_MS + hour * HOUR_MS, quantity=Decimal(quantity), price=Decimal(price), **more
    )
    parts.record_event(ANN, "ETH", event)


def trade(net: str, funding: str | None = None, **more: Any) -> str:
    paid = None if funding is None else Decimal(funding)
    pnl = Pnl(gross=Decimal(net) - (paid or 0), commission=Decimal(0), funding=paid, net=Decimal(net))
    made = make_trade(ANN, pnl=pnl, **more)
    record_trade(made)
    return made.id


def live() -> Any:
    return projection.project([ANN]).analytics[ANN]


def test_fees_of_an_entry_are_paid_at_once() -> None:
    holds()

    assert (live().net_pnl_usd, live().gross_pnl_usd, live().fees_usd) == (Decimal("-0.135"), 0, Decimal("0.135"))
    assert projection.project([ANN]).inception[ANN].net_pnl_usd == Decimal("-0.135")


def test_profits_of_parts_count_at_once_and_not_twice_after_the_close() -> None:
    """Buy 3 @ 100, sell 1 @ 110, buy 2 @ 120, sell 4 @ 115: realized +10, then +20."""
    trade("5")
    holds("0")
    part(EventKind.REDUCE, 1, 110, 1, funding=Decimal("0.25"))
    part(EventKind.INCREASE, 2, 120, 2)

    assert (live().net_pnl_usd, live().funding_usd, live().trades) == (Decimal("15.25"), Decimal("0.25"), 1)

    closed_ns = (OPENED_MS + 3 * HOUR_MS) * 1_000_000
    positions.close_position(trader_id=ANN, symbol="ETH", price=Decimal(115), closed_at_ns=closed_ns)
    assert (live().net_pnl_usd, live().funding_usd, live().trades) == (Decimal("35.25"), Decimal("0.25"), 2)


def test_funding_is_summed_by_version_and_leaves_with_its_trade() -> None:
    kept = trade("5", "-0.5")
    wrong = trade("7", "1.25", open_ms=OPENED_MS + 9 * HOUR_MS)
    trade("9", open_ms=OPENED_MS + 19 * HOUR_MS)

    assert of_trader(ANN)[1].funding == Decimal("0.75")
    exclusions.set_aside([RecordKey(RecordKind.TRADE, wrong)], reason="a test", actor="mei")
    assert (of_trader(ANN)[1].funding, live().funding_usd) == (Decimal("-0.5"), Decimal("-0.5"))
    assert not [one for looked in check_record.check(["version_results"]) for one in looked.findings]
    exclusions.set_aside([RecordKey(RecordKind.TRADE, kept)], reason="a test", actor="mei")
    assert of_trader(ANN)[1].funding == 0


def test_a_sum_of_funding_that_is_wrong_is_listed() -> None:
    trade("5", "-0.5")
    VersionResult.objects.update(funding=3)

    [finding] = [one for looked in check_record.check(["version_results"]) for one in looked.findings]
    assert finding.id == "ann|1"


def test_a_text_in_place_of_funding_counts_nothing() -> None:
    """Rows from before the rule."""
    trade("5", "-0.5")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE trades DROP CONSTRAINT trades_funding_can_be_read")
        cursor.execute(
            "INSERT INTO trades (id, trader_id, symbol, side, close_ts_ms, detail) SELECT 'ann|X|1', trader_id, 'X',"
            " side, close_ts_ms, jsonb_set(detail, '{pnl,funding}', '\"NaN\"') FROM trades"
        )
    assert of_trader(ANN)[1].funding == Decimal("-0.5")


def test_the_list_of_trades_shows_funding(viewer: Client) -> None:
    trade("5", "-0.5")
    trade("7", open_ms=OPENED_MS + 9 * HOUR_MS)

    for query in ("", "?side=long"):
        page = viewer.get(f"/admin/trading/trade/{query}")
        assert page.context["cl"].totals.funding == Decimal("-0.5")
        assert "Funding, USD" in page.content.decode()


def test_accounts_without_equity_count_parts_too(tmp_path: Path) -> None:
    trade("5")
    exporter = Exporter(Options(tmp_path / "export"))
    exporter.cycle(analytics_seconds=None)
    holds("2")
    part(EventKind.REDUCE, 1, 110, 5)

    exporter.cycle(analytics_seconds=None)

    rows = [row for row in read(tmp_path / "export", "account-totals")["accountTotals"] if row["model_id"] == ANN]
    assert (rows[-1]["realized_pnl"], rows[-1]["dollar_equity"]) == (13, 10_013)
    assert [row["timestamp"] for row in rows][-1] == (OPENED_MS + 5 * HOUR_MS) / 1000
