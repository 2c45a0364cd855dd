"""A wrong trade replaced by a right one: by API, command and page, with both on the ticket."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.engine_client import Engine
from tests.engine_fixtures import EngineWith, _placed_at_once, engine, engine_with
from tests.traders.admin.people import browser_of
from tests.trading_factories import make_trade
from traders.accounts.rules import Role
from traders.schema.tokens import Scope
from trading.live import queries as projection
from trading.models import RecordExclusion, Trade, VersionResult
from trading.record.corrections import services as corrections
from trading.record.rules.errors import RecordConflict
from trading.record.writing.trades import record_trade
from trading.schema.exclusion import RecordKey, RecordKind

__all__ = ["EngineWith", "_placed_at_once", "engine", "engine_with"]

PATH = "/traders/steady_long/trades/correct"
OLD = make_trade()
RIGHT = {"id": OLD.id, "set": {"pnl.net": Decimal("4.2"), "pnl.funding": Decimal("-0.3")}, "reason": "funding missed"}


@pytest.fixture
def wrong(engine: Engine) -> Engine:
    record_trade(OLD)
    return engine


def test_a_correction_is_a_new_row_and_sets_the_old_one_aside(wrong: Engine) -> None:
    reply = wrong.post(PATH, RIGHT)

    assert (reply.status, reply.body["id"]) == (200, f"{OLD.id}|c1")
    assert reply.body["detail"]["corrects"] == OLD.id
    assert VersionResult.objects.get().net_pnl == Decimal("4.2")
    assert projection.project(["steady_long"]).analytics["steady_long"].net_pnl_usd == Decimal("4.2")
    entry = RecordExclusion.objects.get()
    assert (entry.record_id, entry.reason, entry.actor) == (OLD.id, "funding missed", "token:engine-1")


def test_the_same_correction_again_changes_nothing_and_a_further_one_corrects_the_last(wrong: Engine) -> None:
    first = wrong.post(PATH, RIGHT)
    assert wrong.post(PATH, RIGHT).body == first.body
    assert wrong.post(PATH, RIGHT | {"set": {"pnl.net": 1}}).status == 422

    second = wrong.post(PATH, RIGHT | {"id": first.body["id"], "set": {"pnl.net": 1}})

    assert (second.status, second.body["id"]) == (200, f"{OLD.id}|c2")
    assert VersionResult.objects.get().net_pnl == 1
    assert Trade.objects.count() == 3


def test_what_is_recorded_again_afterwards_is_known(wrong: Engine) -> None:
    corrections.correct(RecordKey(RecordKind.TRADE, OLD.id), {"pnl.net": Decimal("9.75")}, reason="wrong", actor="mei")

    assert record_trade(OLD) is False
    assert record_trade(make_trade(net="9.75", fills=OLD.detail.fills)) is False
    with pytest.raises(RecordConflict):
        record_trade(make_trade(net="7"))
    assert Trade.objects.count() == 2


@pytest.mark.parametrize(
    ("changed", "status", "path"),
    [
        ({"id": "nothing"}, 422, None),
        ({"set": {}}, 422, "set"),
        ({"set": {"pnl.net": "much"}}, 422, "pnl.net"),
        ({"set": {"prices.avg_exit": -1}}, 422, "prices.avg_exit"),
        ({"set": {"pnl.net.x": 1}}, 422, "pnl.net.x"),
        ({"set": {"versions.entry": 7}}, 422, "versions.entry"),
        ({"set": {"pnl.net": Decimal("4.5")}}, 422, "set"),
        ({"set": {"side": "up"}}, 422, "side"),
        ({"set": {"time.close_ts_ms": "x"}}, 422, "time.close_ts_ms"),
        ({"set": {"time": 5}}, 422, "time"),
        ({"reason": " "}, 422, "reason"),
    ],
)
def test_a_wrong_correction_is_refused_and_changes_nothing(
    wrong: Engine, changed: dict[str, Any], status: int, path: str | None
) -> None:
    reply = wrong.post(PATH, RIGHT | changed)

    assert reply.status in (status, 404)
    if path:
        assert reply.body["problems"][0]["path"] == path
    assert (Trade.objects.count(), RecordExclusion.objects.count()) == (1, 0)


def test_it_needs_its_own_scope(wrong: Engine, engine_with: EngineWith) -> None:
    assert engine_with(Scope.WRITE_STATE, name="engine-2").post(PATH, RIGHT).status == 403


def test_the_command_corrects(wrong: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("correct_trade", OLD.id, "--set", "pnl.net=4.2", "--set", "side=short", "--reason", "wrong side")

    made = Trade.objects.get(pk=f"{OLD.id}|c1")
    assert (made.side, made.net_pnl) == ("short", Decimal("4.2"))
    assert "counts in its place" in capsys.readouterr().out
    with pytest.raises(CommandError):
        call_command("correct_trade", "nothing", "--set", "pnl.net=1", "--reason", "why")


def test_the_page_corrects_and_both_tickets_name_the_other(wrong: Engine) -> None:
    admin = browser_of(Role.ADMIN)
    address = f"/admin/trading/trade/{OLD.id}/correct/"
    assert 'value="4.5"' in admin.get(address).content.decode()
    form = {
        "side": "long",
        "quantity_total": "0.01",
        "prices_avg_entry": "45000.50",
        "prices_avg_exit": "45500.00",
        "pnl_gross": "5.00",
        "pnl_commission": "0.50",
        "pnl_funding": "-0.3",
        "pnl_net": "4.2",
        "reason": "missed",
    }

    assert admin.post(address, form).status_code == 302

    made = f"{OLD.id}|c1"
    assert VersionResult.objects.get().net_pnl == Decimal("4.2")
    assert made in admin.get(f"/admin/trading/trade/{OLD.id}/").content.decode()
    assert OLD.id in admin.get(f"/admin/trading/trade/{made}/").content.decode()
    assert browser_of(Role.VIEWER).get(address).status_code == 403
