"""Calls of models: so many at once and no more, and each within its time."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from tests.factories import make_trader
from trading.manager.protocols import DeciderAnswer, DeciderFailed, DecisionRequest
from trading.manager.running.asking import Asker
from trading.replay.rules.checks.moment import DecisionMoment


@dataclass
class SlowDecider:
    """It answers once `may_answer` is set."""

    may_answer: threading.Event = field(default_factory=threading.Event)
    is_asked: threading.Event = field(default_factory=threading.Event)

    def decide(self, request: DecisionRequest) -> DeciderAnswer:
        self.is_asked.set()
        self.may_answer.wait()
        return DeciderAnswer("[]", "slow")


def request(seconds: float) -> DecisionRequest:
    moment, settings = DecisionMoment(datetime(2026, 1, 8, tzinfo=UTC)), make_trader("long").detail
    return DecisionRequest("long", 1, "", "Be calm.", "Decide.", seconds, moment, settings)


def test_a_call_that_hangs_fails_in_time_and_keeps_its_place_until_it_ends() -> None:
    asker, slow = Asker(1), SlowDecider()
    try:
        with pytest.raises(DeciderFailed, match=r"no answer within 0\.05 s"):
            asker.ask(slow, request(0.05))
        assert slow.is_asked.wait(30)
        with pytest.raises(DeciderFailed, match=r"all 1 calls at once were in use for 0\.05 s"):
            asker.ask(slow, request(0.05))
    finally:
        slow.may_answer.set()
    assert asker.ask(slow, request(30)).model == "slow"


def test_a_call_that_waits_holds_up_no_other_while_there_is_a_place() -> None:
    asker, slow, quick = Asker(2), SlowDecider(), SlowDecider()
    quick.may_answer.set()
    found: list[DeciderAnswer] = []
    waiting = threading.Thread(target=lambda: found.append(asker.ask(slow, request(60))))
    waiting.start()
    try:
        assert slow.is_asked.wait(30)
        assert asker.ask(quick, request(30)).text == "[]"
        assert found == []
    finally:
        slow.may_answer.set()
        waiting.join()
    assert len(found) == 1


def test_whatever_a_decider_raises_is_a_model_that_failed() -> None:
    class Broken:
        def decide(self, request: DecisionRequest) -> DeciderAnswer:
            raise ZeroDivisionError("by nothing")

    with pytest.raises(DeciderFailed, match="ZeroDivisionError: by nothing"):
        Asker(1).ask(Broken(), request(30))
