"""Programs that write SQL cannot write what lies more than a day ahead."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from tests.factories import make_trader, sync_traders
from tests.trading_factories import make_entry, make_position, make_trade
from traders.schema import jsonio
from trading.models import ConversationMessage, EquitySnapshot, EquityTransfer, RecordExclusion
from trading.record.writing import decisions, positions, trades
from trading.schema.common import Side

pytestmark = pytest.mark.django_db
DAY_MS = 86_400_000
_BOOKED = {"kind": "deposit", "reason": "more capital", "actor": "mei"}


def ms(days: float) -> int:
    return int(time.time() * 1000 + days * DAY_MS)


def _position(days: float) -> None:
    symbol = f"S{days}"
    detail = jsonio.dumps(make_position(opened_ms=ms(days)).stored())
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO positions (id, trader_id, symbol, side, status, detail)"
            " VALUES ('steady_long|' || %s, 'steady_long', %s, 'long', 'open', %s::jsonb)",
            [symbol, symbol, detail],
        )


def _write(kind: str, days: float) -> None:
    moment = datetime.now(UTC) + timedelta(days=days)
    if kind == "trade":
        trades.record_trade(make_trade(open_ms=ms(-1), close_ms=ms(days)))
    elif kind == "equity":
        EquitySnapshot.objects.create(trader_id="steady_long", ts_ms=ms(days), equity_usd=1)
    elif kind == "decision":
        decisions.record_decision(make_entry(decided_at=moment))
    elif kind == "message":
        ConversationMessage.objects.create(
            trader_id="steady_long", conversation="c", sequence=0, role="user", content="?", sent_at=moment
        )
    elif kind == "transfer":
        EquityTransfer.objects.create(
            transfer_id=f"t{days}", trader_id="steady_long", ts_ms=ms(days), amount_usd=1, **_BOOKED
        )
    elif kind == "entry that sets aside":
        EquitySnapshot.objects.create(trader_id="steady_long", ts_ms=ms(-days), equity_usd=1)
        point = f"steady_long|{EquitySnapshot.objects.latest('ts_ms').ts_ms}"
        RecordExclusion.objects.create(
            kind="equity", record_id=point, trader_id="steady_long", action="exclude", reason="r", actor="a", at=moment
        )
    else:
        _position(days)


@pytest.mark.parametrize(
    "kind", [*("trade", "equity", "decision", "message", "position"), *("transfer", "entry that sets aside")]
)
def test_more_than_a_day_ahead_is_refused(kind: str) -> None:
    sync_traders(make_trader())
    _write(kind, 0.9)

    with pytest.raises(IntegrityError, match="ahead"), transaction.atomic():
        _write(kind, 1.1)


def test_a_position_cannot_be_moved_ahead() -> None:
    sync_traders(make_trader())
    positions.open_position(trader_id="steady_long", symbol="BTC", side=Side.LONG, detail=make_position())

    with pytest.raises(IntegrityError, match="ahead"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE positions SET detail = jsonb_set(detail, '{entry,time_ms}', %s::jsonb)", [str(ms(2))])
