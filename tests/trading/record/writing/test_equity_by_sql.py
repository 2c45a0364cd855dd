"""Equity that a program writes by SQL gets the parts that its program left out, as the API derives them."""

from __future__ import annotations

import json
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from tests.factories import make_trader, sync_traders
from tests.trading_factories import make_position, make_trade
from traders.database import sql
from traders.schema.moments import now_ms
from trading.export import services as export
from trading.models import EquitySnapshot, EquityTransfer
from trading.record.writing import equity
from trading.record.writing.positions import open_position
from trading.record.writing.trades import record_trade
from trading.schema.common import Side
from trading.schema.position import Entry

pytestmark = pytest.mark.django_db
MINUTE = 60_000
TRADER = "steady_long"


@pytest.fixture(autouse=True)
def _trader() -> None:
    sync_traders(make_trader())


def began(usd: int, ms: int) -> None:
    EquityTransfer.objects.create(
        trader_id=TRADER, transfer_id="start", ts_ms=ms, amount_usd=usd, kind="initial", reason="start", actor="mei"
    )


def bought(ms: int) -> None:
    """3 at 100, for a fee of 0.135."""
    entry = Entry(price=Decimal(100), quantity=Decimal(3), time_ms=ms, commission=Decimal("0.135"))
    open_position(trader_id=TRADER, symbol="BTC", side=Side.LONG, detail=make_position(opened_ms=ms, entry=entry))


def inserted(ms: int, usd: str) -> None:
    sql.execute("INSERT INTO equity_snapshots (trader_id, ts_ms, equity_usd) VALUES (%s, %s, %s)", [TRADER, ms, usd])


def parts(ms: int) -> Any:
    row = EquitySnapshot.objects.get(ts_ms=ms)
    return row.realized_pnl_usd, row.unrealized_pnl_usd


def check(*options: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("check_record", "--table", "equity_snapshots", *options, stdout=out)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_the_exporter_derives_them_each_minute() -> None:
    """Start 10,000; buy 3 @ 100, fee 0.135; mark 104: realized -0.135, unrealized 12, equity 10,011.865."""
    now = now_ms()
    began(10_000, now - 5 * MINUTE)
    bought(now - 2 * MINUTE)
    inserted(now - MINUTE, "10011.865")

    export._look_at_guards()

    assert parts(now - MINUTE) == (Decimal("-0.135"), 12)


def test_without_the_initial_transfer_what_is_held_is_not_valued() -> None:
    now = now_ms()
    bought(now - 2 * MINUTE)
    inserted(now - MINUTE, "10011.865")
    inserted(now - 3 * MINUTE, "10000")

    assert equity.fill_newest(now) == 2

    assert parts(now - MINUTE) == (Decimal("-0.135"), None)
    assert parts(now - 3 * MINUTE) == (0, 0)


def test_the_check_names_older_points_and_repairs_them() -> None:
    began(10_000, now_ms() - 600 * MINUTE)
    early = now_ms() - 500 * MINUTE
    inserted(early, "10000")
    record_trade(make_trade(open_ms=early - 9 * MINUTE, close_ms=early - MINUTE, net="4.5"))
    assert equity.fill_newest(now_ms()) == 0

    assert "1 points of equity lack realized P&L that the record tells: run with --repair." in check()[1]
    assert json.loads(check("--json")[1])["repairable"] == 1

    code, said = check("--repair", "--json")
    assert (code, json.loads(said)["repaired"]) == (0, 1)
    assert parts(early) == (Decimal("4.5"), 0)
    assert "Derived realized and unrealized P&L of 0 points of equity." in check("--repair")[1]
