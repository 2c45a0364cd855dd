"""On a server in cluster mode, which refuses every command and script that names keys of two slots."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live_factories import make_price
from tests.platform.processes import free_port, wait_for
from tests.trading.live import big_fleet
from tests.trading.live.servers import OwnServer, own_server
from trading.live import keys
from trading.live import services as live
from trading.live.redis import store
from trading.live.switch import mirror as live_mirror
from trading.live.switch import services as live_switch
from trading.live.upkeep import sweeping as live_sweep
from trading.live.upkeep import verify as live_verify
from trading.schema.live_store.answers import FreshValue

pytestmark = pytest.mark.django_db


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[OwnServer]:
    options = ("--cluster-enabled", "yes", "--port", str(free_port()), "--cluster-port", str(free_port()))
    with own_server(*options, "--dir", str(tmp_path)) as server:
        server.client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        wait_for(lambda: server.client.execute_command("CLUSTER INFO").get("cluster_state") == "ok")
        yield server


def test_the_whole_way_forth_and_back(cluster: OwnServer) -> None:
    names = big_fleet.fill(3)
    big_fleet.as_old_layout()
    live_switch.enter_dual()
    assert live_verify.verify().differences == ()
    live_switch.cutover()
    assert live_switch.clean_up().total > 15
    live.quoted({"BTC": make_price()})
    assert live_verify.verify().differences == ()
    assert isinstance(store.read_one(keys.POSITIONS, names[0]), FreshValue)
    live_switch.rollback()
    assert live_verify.verify().differences == ()
    assert next(live_mirror.rounds()).round is not None
    live_sweep.sweep()
    live_switch.rollback()
