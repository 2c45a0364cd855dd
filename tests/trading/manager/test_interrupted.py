"""Cycles in whose middle a manager ended, or a turn failed: finished by the next one, without a new entry."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from tests.factories import save_edit
from tests.manager_factories import ManagerAtWork, actions, closes, journalled, opens
from tests.trading_factories import make_position
from traders.models import TraderRuntimeState
from traders.schema.messages import verbatim
from trading.manager.exchanges.paper import PaperExchange
from trading.manager.running.making import DeciderMaker
from trading.manager.sight import CannotDecide
from trading.manager_models import ManagerCycle, ManagerOrder
from trading.models import DecisionJournal, Position, Trade
from trading.record.writing import parts, positions
from trading.schema.common import EventKind, PositionEvent, Side
from trading.schema.position import Entry

pytestmark = pytest.mark.django_db
TRADER = "steady_long"


class Ended(BaseException):
    """The manager is killed."""


def test_a_cycle_without_an_answer_failed_and_the_next_has_the_next_number(at_work: ManagerAtWork) -> None:
    at_work.turns().take(TRADER, at_work.now)
    ManagerCycle.objects.update(state="asked", number=2)
    turns = at_work.turns()
    turns.begin([TRADER])
    assert "interrupted" in journalled().detail["error"]
    turns.take(TRADER, at_work.later())
    assert (journalled().success, ManagerCycle.objects.get().number) == (True, 3)


@pytest.mark.parametrize("sent", [0, 1, 2, 3])
def test_an_interrupted_cycle_sends_no_entry_and_follows_those_it_sent(
    at_work: ManagerAtWork, sent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before its entry, after it, after its stop, or after its target, before anything is in the record."""
    place = PaperExchange.place
    placed: list[Any] = []

    def until_killed(self: PaperExchange, *order: Any) -> Any:
        if len(placed) == sent:
            raise Ended
        placed.append(order)
        return place(self, *order)

    def killed(*_: object) -> None:
        raise Ended

    at_work.says = opens()
    monkeypatch.setattr(PaperExchange, "place", until_killed)
    monkeypatch.setattr("trading.manager.recording.cycle", killed)
    with pytest.raises(Ended):
        at_work.turns().take(TRADER, at_work.now)
    monkeypatch.undo()
    assert ManagerCycle.objects.get().state == "answered"
    at_work.later(5)
    turns = at_work.turns()
    turns.begin([TRADER])
    kinds = sorted(ManagerOrder.objects.values_list("kind", flat=True))
    if sent == 0:
        assert kinds == []
        assert actions()[0]["refused_by"] == ["interrupted"]
    else:
        assert kinds == ["entry", "stop", "target"]
        assert Position.objects.get().detail["orders"]["sl_oid"]
        assert actions()[0]["ok"]
    assert DecisionJournal.objects.count() == 1
    turns.begin([TRADER])
    assert DecisionJournal.objects.count() == 1


@pytest.mark.parametrize("answered", ["", "ETH"])
def test_stops_are_watched_while_an_interrupted_cycle_cannot_be_finished(
    at_work: ManagerAtWork, answered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those aside in which the cycle has decided: its orders are looked up first."""
    turns = at_work.turns()
    at_work.says = [opens(), opens("ETH")]
    at_work.market.quotes["ETH"] = Decimal(100)
    turns.take(TRADER, at_work.now)
    assert [taken["ok"] for taken in actions()] == [True, True], actions()
    at_work.says = [closes("ETH")] if answered else Ended()
    if answered:
        monkeypatch.setattr("trading.manager.recording.cycle", _killed)
    with pytest.raises(Ended):
        turns.take(TRADER, at_work.later())
    monkeypatch.undo()
    orders = ManagerOrder.objects.filter(symbol="ETH", kind="exit").count()
    assert orders == bool(answered)

    # The market has no price of ETH, which is held, so that the next manager cannot finish the cycle.
    eth = at_work.market.quotes.pop("ETH")
    turns = at_work.turns()
    monkeypatch.setattr("trading.manager.running.turns.interrupted", _cannot_decide)
    turns.begin([TRADER])
    at_work.market.quotes["BTC"] = Decimal(97)
    at_work.later(3)
    turns.watch(list(at_work.fleet().values()))
    assert Trade.objects.get().symbol == "BTC"
    turns.take(TRADER, at_work.later())
    error = TraderRuntimeState.objects.get(pk=TRADER).detail.get("last_error")
    assert ("stops of ETH" in str(error)) == bool(answered)

    # Then it can.
    at_work.says = []
    at_work.market.quotes["ETH"] = eth
    monkeypatch.undo()
    turns.take(TRADER, at_work.later())
    turns.watch(list(at_work.fleet().values()))
    assert sorted(Trade.objects.values_list("symbol", flat=True)) == (["BTC", "ETH"] if answered else ["BTC"])
    assert ManagerOrder.objects.filter(is_recorded=False, state="filled").count() == 0


def killed_after(at_work: ManagerAtWork, answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the model answered, where there is no answer; else before its orders are in the record."""
    at_work.says = answer or Ended()
    turns = at_work.turns()
    with monkeypatch.context() as killing:
        if answer:
            killing.setattr("trading.manager.recording.cycle", _killed)
        with pytest.raises(Ended):
            turns.take(TRADER, at_work.later())


@pytest.fixture(params=["no model", "no file of models that can be read", "no exchange", "a real exchange"])
def lacking(request: pytest.FixtureRequest, at_work: ManagerAtWork, tmp_path: Path, settings: Any) -> Callable[[], str]:
    """Takes something away that the cycle began with. Returns why the trader is not run any more."""
    settings.MANAGER_YAML, settings.LLM_ENDPOINTS = tmp_path / "manager.yaml", {}
    (tmp_path / "llm.yaml").write_text("models: [" if "file" in request.param else "models: {other: {}}")

    def take_away() -> str:
        if "model" in request.param:
            at_work.make_decider = DeciderMaker()
            return "its model cannot be asked" if "file" in request.param else "is not in llm.yaml"
        at_work.exchange_types = {"paper_trading": "hyperliquid"} if "real" in request.param else {}
        return "its exchange paper_trading is of type"

    return take_away


def test_an_answered_cycle_is_finished_without_what_it_began_with(
    at_work: ManagerAtWork, lacking: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_after(at_work, opens(), monkeypatch)
    lacking()
    turns = at_work.turns()
    turns.begin([TRADER])

    assert ManagerCycle.objects.get().state == "done"
    assert [taken["ok"] for taken in actions()] == [True]
    assert Position.objects.get().detail["orders"]["sl_oid"]
    assert at_work.said == []


def test_a_cycle_without_an_answer_fails_without_what_it_began_with(
    at_work: ManagerAtWork, lacking: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work.says = opens()
    at_work.turns().take(TRADER, at_work.now)
    killed_after(at_work, None, monkeypatch)
    why, asked = lacking(), len(at_work.asked)
    at_work.turns().begin([TRADER])

    assert ManagerCycle.objects.get().state == "done"
    error = journalled().detail["error"]
    assert error.startswith("interrupted: the manager ended before the model answered")
    assert (why in error) == (at_work.make_decider is not None)
    assert Position.objects.get().status == "open"
    assert len(at_work.asked) == asked


def test_a_cycle_that_waits_for_a_price_is_finished_later_without_its_model(
    at_work: ManagerAtWork, lacking: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work.says = [opens(), opens("ETH")]
    at_work.market.quotes["ETH"] = Decimal(100)
    at_work.turns().take(TRADER, at_work.now)
    killed_after(at_work, [closes("ETH")], monkeypatch)
    why = lacking()
    eth = at_work.market.quotes.pop("ETH")
    turns = at_work.turns()
    turns.begin([TRADER])
    turns.take(TRADER, at_work.later())
    turns.take(TRADER, at_work.later())
    later = [text for text in at_work.said if "is finished later: no fresh price of ETH" in text]
    assert len(later) == 1
    assert "the stops of ETH" in later[0]
    assert sum(why in text for text in at_work.said) == 1
    assert ManagerCycle.objects.get().state == "answered"

    at_work.market.quotes["ETH"] = eth
    turns.take(TRADER, at_work.later())
    assert ManagerCycle.objects.get().state == "done"
    assert Trade.objects.get().symbol == "ETH"
    assert ManagerOrder.objects.filter(kind="exit").count() == 1


@pytest.mark.parametrize("side", [Side.LONG, Side.SHORT])
def test_an_interrupted_close_leaves_a_position_that_was_opened_since(
    at_work: ManagerAtWork, side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another engine has run the trader in between: its position is not the one that the model closed."""
    at_work.says = opens()
    at_work.turns().take(TRADER, at_work.now)
    killed_after(at_work, [closes()], monkeypatch)
    positions.close_position(trader_id=TRADER, symbol="BTC", price=Decimal(101), closed_at_ns=at_ms(at_work) * 10**6)
    at_work.later(5)
    positions.open_position(trader_id=TRADER, symbol="BTC", side=side, detail=make_position(opened_ms=at_ms(at_work)))
    at_work.turns().begin([TRADER])

    assert Position.objects.get(status="open").side == side
    assert Trade.objects.count() == 1
    assert actions()[0]["error"] == "the position was closed meanwhile, and another one was opened"


def test_the_fill_of_an_interrupted_entry_joins_no_position_that_was_opened_since(
    at_work: ManagerAtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_after(at_work, opens(), monkeypatch)
    at_work.later(5)
    positions.open_position(
        trader_id=TRADER, symbol="BTC", side=Side.LONG, detail=make_position(opened_ms=at_ms(at_work))
    )
    turns = at_work.turns()
    turns.begin([TRADER])
    turns.watch(list(at_work.fleet().values()))

    assert Position.objects.get().detail["entry"]["quantity"] == Decimal("0.010")
    assert (actions()[0]["ok"], actions()[0]["error"]) == (False, "the symbol was opened meanwhile")
    assert not ManagerOrder.objects.filter(kind="entry", is_recorded=False).exists()


def test_an_interrupted_close_goes_to_the_position_that_was_increased_since(
    at_work: ManagerAtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work.says = opens()
    at_work.turns().take(TRADER, at_work.now)
    killed_after(at_work, [closes()], monkeypatch)
    at_work.later(5)
    more = PositionEvent(kind=EventKind.INCREASE, at_ms=at_ms(at_work), price=Decimal(101), quantity=Decimal(1))
    parts.record_event(TRADER, "BTC", more)
    at_work.turns().begin([TRADER])

    assert not Position.objects.filter(status="open").exists()
    assert actions()[0]["ok"]


def fill_the_stop_without_its_record(at_work: ManagerAtWork) -> None:
    """The manager ends between the two."""
    at_work.market.quotes["BTC"] = Decimal(97)
    at_work.later(3)
    with pytest.MonkeyPatch.context() as killing:
        killing.setattr("trading.manager.recording.exit_filled", _killed)
        with pytest.raises(Ended):
            at_work.turns().watch(list(at_work.fleet().values()))


def filled() -> list[str]:
    return sorted(ManagerOrder.objects.filter(state="filled", is_recorded=True).values_list("kind", flat=True))


def test_a_stop_whose_record_failed_is_in_it_before_an_exit_is_sent(at_work: ManagerAtWork) -> None:
    turns = at_work.turns()
    at_work.says = opens()
    turns.take(TRADER, at_work.now)
    fill_the_stop_without_its_record(at_work)
    at_work.says = [closes()]
    turns.take(TRADER, at_work.later())

    assert filled() == ["entry", "stop"]
    assert Trade.objects.get().detail["prices"]["avg_exit"] == 97
    assert actions()[0]["refused_by"] == ["superseded"]


def test_an_interrupted_close_sends_no_exit_where_the_stop_had_filled(
    at_work: ManagerAtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work.says = opens()
    at_work.turns().take(TRADER, at_work.now)

    def says(_request: object) -> Any:
        fill_the_stop_without_its_record(at_work)
        return [closes()]

    with monkeypatch.context() as killing:
        killing.setattr("trading.manager.cycle.carry_on", _killed)
        at_work.says = says
        with pytest.raises(Ended):
            at_work.turns().take(TRADER, at_work.later())
    assert ManagerCycle.objects.get().state == "answered"
    at_work.turns().begin([TRADER])

    assert filled() == ["entry", "stop"]
    assert Trade.objects.get().detail["prices"]["avg_exit"] == 97


def test_a_fill_without_its_record_ends_no_position_that_was_opened_since(at_work: ManagerAtWork) -> None:
    at_work.says = opens()
    at_work.turns().take(TRADER, at_work.now)
    fill_the_stop_without_its_record(at_work)
    positions.close_position(trader_id=TRADER, symbol="BTC", price=Decimal(101), closed_at_ns=at_ms(at_work) * 10**6)
    at_work.later(5)
    entry = Entry(price=Decimal(97), quantity=Decimal(1), time_ms=at_ms(at_work))
    positions.open_position(trader_id=TRADER, symbol="BTC", side=Side.LONG, detail=make_position(entry=entry))
    at_work.turns().watch(list(at_work.fleet().values()))

    assert Position.objects.filter(status="open").count() == 1
    assert filled() == ["entry", "stop"]


def at_ms(at_work: ManagerAtWork) -> int:
    return int(at_work.now.timestamp() * 1000)


def test_stops_are_watched_while_the_model_of_an_interrupted_cycle_is_missing(
    at_work: ManagerAtWork, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MANAGER_YAML, settings.LLM_ENDPOINTS = tmp_path / "manager.yaml", {}
    killed_after(at_work, opens(), monkeypatch)
    (tmp_path / "llm.yaml").write_text("models: {other: {}}")
    at_work.make_decider = DeciderMaker()
    turns = at_work.turns()
    turns.begin([TRADER])
    turns.take(TRADER, at_work.later())
    at_work.market.quotes["BTC"] = Decimal(97)
    at_work.later(3)
    turns.watch(list(at_work.fleet().values()))

    assert Trade.objects.get().detail["prices"]["avg_exit"] == 97


def _killed(*_: object) -> None:
    raise Ended


def test_an_interrupted_cycle_is_finished_under_the_version_that_began_it(
    at_work: ManagerAtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version that was saved since would refuse what is filled already: it would be in no record."""

    def killed(*_: object) -> None:
        raise Ended

    at_work.says = opens()
    monkeypatch.setattr("trading.manager.recording.cycle", killed)
    with pytest.raises(Ended):
        at_work.turns().take(TRADER, at_work.now)
    monkeypatch.undo()
    save_edit(TRADER, detail__risk__min_confidence=99)
    at_work.later(5)
    at_work.turns().begin([TRADER])
    assert (journalled().config_version, actions()[0]["ok"]) == (1, True)
    assert Position.objects.get().status == "open"
    at_work.turns().take(TRADER, at_work.later())
    assert journalled().config_version == 2


def test_a_turn_that_failed_behind_its_entry_is_finished_before_the_next_cycle(
    at_work: ManagerAtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object) -> None:
        raise OperationalError("the server closed the connection")

    turns = at_work.turns()
    at_work.says = opens()
    monkeypatch.setattr("trading.manager.recording.cycle", lost)
    with pytest.raises(OperationalError):
        turns.take(TRADER, at_work.now)
    monkeypatch.undo()
    at_work.says = []
    turns.take(TRADER, at_work.later())
    assert Position.objects.get().status == "open"
    assert ManagerOrder.objects.filter(is_recorded=False, state="filled").count() == 0
    turns.take(TRADER, at_work.later())
    assert list(DecisionJournal.objects.order_by("id").values_list("cycle_number", flat=True)) == [1, 2]


def _cannot_decide(*_: object) -> None:
    raise CannotDecide(verbatim("no price"))
