"""The manager's loop, with its threads: what is left of a turn that failed does not wait for the trader's next beat."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from tests.factories import make_trader, save_edit, sync_traders
from tests.manager_factories import ManagerAtWork, SetMarket, journalled, opens
from tests.platform.processes import wait_for
from traders.manager_yaml.declared import CallLimits
from trading.manager import recording
from trading.manager.rules.share import FleetShare
from trading.manager.running.making import Workshop
from trading.manager.running.runner import KNOWN_FOR_SECONDS, Runner, TurnsFailed
from trading.manager_models import ManagerOrder
from trading.models import Position

pytestmark = pytest.mark.django_db(transaction=True)
TRADER = "steady_long"


def runner_of(decider: ManagerAtWork) -> Runner:
    workshop = Workshop(
        make_market=lambda provider: SetMarket({"BTC": Decimal(100)}),
        make_decider=lambda spec: decider,
        limits=CallLimits(at_once=2, timeout_seconds=30.0),
        stop_file=Path("/nowhere/STOP"),
        exchange_types={"paper_trading": "sim"},
    )
    return Runner(FleetShare(), workshop)


@contextmanager
def running(decider: ManagerAtWork) -> Iterator[Runner]:
    runner = runner_of(decider)
    thread = threading.Thread(target=runner.run)
    thread.start()
    try:
        yield runner
    finally:
        runner.stop.set()
        thread.join()
        for other in threading.enumerate():
            if other.name.startswith("manager "):
                other.join()


def test_an_entry_whose_record_failed_is_in_it_before_the_next_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    sync_traders(make_trader(TRADER, detail__auto_start=True, detail__llm__decision_interval_seconds=3600))
    write, failed = recording.cycle, threading.Event()

    def lost_once(*given: Any) -> None:
        if not failed.is_set():
            failed.set()
            raise OperationalError("the server closed the connection")
        write(*given)

    monkeypatch.setattr(recording, "cycle", lost_once)
    decider = ManagerAtWork(says=opens())
    with running(decider) as runner:
        wait_for(lambda: TRADER in runner._due)
        runner._due[TRADER] = timezone.now()
        wait_for(failed.is_set)
        wait_for(lambda: Position.objects.filter(status="open").exists())
    assert len(decider.asked) == 1
    assert not ManagerOrder.objects.filter(state="filled", is_recorded=False).exists()


def test_what_is_saved_while_cycles_of_another_manager_are_finished_runs_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sync_traders(make_trader(TRADER, detail__auto_start=True))
    runner = runner_of(ManagerAtWork())
    monkeypatch.setattr(runner._turns, "begin", lambda names: save_edit(TRADER, detail__risk__max_positions=2))
    try:
        assert runner._read()
        assert runner._fleet[TRADER].version == 2
    finally:
        runner._lock.release()


def test_a_turn_that_had_to_wait_runs_the_version_that_is_in_force_when_it_begins() -> None:
    sync_traders(make_trader(TRADER, detail__auto_start=True))
    runner = runner_of(ManagerAtWork(says=[]))
    try:
        assert runner._read()
        save_edit(TRADER, detail__risk__max_positions=2)
        runner._read_at -= KNOWN_FOR_SECONDS
        runner._turn(TRADER, timezone.now())
        assert journalled().config_version == 2
    finally:
        runner._lock.release()


def test_a_fleet_that_cannot_be_read_for_a_while_ends_no_manager(monkeypatch: pytest.MonkeyPatch) -> None:
    sync_traders(make_trader(TRADER, detail__auto_start=True, detail__llm__decision_interval_seconds=3600))
    decider, failed = ManagerAtWork(says=[]), threading.Event()

    def cannot_be_read(*given: Any) -> Any:
        failed.set()
        raise ValueError("a row of another program")

    with running(decider) as runner:
        wait_for(lambda: TRADER in runner._due)
        with monkeypatch.context() as while_it_fails:
            while_it_fails.setattr(runner._reader, "read", cannot_be_read)
            wait_for(failed.is_set)
        runner._due[TRADER] = timezone.now()
        wait_for(lambda: bool(decider.asked))


def test_once_gives_each_trader_its_turn_although_one_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    sync_traders(make_trader("a_first", detail__auto_start=True), make_trader("b_last", detail__auto_start=True))
    decider = ManagerAtWork(says=[])
    runner = runner_of(decider)
    take = runner._turns.take

    def fails_for_the_first(trader_id: str, *given: Any) -> None:
        if trader_id == "a_first":
            raise ValueError("a row of another program")
        take(trader_id, *given)

    monkeypatch.setattr(runner._turns, "take", fails_for_the_first)

    with pytest.raises(TurnsFailed, match="The turn of a_first failed"):
        runner.once()
    assert [request.trader_id for request in decider.asked] == ["b_last"]
