"""The live store follows what was set aside, and verify finds nothing."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from tests.trading.exclusion_record import ALPHA, POSITION, aside, equity_key, record_alpha, trade_key, undone
from trading.live import keys
from trading.live import services as live
from trading.live.redis import store
from trading.live.upkeep import verify as live_verify
from trading.schema.exclusion import RecordKey
from trading.schema.live_store.answers import FreshValue, MissingValue

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def decision() -> RecordKey:
    made = record_alpha()
    live.rebuild_all()
    return made


def value(key: keys.Key) -> Any:
    answer = store.read_one(key, ALPHA)
    assert isinstance(answer, FreshValue)
    return answer.value


def test_everything_set_aside_is_gone_from_the_store_and_comes_back(
    decision: RecordKey, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        change = aside(*(trade_key(n) for n in range(3)), POSITION, decision, equity_key(0))
    assert value(keys.TRADES_RECENT).trades == ()
    assert value(keys.POSITIONS).positions == {}
    assert value(keys.ANALYTICS).trades == 0
    assert value(keys.SINCE_INCEPTION).decisions == 0
    assert isinstance(store.read_one(keys.DECISION_LAST, ALPHA), MissingValue)
    assert isinstance(store.read_conversations([ALPHA])[ALPHA], MissingValue)
    assert live_verify.verify().differences == ()

    with django_capture_on_commit_callbacks(execute=True):
        undone(*(entry.key for entry in change.entries))
    assert value(keys.ANALYTICS).trades == 3
    assert isinstance(store.read_conversations([ALPHA])[ALPHA], FreshValue)
    assert live_verify.verify().differences == ()


def test_a_store_filled_anew_has_nothing_that_was_set_aside(decision: RecordKey) -> None:
    aside(decision, POSITION)
    live.rebuild_all()
    assert live_verify.verify().differences == ()
    assert isinstance(store.read_conversations([ALPHA])[ALPHA], MissingValue)
