"""The demo's journal stands up to a replay: the checks say today what it says they said then."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest

from demo.sample.plan import SamplePlan
from demo.services import generate
from trading.replay.services import ReplayVerdict, replays

PLAN = SamplePlan(traders=3, days=12, trades=60, seed=3, end=datetime(2026, 11, 1, tzinfo=UTC))


@pytest.mark.django_db
def test_every_decision_replays_with_no_difference() -> None:
    generate(PLAN)

    found = [replay for trader in ("momentum_btc", "reversion_eth", "breakout_sol") for replay in replays(trader)]

    assert [replay.differences for replay in found if replay.differences] == []
    assert Counter(replay.verdict for replay in found).keys() == {ReplayVerdict.AGREES}
