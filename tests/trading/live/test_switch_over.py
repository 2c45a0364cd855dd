"""A hundred traders switched over from the old layout and back while others write and read without pause."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django_redis import get_redis_connection

from tests.trading.live import big_fleet
from trading.live import keys
from trading.live.migration.modes import LayoutMode
from trading.live.switch import services as live_switch
from trading.live.upkeep import verify as live_verify

pytestmark = pytest.mark.slow

TEN = {key.name for key in keys.KEYS} - {keys.MARKET_ASSET.name}
BESIDE = {keys.CONTROL, keys.LEADERBOARD_AS_OF}


@pytest.mark.django_db(transaction=True)
def test_forth_and_back_without_a_wrong_or_missing_read() -> None:
    traders = big_fleet.fill(100)
    big_fleet.as_old_layout()
    assert len(big_fleet.stored_names()) > 600

    with big_fleet.Walk().running() as walk:
        live_switch.enter_dual()
        walk.wait()
        live_switch.to_mode(LayoutMode.DUAL, read_new_pct=30)
        walk.wait()
        verdict = live_verify.verify()
        assert verdict.differences == ()
        assert verdict.checked > 700
        live_switch.cutover()
        walk.wait()
        removed = live_switch.clean_up()
        assert removed.total > 600
        assert removed.conversations == len(traders)
        walk.wait()
        assert big_fleet.patterns() == TEN | BESIDE
        assert live_verify.verify().differences == ()

        live_switch.rollback()
        walk.wait()
        assert live_verify.verify().differences == ()
        live_switch.rollback()
        walk.wait()
        assert live_switch.current().mode == LayoutMode.LEGACY

    assert walk.wrong == []
    assert get_redis_connection("default").type("nof0:conversations:trader_000") == b"string"
    call_command("livestore", "status")
