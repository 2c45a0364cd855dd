"""Two who switch at once: one of them does, the other is told."""

from __future__ import annotations

import pytest
from django_redis import get_redis_connection

from tests.at_once import at_once
from tests.trading.live import big_fleet
from trading.live import services as live
from trading.live.migration.modes import LayoutMode
from trading.live.redis.mode import ModeOutdated, ModeState, follower, switch
from trading.live.switch import services as live_switch
from trading.live.upkeep import verify as live_verify


@pytest.fixture
def dual() -> ModeState:
    switch(get_redis_connection("default"), LayoutMode.DUAL, 0)
    return follower.current(now=True)


def test_a_switch_from_a_mode_that_is_past_changes_nothing(dual: ModeState) -> None:
    redis = get_redis_connection("default")
    newer = switch(redis, LayoutMode.DUAL, 25)

    with pytest.raises(ModeOutdated, match="it is now dual, 25 % of reads from the new layout"):
        switch(redis, LayoutMode.LEGACY, 0, seen=dual.revision)

    assert follower.current(now=True) == newer


@pytest.mark.django_db(transaction=True)
def test_of_many_switches_from_the_same_mode_one_is_taken(dual: ModeState) -> None:
    redis = get_redis_connection("default")

    found = at_once(
        *(lambda share=share: switch(redis, LayoutMode.DUAL, share, seen=dual.revision) for share in range(1, 9))
    )

    [taken] = [one for one in found if isinstance(one, ModeState)]
    assert sum(isinstance(one, ModeOutdated) for one in found) == 7
    assert follower.current(now=True) == taken


@pytest.mark.django_db(transaction=True)
def test_a_cut_over_and_a_rollback_of_the_same_moment_are_not_both_taken() -> None:
    big_fleet.fill(2)
    live_switch.rollback()
    live.rebuild_all()
    assert live_verify.verify().passed
    seen = live_switch.current().revision

    found = at_once(lambda: live_switch.cutover(seen=seen), lambda: live_switch.rollback(seen=seen))

    [taken] = [one for one in found if isinstance(one, live_switch.SwitchStep)]
    assert [type(one) for one in found].count(ModeOutdated) == 1
    assert live_switch.current() == taken.state


@pytest.mark.django_db
def test_every_step_refuses_a_mode_that_is_past(dual: ModeState) -> None:
    now = switch(get_redis_connection("default"), LayoutMode.DUAL, 50)

    for step in (live_switch.enter_dual, live_switch.cutover, live_switch.rollback, live_switch.clean_up):
        with pytest.raises(ModeOutdated):
            step(seen=dual.revision)
    with pytest.raises(ModeOutdated):
        live_switch.to_mode(LayoutMode.DUAL, read_new_pct=10, seen=dual.revision)

    assert live_switch.current() == now
