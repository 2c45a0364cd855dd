"""A cycle: what a trader sees, what its model decides, what is done about it, and what stays in the record."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.factories import make_trader, save_edit, sync_traders
from tests.manager_factories import Manager, closes, journalled, make_manager, opens
from traders.models import TraderRuntimeState
from traders.schema.prompts import read_prompt
from traders.schema.settings.fleet import FLEET_ID
from trading.guards.queries import outcomes
from trading.guards.rules.streaks import Outcome
from trading.manager.exchanges.paper import PaperExchange
from trading.manager.protocols import DeciderAnswer, DeciderFailed, DecisionRequest, ExchangeFailed
from trading.manager_models import ManagerCycle, ManagerOrder
from trading.models import ConversationMessage, EquitySnapshot, Position, Trade
from trading.replay.services import replays

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager() -> Manager:
    return make_manager()


def test_a_model_that_waits_leaves_a_decision_equity_and_a_report(manager: Manager) -> None:
    manager.cycle([])
    decision = journalled()
    assert (decision.success, decision.config_version, decision.cycle_number) == (True, 1, 1)
    assert decision.detail["candidates"] == ["BTC", "ETH"]
    assert (decision.detail["usage"]["prompt_tokens"], decision.detail["usage"]["attempts"]) == (100, 1)
    assert EquitySnapshot.objects.get().equity_usd == Decimal(2000)
    report = TraderRuntimeState.objects.get(pk="steady_long")
    assert (report.is_running, report.active_config_version) == (True, 1)
    assert report.detail["allocation"]["equity_usd"] == 2000
    assert ManagerCycle.objects.get().state == "done"
    assert set(ConversationMessage.objects.values_list("role", flat=True)) == {"system", "user", "assistant"}


def test_an_entry_opens_a_position_with_its_stop_and_target(manager: Manager) -> None:
    manager.cycle(opens())
    position = Position.objects.get()
    assert (position.side, position.status, position.quantity) == ("long", "open", Decimal(4))
    # Two basis points of paper slippage.
    assert position.entry_price == Decimal("100.02")
    assert position.detail["versions"] == {"entry": 1}
    by_kind = {order.kind: order for order in ManagerOrder.objects.all()}
    assert position.detail["orders"] == {
        "entry_oid": by_kind["entry"].client_order_id,
        "sl_oid": by_kind["stop"].client_order_id,
        "tp_oid": by_kind["target"].client_order_id,
    }
    assert (by_kind["stop"].state, by_kind["stop"].trigger_price) == ("resting", Decimal(98))
    assert (by_kind["target"].state, by_kind["target"].trigger_price) == ("resting", Decimal(108))
    action = journalled().detail["actions"][0]
    assert (action["ok"], action["order_id"]) == (True, by_kind["entry"].client_order_id)
    # Commission of 4.5 bps of 400.08, and what the slippage costs at the price of now.
    assert EquitySnapshot.objects.get().equity_usd == Decimal(2000) - Decimal("0.180036") - Decimal("0.08")


def test_a_close_makes_the_trade_and_ends_its_stop_and_target(manager: Manager) -> None:
    manager.cycle(opens())
    manager.market.quotes["BTC"] = Decimal(104)
    manager.now += timedelta(seconds=10)
    manager.cycle(closes())
    trade = Trade.objects.get()
    assert trade.detail["prices"] == {"avg_entry": Decimal("100.02"), "avg_exit": Decimal("103.9792")}
    assert [fill["type"] for fill in trade.detail["fills"]] == ["entry", "exit"]
    assert Position.objects.get().status == "closed"
    assert set(ManagerOrder.objects.filter(kind__in=["stop", "target"]).values_list("state", flat=True)) == {
        "cancelled"
    }
    equity = EquitySnapshot.objects.latest("ts_ms")
    assert equity.equity_usd == Decimal(2000) + trade.net_pnl
    assert not ManagerOrder.objects.filter(is_recorded=False).exists()


def test_the_stop_and_target_of_an_entry_outlive_the_close_before_it_in_the_same_cycle(manager: Manager) -> None:
    manager.cycle(opens())
    manager.now += timedelta(seconds=10)
    manager.cycle([closes(), opens(side="sell")])
    assert {one.symbol: one.side for one in Position.objects.filter(status="open")} == {"BTC": "short"}
    orders = ManagerOrder.objects.filter(kind__in=["stop", "target"]).order_by("kind", "sent_at")
    assert [(one.kind, one.side, one.state) for one in orders] == [
        ("stop", "long", "cancelled"),
        ("stop", "short", "resting"),
        ("target", "long", "cancelled"),
        ("target", "short", "resting"),
    ]


def test_an_exchange_that_does_not_answer_is_an_error_of_a_decision_whose_replay_does_not_differ(
    manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*asked: object) -> None:
        raise ExchangeFailed("timed out")

    monkeypatch.setattr(PaperExchange, "place", fail)
    manager.cycle(opens())
    [action] = journalled().detail["actions"]
    assert (action["ok"], action["refused_by"]) == (False, ["no_answer"])
    assert action["error"] == "the exchange did not answer: timed out"
    assert [str(one.verdict) for one in replays(manager.trader_id)] == ["incomplete"]
    assert [outcome for _number, outcome in outcomes(manager.trader_id, since=None, most=5)] == [Outcome.ERROR]


def test_what_a_check_refuses_sends_no_order(manager: Manager) -> None:
    manager.cycle(opens(position_size_usd=100_000))
    [action] = journalled().detail["actions"]
    assert not action["ok"]
    assert "max_position_size_usd" in action["refused_by"]
    assert not ManagerOrder.objects.exists()


def test_a_control_between_decision_and_order_stops_the_entry_and_no_exit(manager: Manager) -> None:
    manager.cycle(opens())
    manager.now += timedelta(seconds=10)
    manager.before_orders = lambda: "fleet stop"
    manager.cycle([closes(), opens("ETH", entry_price=10.01, stop_loss=9.8, take_profit=10.8)])
    done = {action["symbol"]: action for action in journalled().detail["actions"]}
    assert done["BTC"]["ok"]
    assert done["ETH"]["refused_by"] == ["superseded"]
    assert done["ETH"]["error"] == "fleet stop"
    assert not Position.objects.filter(status="open").exists()


def test_a_decision_that_took_too_long_opens_nothing(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    original = manager.ask

    def ask(request: DecisionRequest) -> DeciderAnswer:
        manager.now += timedelta(seconds=61)
        return original(request)

    monkeypatch.setattr(manager, "ask", ask)
    manager.cycle(opens())
    [action] = journalled().detail["actions"]
    assert action["refused_by"] == ["stale_prices"]


def test_a_model_that_fails_is_journalled_and_asked_again_in_the_next_cycle(manager: Manager) -> None:
    manager.cycle(DeciderFailed("no answer within 60 s", attempts=3))
    failed = journalled()
    assert (failed.success, failed.detail["usage"]) == (False, {"attempts": 3})
    assert failed.detail["error"] == "the model gave no answer: no answer within 60 s"
    manager.now += timedelta(seconds=1)
    manager.cycle([])
    assert (journalled().success, journalled().cycle_number) == (True, 2)


def test_an_answer_that_cannot_be_read_does_nothing(manager: Manager) -> None:
    manager.cycle("I would buy.")
    assert "the answer cannot be read" in journalled().detail["error"]
    assert not ManagerOrder.objects.exists()


@pytest.mark.parametrize("gone", ["stale", "missing"])
def test_without_a_fresh_price_no_model_is_asked(manager: Manager, gone: str) -> None:
    if gone == "stale":
        manager.market.at = manager.now - timedelta(seconds=61)
    else:
        manager.market.quotes.clear()
    manager.cycle([])
    assert manager.asked == []
    assert "no candidate has a fresh price" in journalled().detail["error"]


def test_a_prompt_that_is_not_what_was_configured_skips_the_cycle_and_keeps_positions(manager: Manager) -> None:
    manager.cycle(opens())
    sync_traders(make_trader(detail__auto_start=True, detail__prompts__executor_version="v9"))
    asked = len(manager.asked)
    manager.now += timedelta(seconds=1)
    manager.cycle(closes())
    assert len(manager.asked) == asked
    assert "is of Version v1.0.0, and v9 is expected" in journalled().detail["error"]
    assert Position.objects.get().status == "open"


def test_the_same_cycle_sends_no_order_twice(manager: Manager) -> None:
    manager.cycle(opens())
    first = ManagerOrder.objects.get(kind="entry")
    standing = manager.exchange.find("steady_long", first.client_order_id)
    assert standing is not None
    price = manager.market.prices(["BTC"], manager.now)["BTC"]
    assert manager.exchange.place(standing.asked, price, manager.now) == standing
    assert ManagerOrder.objects.filter(kind="entry").count() == 1


def test_the_model_gets_both_prompts_rendered_with_what_the_trader_sees(manager: Manager) -> None:
    executor = read_prompt("prompts/executor/seen.tmpl", b"{{ .CandidateCoins }}, {{ .Config.MaxPositions }} at most")
    system = read_prompt("prompts/manager/named.tmpl", b"You are {{ .Trader.Name }}.")
    sync_traders(
        make_trader(
            detail__auto_start=True,
            detail__prompts__executor_template=executor.path,
            detail__prompts__executor_version="",
            detail__prompts__executor_sha256=executor.sha256,
            detail__prompts__system_template=system.path,
            detail__prompts__system_version="",
            detail__prompts__system_sha256=system.sha256,
        ),
        prompts=(executor, system),
    )

    manager.cycle([])

    assert manager.asked[-1].system_text == "You are Steady Long."
    assert manager.asked[-1].user_text == "BTC, ETH, 3 at most"


def test_a_prompt_that_names_a_missing_field_skips_the_cycle_and_says_which(manager: Manager) -> None:
    holed = read_prompt("prompts/executor/holed.tmpl", b"{{ .Config.MaxPositoins }}")
    sync_traders(
        make_trader(
            detail__auto_start=True,
            detail__prompts__executor_template=holed.path,
            detail__prompts__executor_version="",
            detail__prompts__executor_sha256=holed.sha256,
        ),
        prompts=(holed,),
    )

    record = manager.cycle([])

    assert manager.asked == []
    assert "holed.tmpl cannot be rendered: line 1: there is no field .Config.MaxPositoins" in (
        record.detail.error or ""
    )


def test_a_position_says_that_its_margin_is_isolated(manager: Manager) -> None:
    manager.cycle(opens())

    assert Position.objects.get().detail["exchange"] == {"provider": "paper_trading", "margin_mode": "isolated"}


def test_an_entry_in_what_is_held_is_an_increase_only_where_the_settings_allow_it(manager: Manager) -> None:
    manager.cycle(opens(position_size_usd=200))
    manager.now += timedelta(seconds=10)
    manager.cycle(opens(position_size_usd=200))
    assert journalled().detail["actions"][0]["refused_by"] == ["already_held"]

    sync_traders(make_trader(detail__auto_start=True, detail__risk__allow_increase=True))
    manager.now += timedelta(seconds=10)
    manager.cycle(opens(position_size_usd=200))
    position = Position.objects.get()
    assert (position.quantity, position.status) == (Decimal(4), "open")
    assert ManagerOrder.objects.filter(kind="stop").count() == 1

    manager.now += timedelta(seconds=10)
    manager.cycle(opens(position_size_usd=200))
    # 400 USD are held, and 500 are allowed.
    assert "max_position_size_usd" in journalled().detail["actions"][0]["refused_by"]


def limit_the_fleet(**limits: Any) -> None:
    save_edit(FLEET_ID, **{f"detail__manager__{name}": value for name, value in limits.items()})


def refused() -> list[tuple[str, list[str] | None, str | None]]:
    return [(one["symbol"], one.get("refused_by"), one.get("error")) for one in journalled().detail["actions"]]


def test_the_entry_that_would_exceed_the_fleets_gross_exposure_is_refused_with_the_figures(manager: Manager) -> None:
    limit_the_fleet(fleet_max_gross_exposure_x=Decimal("0.3"))
    manager.cycle([])  # the fleet's equity is known from its first report on
    manager.now += timedelta(seconds=10)
    in_eth = opens("ETH", entry_price=10.01, stop_loss=9.8, take_profit=10.8)
    manager.cycle([opens(), in_eth])
    assert refused() == [
        ("BTC", None, None),
        # The first entry of the same cycle counts, although it is in no position yet.
        (
            "ETH",
            ["fleet_exposure"],
            "with this entry, Fleet's gross exposure: 0.4 x equity of 0.3 x equity (133 %)",
        ),
    ]
    assert set(ManagerOrder.objects.values_list("symbol", flat=True)) == {"BTC"}


def test_only_an_entry_that_adds_to_the_net_exposure_of_its_underlying_is_refused(manager: Manager) -> None:
    manager.cycle(opens())
    limit_the_fleet(fleet_max_net_exposure_pct_per_underlying=Decimal(10))
    manager.now += timedelta(seconds=10)
    manager.cycle([closes(), opens(side="sell", position_size_usd=180)])
    assert [one[1] for one in refused()] == [None, None]
    manager.now += timedelta(seconds=10)
    manager.cycle(opens("ETH", entry_price=10.01, stop_loss=9.8, take_profit=10.8, position_size_usd=300))
    assert refused()[0][1] == ["fleet_exposure"]


def test_without_any_known_equity_of_the_fleet_its_exposure_limits_let_no_entry_pass(manager: Manager) -> None:
    limit_the_fleet(fleet_max_gross_exposure_x=Decimal(10))
    manager.cycle(opens())
    assert refused() == [
        ("BTC", ["fleet_exposure"], "with this entry, Fleet's gross exposure: not known yet, limit 10 x equity")
    ]
