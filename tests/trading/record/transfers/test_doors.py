"""Transfers by API, command and page: recorded once, and a deposit is no gain anywhere."""

from __future__ import annotations

import html
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from tests.engine_client import Engine
from tests.engine_fixtures import EngineWith, _placed_at_once, engine, engine_with
from tests.traders.admin.people import browser_of
from traders.accounts.rules import Role
from trading.live import queries as projection
from trading.models import EquityTransfer

__all__ = ["EngineWith", "_placed_at_once", "engine", "engine_with"]

HOUR = 3_600_000
MS = 1_760_000_000_000 // (24 * HOUR) * 24 * HOUR
TRANSFERS, EQUITY = "/traders/steady_long/transfers", "/traders/steady_long/equity"
DEPOSIT: dict[str, Any] = {
    "id": "d-1",
    "kind": "deposit",
    "amount_usd": 10_000,
    "ts_ms": MS + 12 * HOUR,
    "reason": "more capital",
}


def equity(engine: Engine, *points: tuple[int, object]) -> None:
    body = {"points": [{"ts_ms": MS + hour * HOUR, "equity_usd": Decimal(str(usd))} for hour, usd in points]}
    assert engine.put(EQUITY, body).status == 200


def shown() -> Any:
    return projection.project(["steady_long"]).inception["steady_long"]


def test_a_transfer_is_recorded_once_and_listed(engine: Engine) -> None:
    first = engine.put(TRANSFERS, DEPOSIT)

    assert first.status == 200
    assert engine.put(TRANSFERS, DEPOSIT).body == first.body
    assert engine.get(TRANSFERS).body["transfers"] == [first.body]
    assert (first.body["amount_usd"], first.body["actor"]) == (10_000, "token:engine-1")
    assert engine.put(TRANSFERS, DEPOSIT | {"amount_usd": 9}).status == 409


def test_a_deposit_is_no_gain_in_the_live_store(engine: Engine) -> None:
    """10,000 at 00:00, +10,000 at 12:00, 20,400 at 24:00: 400 / 15,000."""
    equity(engine, (0, 10_000), (24, 20_400))
    engine.put(TRANSFERS, DEPOSIT)

    found = shown()

    assert round(found.return_pct, 4) == 2.6667
    assert found.net_pnl_usd == 400
    assert found.start_equity_usd == 10_000


def test_a_withdrawal_is_no_drawdown(engine: Engine) -> None:
    equity(engine, (0, 10_000), (24, 12_000), (25, 6_000), (48, 5_400))
    out = {"kind": "withdrawal", "amount_usd": 6_000, "ts_ms": MS + 24 * HOUR + 1, "id": "w"}
    engine.put(TRANSFERS, DEPOSIT | out)

    assert round(projection.project(["steady_long"]).analytics["steady_long"].max_drawdown_pct or 0, 2) == 10.0


def test_the_initial_transfer_is_the_start(engine: Engine) -> None:
    equity(engine, (1, 4_000))
    assert shown().return_pct == 0
    start = {"kind": "initial", "ts_ms": MS, "id": "start"}

    assert engine.put(TRANSFERS, DEPOSIT | start).status == 200

    assert (shown().return_pct, shown().start_equity_usd) == (-60.0, 10_000)
    assert engine.put(TRANSFERS, DEPOSIT | start | {"id": "second"}).status == 409


def test_an_internal_transfer_is_two_rows_with_one_id_and_zero_for_the_fleet(engine: Engine) -> None:
    moved = {"kind": "internal", "to_trader_id": "swift_short", "id": "i"}

    assert engine.put(TRANSFERS, DEPOSIT | moved).body["amount_usd"] == -10_000

    rows = EquityTransfer.objects.filter(transfer_id="i")
    assert sorted(rows.values_list("trader_id", "amount_usd")) == [("steady_long", -10_000), ("swift_short", 10_000)]
    assert engine.put(TRANSFERS, DEPOSIT | moved).status == 200
    assert rows.count() == 2


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"amount_usd": 0}, "amount_usd"),
        ({"amount_usd": -5}, "amount_usd"),
        ({"kind": "gift"}, "kind"),
        ({"reason": " "}, "reason"),
        ({"ts_ms": 1_760_000_000}, "ts_ms"),
        ({"kind": "internal"}, "to_trader_id"),
        ({"to_trader_id": "swift_short"}, "to_trader_id"),
        ({"kind": "internal", "to_trader_id": "steady_long"}, "to_trader_id"),
    ],
)
def test_a_wrong_transfer_is_refused_at_its_place(engine: Engine, wrong: dict[str, Any], path: str) -> None:
    reply = engine.put(TRANSFERS, DEPOSIT | wrong)

    assert (reply.status, reply.body["problems"][0]["path"]) == (422, path)
    assert not EquityTransfer.objects.exists()


def test_a_token_of_one_trader_pays_no_other(engine: Engine, engine_with: EngineWith) -> None:
    from traders.schema.tokens import Scope

    limited = engine_with(Scope.WRITE_STATE, name="limited", traders=["steady_long"])
    moved = {"kind": "internal", "to_trader_id": "swift_short", "id": "i"}

    assert limited.put(TRANSFERS, DEPOSIT | moved).status == 404
    assert not EquityTransfer.objects.exists()


def test_the_command_records_it(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    given = {"at": "2025-10-09T12:00:00Z", "reason": "more capital"}
    for _ in range(2):
        call_command("record_transfer", "steady_long", "withdrawal", "250.5", **given)

    assert EquityTransfer.objects.get().amount_usd == Decimal("-250.5")
    assert "-250.5 USD" in capsys.readouterr().out
    for wrong in (("nobody", "deposit", "5"), ("steady_long", "deposit", "x"), ("steady_long", "deposit", "-5")):
        with pytest.raises(CommandError):
            call_command("record_transfer", *wrong, **given)


@pytest.mark.parametrize("amount", ["1e9999999", "1e16", "NaN", "Infinity", "0", "ten"])
def test_the_command_refuses_what_is_no_amount(engine: Engine, amount: str) -> None:
    with pytest.raises(CommandError, match=r"must"):
        call_command("record_transfer", "steady_long", "correction", f"{amount}", reason="r")
    assert not EquityTransfer.objects.exists()


LATE = ("2098-01-01T00:00:00+00:00", (timezone.now() + timedelta(hours=12)).isoformat())


@pytest.mark.parametrize("at", [*LATE, "1999-01-01T00:00:00+00:00"], ids=["years", "hours", "before"])
def test_a_transfer_of_another_time_is_refused_by_the_command(engine: Engine, at: str) -> None:
    with pytest.raises(CommandError, match="ts_ms must"):
        call_command("record_transfer", "steady_long", "deposit", "5", at=at, reason="r")
    assert not EquityTransfer.objects.exists()


@pytest.mark.parametrize("at", LATE, ids=["years", "hours"])
def test_a_transfer_that_is_yet_to_come_is_refused_by_page_and_api(engine: Engine, at: str) -> None:
    form = {"trader": "steady_long", "kind": "deposit", "amount_usd": "5", "at": at, "reason": "r"}
    page = browser_of(Role.ADMIN).post("/admin/trading/equitytransfer/add/", form)
    ts_ms = round(datetime.fromisoformat(at).timestamp() * 1000)
    reply = engine.put(TRANSFERS, DEPOSIT | {"ts_ms": ts_ms})

    assert page.status_code == 200
    assert "ahead of this server" in html.unescape(page.content.decode())
    assert (reply.status, reply.body["problems"][0]["path"]) == (422, "ts_ms")
    assert not EquityTransfer.objects.exists()


def test_the_page_records_it_and_shows_it(engine: Engine) -> None:
    admin = browser_of(Role.ADMIN)
    form = {"trader": "steady_long", "kind": "deposit", "amount_usd": "100", "at": "", "reason": "more capital"}

    saved = admin.post("/admin/trading/equitytransfer/add/", form)

    assert saved.status_code == 302
    assert EquityTransfer.objects.get().amount_usd == 100
    assert "more capital" in admin.get("/admin/trading/equitytransfer/").content.decode()
    refused = admin.post("/admin/trading/equitytransfer/add/", form | {"amount_usd": "-5"})
    assert "must be above 0" in refused.content.decode()
    assert browser_of(Role.VIEWER).post("/admin/trading/equitytransfer/add/", form).status_code == 403

    row = EquityTransfer.objects.get()
    alone = admin.get(f"/admin/trading/equitytransfer/{row.pk}/change/").content.decode()
    assert "more capital" in alone
    assert row.transfer_id in alone


@pytest.mark.parametrize(
    ("query", "is_shown"),
    [
        ("trader=STEADY", True),
        ("trader=quick", False),
        ("kind=deposit", True),
        ("kind=withdrawal", False),
        ("q=capital", True),
        ("q=nothing", False),
    ],
)
def test_the_list_is_filtered(engine: Engine, query: str, is_shown: bool) -> None:
    engine.put(TRANSFERS, DEPOSIT)
    page = browser_of(Role.VIEWER).get(f"/admin/trading/equitytransfer/?{query}").content.decode()
    assert ("more capital" in page) is is_shown
    assert '<option value="steady_long">' in page


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE equity_transfers SET amount_usd = 1",
        "DELETE FROM equity_transfers",
        "INSERT INTO equity_transfers (transfer_id, trader_id, ts_ms, amount_usd, kind, reason, actor)"
        " VALUES ('x', 'steady_long', 1760000000000, -1, 'deposit', 'r', 'a')",
        "INSERT INTO equity_transfers (transfer_id, trader_id, ts_ms, amount_usd, kind, reason, actor)"
        " VALUES ('x', 'steady_long', 1760000000000, 'NaN', 'deposit', 'r', 'a')",
    ],
)
def test_the_database_keeps_them_as_they_are(engine: Engine, statement: str) -> None:
    engine.put(TRANSFERS, DEPOSIT)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
