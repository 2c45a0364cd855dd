"""Turns of traders: versions and controls of now, capital, stops."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from tests.factories import make_trader, save_edit, sync_traders
from tests.manager_factories import ManagerAtWork, actions, closes, journalled, opens
from traders.controls.services import Asked, control, fleet_control
from traders.models import TraderControlAck, TraderRuntimeState
from traders.schema.controls.rows import ControlKind
from traders.schema.messages import verbatim
from traders.schema.settings.trader import TraderSpec
from trading.manager import writer
from trading.manager.exchanges.paper import PaperExchange
from trading.manager.protocols import DeciderFailed, OrderAsked, OrderState
from trading.manager.running.making import NotRunHere
from trading.manager_models import ManagerCycle, ManagerOrder
from trading.models import DecisionJournal, EquitySnapshot, EquityTransfer, Position, Trade
from trading.replay.services import replays

pytestmark = pytest.mark.django_db
TRADER = "steady_long"
ASKED = Asked(reason="a test", actor="mei")


def test_the_first_turn_books_the_capital_once(at_work: ManagerAtWork) -> None:
    turns = at_work.turns()
    turns.take(TRADER, at_work.now)
    turns.take(TRADER, at_work.later())
    transfer = EquityTransfer.objects.get()
    assert (transfer.kind, transfer.amount_usd) == ("initial", Decimal(2000))


def test_a_version_that_gives_less_moves_away_what_is_not_bound(at_work: ManagerAtWork) -> None:
    at_work.says = opens()
    turns = at_work.turns()
    turns.take(TRADER, at_work.now)
    at_work.says = []
    save_edit(TRADER, allocation_pct=Decimal("1.00"))
    turns.take(TRADER, at_work.later())
    moved = EquityTransfer.objects.get(kind="internal")
    # 100 USD are left to it, and 1,900 would go: less the margin of its position they can.
    assert moved.amount_usd == Decimal(-1900)
    save_edit(TRADER, allocation_pct=Decimal("0.50"))
    turns.take(TRADER, at_work.later())
    # Of the 50 USD that would go next, its position binds all but what is left of 100 USD.
    last = EquityTransfer.objects.filter(kind="internal").latest("id")
    assert Decimal(-50) < last.amount_usd < Decimal(-19)


def started_again(at_work: ManagerAtWork) -> None:
    """A turn by a manager that has just started."""
    turns = at_work.turns()
    turns.begin([TRADER])
    turns.take(TRADER, at_work.now)


def test_what_a_smaller_allocation_takes_waits_for_a_fresh_price_of_what_is_held(at_work: ManagerAtWork) -> None:
    at_work.says = opens()
    at_work.turns().take(TRADER, at_work.now)
    quotes, at_work.says = at_work.market.quotes, []
    save_edit(TRADER, allocation_pct=Decimal("1.00"))

    at_work.market.quotes = {}
    at_work.later()
    started_again(at_work)
    state = TraderRuntimeState.objects.get(pk=TRADER)
    assert not EquityTransfer.objects.filter(kind="internal").exists()
    assert (state.active_config_version, state.is_running) == (1, True)
    assert "v2 has less capital" in state.detail["last_error"]["message"]

    at_work.market.quotes = quotes
    at_work.later()
    started_again(at_work)
    assert EquityTransfer.objects.get(kind="internal").amount_usd == Decimal(-1900)
    assert TraderRuntimeState.objects.get(pk=TRADER).active_config_version == 2


def test_a_stopped_trader_whose_capital_cannot_be_moved_yet_is_reported_as_stopped(at_work: ManagerAtWork) -> None:
    at_work.says = opens()
    at_work.turns().take(TRADER, at_work.now)
    save_edit(TRADER, allocation_pct=Decimal("1.00"))
    control(ControlKind.STOP, [TRADER], ASKED)
    at_work.market.quotes = {}
    at_work.later(30)
    started_again(at_work)
    assert TraderRuntimeState.objects.get(pk=TRADER).is_running is False


def test_the_next_turn_runs_the_version_that_was_saved_meanwhile(at_work: ManagerAtWork) -> None:
    turns = at_work.turns()
    turns.take(TRADER, at_work.now)
    save_edit(TRADER, detail__risk__max_positions=2)
    turns.take(TRADER, at_work.later())
    assert TraderRuntimeState.objects.get(pk=TRADER).active_config_version == 2
    assert journalled().config_version == 2


def test_a_pinned_version_runs_although_a_newer_one_was_saved(at_work: ManagerAtWork) -> None:
    save_edit(TRADER, detail__risk__max_positions=2)
    control(ControlKind.PIN, [TRADER], Asked(reason="a test", actor="mei", version=1))
    at_work.turns().take(TRADER, at_work.later(60))
    assert journalled().config_version == 1


def while_the_model_thinks(at_work: ManagerAtWork, happens: Any, answer: Any) -> None:
    def says(request: object) -> Any:
        happens()
        at_work.later(31)  # controls are of the clock of the database, and that of the turns lies 20 s back
        return answer

    at_work.says = says


@pytest.mark.parametrize("kind", [ControlKind.STOP, ControlKind.PAUSE, ControlKind.DRAIN])
def test_a_control_given_while_the_model_thinks_stops_its_entry(at_work: ManagerAtWork, kind: ControlKind) -> None:
    while_the_model_thinks(at_work, lambda: control(kind, [TRADER], ASKED), opens())
    at_work.turns().take(TRADER, at_work.now)
    assert actions()[0]["refused_by"] == ["superseded"]
    assert not Position.objects.exists()


def test_a_fleet_stop_given_while_the_model_thinks_stops_its_entry(at_work: ManagerAtWork) -> None:
    while_the_model_thinks(at_work, lambda: fleet_control(ControlKind.STOP, reason="a test", actor="mei"), opens())
    at_work.turns().take(TRADER, at_work.now)
    assert "fleet stop by mei" in actions()[0]["error"]


@pytest.mark.parametrize(
    ("price", "rule"), [(97, "superseded"), (None, "stale_prices")], ids=["its stop fills", "its price goes missing"]
)
def test_a_close_that_finds_nothing_to_send_agrees_with_its_replay(
    at_work: ManagerAtWork, price: int | None, rule: str
) -> None:
    turns = at_work.turns()
    at_work.says = opens()
    turns.take(TRADER, at_work.now)

    def happens() -> None:
        del at_work.market.quotes["BTC"]
        if price:
            at_work.market.quotes["BTC"] = Decimal(price)
            at_work.later(3)
            turns.watch(list(at_work.fleet().values()))

    while_the_model_thinks(at_work, happens, [closes()])
    turns.take(TRADER, at_work.later(5))

    assert (actions()[0]["ok"], actions()[0]["refused_by"]) == (False, [rule])
    assert [str(one.verdict) for one in replays(TRADER)].count("differs") == 0


def test_a_version_saved_while_the_model_thinks_stops_its_entry(at_work: ManagerAtWork) -> None:
    while_the_model_thinks(at_work, lambda: save_edit(TRADER, detail__risk__max_positions=2), opens())
    at_work.turns().take(TRADER, at_work.now)
    assert actions()[0]["error"] == "v2 is in force, and v1 decided"


def test_a_pin_given_while_the_model_thinks_stops_its_entry(at_work: ManagerAtWork) -> None:
    save_edit(TRADER, detail__risk__max_positions=2)
    pin = Asked(reason="a test", actor="mei", version=1)
    while_the_model_thinks(at_work, lambda: control(ControlKind.PIN, [TRADER], pin), opens())
    at_work.turns().take(TRADER, at_work.now)
    assert actions()[0]["error"] == "v1 is in force, and v2 decided"


def test_the_file_stop_bans_entries_without_any_database(at_work: ManagerAtWork, tmp_path: Path) -> None:
    at_work.stop_file = tmp_path / "STOP"
    at_work.stop_file.touch()
    at_work.says = opens()
    at_work.turns().take(TRADER, at_work.now)
    assert actions()[0]["error"] == "the file STOP bans entries"


def test_a_lost_lock_ends_entries_at_once(at_work: ManagerAtWork) -> None:
    at_work.is_held, at_work.says = False, opens()
    at_work.turns().take(TRADER, at_work.now)
    assert "its lock is gone" in actions()[0]["error"]


def test_under_a_ban_a_trader_decides_only_while_it_holds_something(at_work: ManagerAtWork) -> None:
    turns = at_work.turns()
    at_work.says = opens()
    turns.take(TRADER, at_work.now)
    control(ControlKind.PAUSE, [TRADER], ASKED)
    at_work.later(31)
    at_work.says = [closes(), opens("ETH", entry_price=10.01, stop_loss=9.8, take_profit=10.8)]
    turns.take(TRADER, at_work.now)
    assert [action["ok"] for action in actions()] == [True, False]
    asked, points = len(at_work.asked), EquitySnapshot.objects.count()
    turns.take(TRADER, at_work.later())
    # Flat: no model is asked, and the equity is told all the same, so that it does not become stale.
    assert len(at_work.asked) == asked
    assert EquitySnapshot.objects.count() == points + 1


@pytest.mark.parametrize("answer", ['{"signal": "hold", "a\\u0001b": 1}', '{"signal": "hold", "a\\rb": 1}'])
def test_an_answer_with_characters_that_no_report_holds_fails_one_cycle(at_work: ManagerAtWork, answer: str) -> None:
    at_work.says = answer
    turns = at_work.turns()
    turns.take(TRADER, at_work.now)

    said = TraderRuntimeState.objects.get(pk=TRADER).detail["last_error"]["message"]
    assert said.startswith("the answer cannot be read: a b is no key of a decision")
    assert ManagerCycle.objects.get(pk=TRADER).state == "done"
    at_work.says = opens()
    turns.take(TRADER, at_work.later())
    assert Position.objects.filter(status="open").exists()


def test_a_stopped_trader_is_reported_as_such_and_asks_no_model(at_work: ManagerAtWork) -> None:
    turns = at_work.turns()
    turns.take(TRADER, at_work.now)
    control(ControlKind.STOP, [TRADER], ASKED)
    at_work.later(31)
    [stopped] = turns.follow(at_work.fleet())
    turns.report_stopped(stopped)
    assert turns.follow(at_work.fleet()) == []
    assert not TraderRuntimeState.objects.get(pk=TRADER).is_running
    assert TraderControlAck.objects.get().result == "done"
    asked = len(at_work.asked)
    turns.take(TRADER, at_work.later())
    assert len(at_work.asked) == asked


def test_a_stop_of_the_fleet_is_acknowledged_for_all_its_traders_with_as_many_statements_as_for_one(
    at_work: ManagerAtWork, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    names = [f"another_{number}" for number in range(20)]
    sync_traders(*(make_trader(name, detail__auto_start=True, allocation_pct=Decimal(1)) for name in names))
    fleet_control(ControlKind.STOP, reason="a test", actor="mei")
    at_work.later(31)
    turns, fleet = at_work.turns(), at_work.fleet(*names)
    with django_assert_num_queries(2):
        turns.follow(fleet)
    assert sorted(TraderControlAck.objects.values_list("trader", flat=True)) == sorted(names)
    assert set(TraderControlAck.objects.values_list("result", "note", "actor")) == {("done", "", "system")}
    turns.follow(fleet)
    assert TraderControlAck.objects.count() == len(names)


def test_a_trader_of_a_real_exchange_is_not_run_and_says_why(at_work: ManagerAtWork) -> None:
    save_edit(TRADER, exchange_provider="hyperliquid_testnet")
    at_work.turns().take(TRADER, at_work.now)
    assert at_work.said == [
        "steady_long is not run by this manager: its exchange hyperliquid_testnet is of type hyperliquid, and this"
        " manager trades on paper only (type sim)."
    ]
    assert not DecisionJournal.objects.exists()


def test_a_manager_says_once_at_its_start_which_traders_it_does_not_run(at_work: ManagerAtWork) -> None:
    sync_traders(
        make_trader(TRADER, detail__auto_start=True, allocation_pct=10),
        *(make_trader(f"real_{name}", exchange_provider="hyperliquid_testnet", allocation_pct=10) for name in "ab"),
    )
    turns = at_work.turns()
    turns.introduce(at_work.fleet())
    for name in at_work.fleet():
        turns.take(name, at_work.now)
    assert at_work.said == [
        "Runs 1 of 3 traders.",
        "2 others are not run by this manager (real_a, real_b), each since its exchange hyperliquid_testnet is of type"
        " hyperliquid, and this manager trades on paper only (type sim).",
    ]


def test_a_model_that_goes_missing_within_a_turn_fails_its_cycle(at_work: ManagerAtWork) -> None:
    known = [at_work, at_work]

    def make(spec: TraderSpec) -> ManagerAtWork:
        """Known when the turn begins, and not any more when it is asked."""
        if len(known) == 1:
            raise NotRunHere(verbatim("its model is gone"))
        return known.pop()

    at_work.make_decider = make
    at_work.turns().take(TRADER, at_work.now)

    assert journalled().detail["error"] == "the model gave no answer: its model is gone"
    assert ManagerCycle.objects.get().state == "done"


def test_a_stop_fills_between_decisions_and_makes_the_trade(at_work: ManagerAtWork) -> None:
    turns = at_work.turns()
    at_work.says = opens()
    turns.take(TRADER, at_work.now)
    at_work.market.quotes["BTC"] = Decimal(97)
    at_work.later(3)
    turns.watch(list(at_work.fleet().values()))
    trade = Trade.objects.get()
    # At the first price at or beyond it: the worse of the two.
    assert trade.detail["prices"]["avg_exit"] == 97
    assert Position.objects.get().status == "closed"
    assert sorted(ManagerOrder.objects.values_list("kind", "state")) == [
        ("entry", "filled"),
        ("stop", "filled"),
        ("target", "cancelled"),
    ]


@pytest.mark.plain
def test_a_trailing_stop_follows_the_price(at_work: ManagerAtWork) -> None:
    turns = at_work.turns()
    at_work.says = opens()
    turns.take(TRADER, at_work.now)
    position = Position.objects.get()
    position.detail["exit_plan"]["trailing_stop_pct"] = 2
    position.save()
    at_work.market.quotes["BTC"] = Decimal(105)
    at_work.later(3)
    turns.watch(list(at_work.fleet().values()))
    assert ManagerOrder.objects.get(kind="stop").trigger_price == Decimal("102.9")
    assert Position.objects.get().detail["exit_plan"]["sl_price"] == Decimal("102.9")


def test_funding_is_booked_when_it_is_due_and_marked_where_its_rate_is_not_known(at_work: ManagerAtWork) -> None:
    at_work.funding_interval = timedelta(hours=8)
    at_work.now = at_work.now.replace(hour=7, minute=30) - timedelta(days=1)
    turns = at_work.turns()
    at_work.says = opens()
    turns.take(TRADER, at_work.now)
    for hours, rate in ((0.25, None), (1, None), (1, Decimal("0.001")), (7, Decimal("0.001"))):
        at_work.market.funding_rate = rate
        at_work.later(hours * 3600)
        turns.watch(list(at_work.fleet().values()))

    due = [event for event in Position.objects.get().detail["events"] if "funding" in event]
    assert [(event["funding"], event.get("is_funding_unknown")) for event in due] == [
        (0, True),
        (Decimal("-0.4"), None),
    ]
    at_work.says = closes()
    turns.take(TRADER, at_work.later(1))
    assert Trade.objects.get().detail["pnl"]["is_funding_unknown"] is True


def test_a_position_without_a_live_stop_gets_it(at_work: ManagerAtWork) -> None:
    turns = at_work.turns()
    at_work.says = opens()
    turns.take(TRADER, at_work.now)
    ManagerOrder.objects.filter(kind="stop").delete()
    at_work.later(3)
    turns.watch(list(at_work.fleet().values()))
    stop = ManagerOrder.objects.get(kind="stop")
    assert (stop.state, stop.trigger_price) == ("resting", Decimal(98))


@pytest.mark.plain
def test_a_stop_that_was_taken_out_of_the_plan_twice_rests_again_each_time(at_work: ManagerAtWork) -> None:
    turns = at_work.turns()
    at_work.says = opens()
    turns.take(TRADER, at_work.now)
    stops = ManagerOrder.objects.filter(kind="stop", state="resting")
    for resting in (0, 1, 0, 1, 0, 1):
        position = Position.objects.get()
        position.detail["exit_plan"]["sl_price"] = 98 if resting else None
        position.save()
        at_work.later()
        turns.watch(list(at_work.fleet().values()))
        assert stops.count() == resting


def test_an_increase_tightens_the_stop_of_all_that_is_held_and_takes_its_target(at_work: ManagerAtWork) -> None:
    turns = at_work.turns()
    at_work.says = opens(position_size_usd=200)
    turns.take(TRADER, at_work.now)
    save_edit(TRADER, detail__risk__allow_increase=True)
    at_work.says = opens(position_size_usd=200, stop_loss=99, take_profit=106)
    turns.take(TRADER, at_work.later(10))
    turns.watch(list(at_work.fleet().values()))
    plan = Position.objects.get().detail["exit_plan"]
    assert (plan["sl_price"], plan["tp_price"]) == (99, 106)
    resting = ManagerOrder.objects.filter(state="resting").order_by("kind")
    assert list(resting.values_list("kind", "trigger_price")) == [("stop", 99), ("target", 106)]
    assert [event["kind"] for event in Position.objects.get().detail["events"]] == ["open", "increase", "plan"]


def test_a_close_that_was_asked_for_goes_out_and_is_acknowledged(at_work: ManagerAtWork) -> None:
    turns = at_work.turns()
    at_work.says = opens()
    turns.take(TRADER, at_work.now)
    control(ControlKind.CLOSE, [TRADER], ASKED)
    at_work.later(31)
    turns.watch(list(at_work.fleet().values()))
    assert Position.objects.get().status == "closed"
    turns.watch(list(at_work.fleet().values()))
    assert TraderControlAck.objects.get().result == "done"


def refuse(self: PaperExchange, order: OrderAsked, *_: object) -> None:
    writer.put_state(order.trader_id, order.client_order_id, OrderState.REFUSED, reason="busy")


def test_a_close_that_the_exchange_refuses_is_sent_again_and_fills_once(
    at_work: ManagerAtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = at_work.turns()
    at_work.says = opens()
    turns.take(TRADER, at_work.now)
    control(ControlKind.CLOSE, [TRADER], ASKED)
    at_work.later(31)

    with monkeypatch.context() as refusing:
        refusing.setattr(PaperExchange, "_fill", refuse)
        for _second in range(7):
            turns.watch(list(at_work.fleet().values()))
            at_work.later()
    exits = ManagerOrder.objects.filter(kind="exit")
    # Not once a second: five seconds lie between two of them.
    assert list(exits.values_list("state", flat=True)) == ["refused", "refused"]
    assert not TraderControlAck.objects.exists()
    at_work.later(4)
    for _second in range(3):
        turns.watch(list(at_work.fleet().values()))
        at_work.later()
    assert sorted(exits.values_list("state", flat=True)) == ["filled", "refused", "refused"]
    assert Position.objects.get().status == "closed"
    assert Trade.objects.count() == 1
    assert TraderControlAck.objects.get().result == "done"


def test_the_stop_of_a_position_whose_close_is_refused_still_fills(
    at_work: ManagerAtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = at_work.turns()
    at_work.says = opens()
    turns.take(TRADER, at_work.now)
    control(ControlKind.CLOSE, [TRADER], ASKED)
    at_work.later(31)

    monkeypatch.setattr(PaperExchange, "_fill", refuse)
    at_work.market.quotes["BTC"] = Decimal(97)
    turns.watch(list(at_work.fleet().values()))
    assert Trade.objects.get().detail["prices"]["avg_exit"] == 97
    assert ManagerOrder.objects.get(kind="stop").state == "filled"


def test_a_close_that_expired_is_not_sent_again(at_work: ManagerAtWork) -> None:
    turns = at_work.turns()
    at_work.says = opens()
    turns.take(TRADER, at_work.now)
    control(ControlKind.CLOSE, [TRADER], ASKED)
    at_work.later(30 + 601)
    turns.watch(list(at_work.fleet().values()))
    assert not ManagerOrder.objects.filter(kind="exit").exists()


def test_orders_are_forgotten_a_month_after_they_were_recorded_unless_their_position_is_open(
    at_work: ManagerAtWork,
) -> None:
    turns = at_work.turns()
    at_work.says = [opens(), opens("ETH", entry_price=10.01, stop_loss=9.8, take_profit=10.8)]
    turns.take(TRADER, at_work.now)
    at_work.says = [closes()]
    turns.take(TRADER, at_work.later(10))
    at_work.later(29 * 86_400)
    assert turns.tidy([TRADER]) == 0
    at_work.later(86_401)
    # The entry, the exit, the stop and the target of BTC; ETH is held.
    assert turns.tidy([TRADER]) == 4
    assert set(ManagerOrder.objects.values_list("symbol", flat=True)) == {"ETH"}


def test_a_model_that_hangs_is_given_up_after_its_time(at_work: ManagerAtWork) -> None:
    at_work.says = lambda request: DeciderFailed("out of budget")
    at_work.turns().take(TRADER, at_work.now)
    assert journalled().detail["error"] == "the model gave no answer: out of budget"


def test_an_equity_point_is_of_the_moment_at_which_its_money_was_seen(at_work: ManagerAtWork) -> None:
    """Not of the moment at which the model has answered: a stop that filled meanwhile is not in it."""
    turns = at_work.turns()
    at_work.says = opens()
    turns.take(TRADER, at_work.now)

    def falls() -> None:
        at_work.market.quotes["BTC"] = Decimal(97)
        at_work.later(3)
        turns.watch(list(at_work.fleet().values()))

    at_work.later(3)
    while_the_model_thinks(at_work, falls, [])
    turns.take(TRADER, at_work.now)
    trade, point = Trade.objects.get(), EquitySnapshot.objects.latest("ts_ms")
    assert point.ts_ms < trade.close_ts_ms
    turns.take(TRADER, at_work.later())
    assert EquitySnapshot.objects.latest("ts_ms").realized_pnl_usd == trade.net_pnl
