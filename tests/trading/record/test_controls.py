"""Controls beside a record: what a close names, what a drained trader holds, how old its equity may be."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.controls.asking import TRADER, ask, ask_fleet, causes, effect, in_minutes
from tests.trading_factories import make_position
from traders.api.wanted_answers import desired_of
from traders.controls.wanted import wanted_of, wanted_of_one
from traders.models import TraderSymbolCooldown
from traders.runtime import services as runtime
from traders.runtime.cooldowns import services as cooldowns
from traders.schema.controls.rows import CLOSE_EXPIRES
from traders.schema.problems import InvalidConfig
from traders.schema.runtime import CooldownDetail, ReportDetail
from traders.versions.lifecycle import services as lifecycle
from trading.models import EquitySnapshot
from trading.record.stored import held
from trading.record.writing import services
from trading.schema.common import Side

pytestmark = pytest.mark.django_db
OTHER = "quick_short"
NOW_MS = int(time.time() * 1000)


@pytest.fixture(autouse=True)
def _fleet() -> None:
    sync_traders(make_trader(detail__auto_start=True), make_trader(OTHER, detail__auto_start=True))


def hold(symbol: str = "BTC", trader_id: str = TRADER, opened_ms: int = NOW_MS - 3_600_000) -> None:
    services.position(trader_id=trader_id, symbol=symbol, side=Side.LONG, detail=make_position(opened_ms=opened_ms))


def let_go(symbol: str = "BTC", trader_id: str = TRADER) -> None:
    services.close(trader_id=trader_id, symbol=symbol, price=Decimal(46000), closed_at_ns=(NOW_MS - 1000) * 1_000_000)


def named(control: Any) -> list[tuple[str, int]]:
    return [(one["symbol"], one["entry_time_ms"]) for one in control.detail["positions"]]


def cooldown_minutes(symbol: str, since: datetime) -> float:
    until = TraderSymbolCooldown.objects.get(trader=TRADER, symbol=symbol).cooldown_until
    return round(float((until - since) / timedelta(minutes=1)), 3)


class TestClose:
    def test_the_same_request_again_is_known_also_once_it_was_done(self) -> None:
        hold()
        (first, *_pause) = ask("close", once="request 7")
        let_go()
        (again,) = ask("close", once="request 7")
        assert (again.control.id, again.is_new) == (first.control.id, False)

    def test_it_names_the_positions_of_its_moment_and_never_a_later_one(self) -> None:
        hold("BTC")
        hold("ETH")
        (close,) = ask("close", keep_trading=True)
        hold("SOL", opened_ms=NOW_MS)
        assert named(close.control) == [("BTC", NOW_MS - 3_600_000), ("ETH", NOW_MS - 3_600_000)]
        (wanted,) = wanted_of_one(TRADER).closes
        assert named(wanted) == named(close.control)
        assert wanted.detail["positions"][0]["id"] == f"{TRADER}|BTC"

    def test_one_of_a_symbol_names_no_other_and_pauses_nothing(self) -> None:
        hold("BTC")
        hold("ETH")
        (close,) = ask("close", symbol="eth")
        assert (close.control.symbol, named(close.control)) == ("ETH", [("ETH", NOW_MS - 3_600_000)])
        assert effect() == "running"

    def test_engines_are_told_to_close_it_reduce_only(self) -> None:
        hold("BTC")
        (close,) = ask("close", symbol="BTC")
        (told,) = desired_of(wanted_of_one(TRADER)).closes
        assert (told.control_id, told.reduce_only, told.until) == (close.control.id, True, close.control.until)
        assert [(one["id"], one["entry_time_ms"]) for one in told.positions] == [(f"{TRADER}|BTC", NOW_MS - 3_600_000)]

    def test_the_commands_close_and_pause_as_asked(self) -> None:
        hold("BTC")
        hold("ETH", OTHER)
        call_command("trader", "close", TRADER, "--keep-trading", "--reason", "news", stdout=StringIO())
        assert effect() == "running"
        call_command("trader", "close", TRADER, "--reason", "news", stdout=StringIO())
        assert causes() == ["pause"]
        call_command("fleet", "stop", "--close-all", "--reason", "news", stdout=StringIO())
        assert len(wanted_of_one(OTHER).closes) == 1
        assert causes(OTHER) == ["fleet_stop"]

    def test_it_expires_after_ten_minutes(self) -> None:
        hold()
        (close,) = ask("close", symbol="BTC")
        assert close.control.until is not None
        assert timedelta(0) <= close.control.at + CLOSE_EXPIRES - close.control.until < timedelta(seconds=5)
        assert wanted_of_one(TRADER).closes == (close.control,)
        assert wanted_of_one(TRADER, close.control.until).closes == ()

    @pytest.mark.parametrize(("interval_seconds", "minutes"), [(180, 15), (3600, 120)])
    def test_it_sets_the_cooldown_of_its_symbol(self, interval_seconds: int, minutes: float) -> None:
        save_edit(TRADER, detail__llm__decision_interval_seconds=interval_seconds)
        hold("BTC")
        hold("ETH")
        (close,) = ask("close", symbol="BTC")
        assert cooldown_minutes("BTC", close.control.at) == minutes
        assert not TraderSymbolCooldown.objects.filter(symbol="ETH").exists()

    def test_it_shortens_no_cooldown_that_ends_later(self) -> None:
        hold()
        late = in_minutes(600)
        cooldowns.extend(trader_id=TRADER, symbol="BTC", until=late, detail=CooldownDetail())
        ask("close", symbol="BTC")
        assert TraderSymbolCooldown.objects.get().cooldown_until == late

    def test_one_of_all_positions_pauses_until_resumed_unless_it_keeps_trading(self) -> None:
        hold()
        close, pause = ask("close")
        assert [close.control.kind, pause.control.kind, pause.control.until] == ["close", "pause", None]
        assert causes() == ["pause"]
        ask("resume")
        hold("ETH", OTHER)
        ask("close", OTHER, keep_trading=True)
        assert effect(OTHER) == "running"

    def test_the_fleets_stop_closes_nothing_unless_asked_and_then_all(self) -> None:
        hold("BTC")
        hold("ETH", OTHER)
        (stop,) = ask_fleet("stop")
        assert wanted_of_one(TRADER).closes == ()
        again, *closes = ask_fleet("stop", close_all=True)
        assert (again.control.id, again.is_new) == (stop.control.id, False)
        assert {(close.control.trader_id, *named(close.control)[0][:1]) for close in closes} == {
            (TRADER, "BTC"),
            (OTHER, "ETH"),
        }
        ask_fleet("release")
        assert (effect(minutes=60), effect(OTHER, minutes=60)) == ("running", "running"), (
            "no trader was paused of its own"
        )


class TestFlat:
    def test_a_drained_trader_is_stopped_when_its_last_position_is_closed(self) -> None:
        hold()
        ask("drain")
        assert causes() == ["drain"]
        let_go()
        assert causes() == ["flat", "drain"]
        assert effect() == "stopped"

    def test_of_many_only_those_without_a_position_are_flat(self) -> None:
        hold("BTC", OTHER)
        hold("ETH", OTHER)
        ask("drain", TRADER, OTHER)
        assert {name: state.facts.is_flat for name, state in wanted_of([TRADER, OTHER]).items()} == {
            TRADER: True,
            OTHER: False,
        }
        assert (held.holding(), held.holding([TRADER])) == ({OTHER}, set())

    def test_a_retired_trader_is_stopped_when_its_last_position_is_closed(self) -> None:
        hold()
        lifecycle.set_retired(trader_ids=[TRADER], retired=True, seen={TRADER: 1}, reason="lost", actor="mei")
        assert (effect(), causes()) == ("entries_banned", ["retired", "drain"])
        let_go()
        assert effect() == "stopped"

    def test_a_retired_trader_reports_until_it_is_flat(self) -> None:
        hold()
        lifecycle.set_retired(trader_ids=[TRADER], retired=True, seen={TRADER: 1}, reason="lost", actor="mei")

        def reported() -> bool:
            return runtime.report(
                trader_id=TRADER, active_config_version=1, is_running=True, detail=ReportDetail()
            ).is_running

        assert reported()
        let_go()
        with pytest.raises(InvalidConfig, match="is retired"):
            reported()


class TestStaleEquity:
    """Older than two intervals and five minutes; the interval is three minutes."""

    @pytest.fixture(autouse=True)
    def _interval(self) -> None:
        save_edit(TRADER, detail__llm__decision_interval_seconds=180)

    def told(self, seconds_ago: float) -> None:
        ms = int((timezone.now().timestamp() - seconds_ago) * 1000)
        EquitySnapshot.objects.create(trader_id=TRADER, ts_ms=ms, equity_usd=Decimal(10_000))

    def test_entries_are_banned_without_a_pause_until_equity_is_told_again(self) -> None:
        assert effect() == "running", "without any equity none is stale"
        self.told(362)
        assert (effect(), causes(), wanted_of_one(TRADER).pauses) == ("entries_banned", ["stale_equity"], ())
        self.told(0)
        assert effect() == "running"

    def test_two_intervals_are_allowed(self) -> None:
        self.told(350)
        assert effect() == "running"

    def test_five_minutes_are_allowed_however_short_the_interval(self) -> None:
        save_edit(TRADER, detail__llm__decision_interval_seconds=60)
        self.told(290)
        assert effect() == "running"
        assert causes(OTHER) == []
