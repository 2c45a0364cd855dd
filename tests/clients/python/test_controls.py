"""The Python client's loop against the server: leases, controls, acknowledgements."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from clients.python.nof0_control import Client, Config, ControlChange, ControlLoop, NotAllowed, Obeyed
from tests.clients.python.test_client import Site, answering
from tests.engine_client import Engine
from tests.engine_fixtures import EngineWith
from tests.factories import save_edit
from tests.traders.controls.asking import ask, ask_fleet
from traders.models import TraderControl, TraderControlAck
from traders.schema.tokens import Scope

pytestmark = pytest.mark.django_db
TRADERS = ("steady_long", "swift_short")


class RunningEngine:
    """An engine whose clock the test moves."""

    def __init__(self, client: Client) -> None:
        self.now = 0.0
        self.applied: list[tuple[str, int]] = []
        self.obeyed: list[tuple[str, str]] = []
        self.says = Obeyed()
        self.loop = ControlLoop(client, TRADERS, obey=self.obey, apply=self.apply, clock=lambda: self.now)
        self.cursor = self.loop.begin()

    def apply(self, config: Config) -> None:
        self.applied.append((config["config_id"], config["version"]))

    def obey(self, control: ControlChange, trader_id: str) -> Obeyed:
        self.obeyed.append((control["control"], trader_id))
        return self.says

    def beat(self) -> None:
        self.loop.beat([{"trader_id": trader_id} for trader_id in TRADERS])

    def follow(self) -> None:
        self.cursor = self.loop.follow_once(self.cursor, wait_seconds=0)


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def running(engine: Engine, site: Site) -> RunningEngine:
    for trader_id in TRADERS:
        save_edit(trader_id, detail__auto_start=True)
    client = Client("https://control.example.com", engine.token, transport=site, sleep=lambda _seconds: None)
    return RunningEngine(client)


def acks() -> list[tuple[str, str, str]]:
    rows = TraderControlAck.objects.order_by("id")
    return [(row.control.kind, row.trader_id, row.result) for row in rows]


def test_entries_are_allowed_from_a_heartbeat_on_for_as_long_as_the_server_says(running: RunningEngine) -> None:
    assert not running.loop.may_open("steady_long"), "before the first answer nothing is opened"
    running.beat()
    assert running.loop.may_open("steady_long")
    running.now = 29.9
    assert running.loop.may_open("steady_long")
    running.now = 30.0
    assert not running.loop.may_open("steady_long"), "a site that is silent fails closed"
    running.beat()
    assert running.loop.may_open("steady_long")


def test_waiting_for_changes_renews_the_leases_too(running: RunningEngine) -> None:
    running.follow()
    assert [running.loop.may_open(trader_id) for trader_id in TRADERS] == [True, True]


def test_a_ban_ends_the_lease_at_once_and_is_acknowledged(running: RunningEngine) -> None:
    running.beat()
    ask("pause")
    running.follow()
    assert (running.loop.may_open("steady_long"), running.loop.may_open("swift_short")) == (False, True)
    assert running.obeyed == [("pause", "steady_long")]
    assert acks() == [("pause", "steady_long", "done")]
    desired = running.loop.desired("steady_long")
    assert desired is not None
    assert desired["state"] == "entries_banned"


def test_an_answer_that_was_on_its_way_when_a_ban_came_allows_nothing(running: RunningEngine, site: Site) -> None:
    running.now = 5.0
    late = running.loop._client.heartbeats([{"trader_id": "steady_long"}])["runtimes"][0]
    running.now = 6.0
    ask("stop")
    running.follow()
    running.loop._renew({"steady_long": late}, asked_at=5.0)
    assert not running.loop.may_open("steady_long")
    desired = running.loop.desired("steady_long")
    assert desired is not None
    assert desired["state"] == "stopped"


def test_a_tool_gives_an_end_and_an_engine_its_moment(running: RunningEngine) -> None:
    client = running.loop._client
    until = datetime(2090, 1, 1, tzinfo=UTC)
    asked = client.ask("steady_long", "pause", reason="news", until=until)
    assert asked["desired"]["causes"][0]["until"] == "2090-01-01T00:00:00Z"
    control_id = asked["desired"]["control_id"]
    assert control_id is not None
    client.acknowledge("steady_long", control_id, "done", note="flat", at=datetime(2026, 1, 1, tzinfo=UTC))
    assert TraderControlAck.objects.get().note == "flat"


def test_a_fleet_stop_is_obeyed_and_acknowledged_for_each_trader(running: RunningEngine) -> None:
    running.says = Obeyed("partial", "one entry order rests")
    ask_fleet("stop")
    running.follow()
    assert running.obeyed == [("stop", trader_id) for trader_id in TRADERS]
    assert acks() == [("stop", trader_id, "partial") for trader_id in TRADERS]
    assert not any(running.loop.may_open(trader_id) for trader_id in TRADERS)


def test_a_pin_brings_the_version_to_run_and_later_versions_do_not_run(running: RunningEngine) -> None:
    running.applied.clear()
    ask("pin", version=1)
    save_edit("steady_long", detail__risk__max_positions=9)
    running.follow()
    assert set(running.applied) == {("steady_long", 1)}
    assert running.loop.version("steady_long") == 1
    ask("unpin")
    running.follow()
    assert running.applied[-1] == ("steady_long", 3)


def test_a_control_comes_again_until_the_engine_has_obeyed(running: RunningEngine, monkeypatch: Any) -> None:
    def fails(control: ControlChange, trader_id: str) -> Obeyed:
        raise ConnectionError("the exchange is away")

    ask("stop")
    monkeypatch.setattr(running.loop, "_obey", fails)
    with pytest.raises(ConnectionError):
        running.follow()
    assert not running.loop.may_open("steady_long")
    monkeypatch.setattr(running.loop, "_obey", running.obey)
    running.follow()
    assert acks() == [("stop", "steady_long", "done")]


def test_after_a_restored_backup_it_begins_with_what_stands(running: RunningEngine, site: Site) -> None:
    running.applied.clear()
    site.faults = [answering(409)]
    running.follow()
    assert {config_id for config_id, _version in running.applied} == set(TRADERS)


def test_a_tool_asks_for_controls(engine: Engine, engine_with: EngineWith, site: Site) -> None:
    stopper = Client(
        "https://control.example.com", engine_with(Scope.STOP, name="stopper").token, transport=site, retry_seconds=0
    )
    assert stopper.ask("steady_long", "stop", reason="emergency")["desired"]["state"] == "stopped"
    stopper.ask_fleet("stop", reason="emergency")
    with pytest.raises(NotAllowed):
        stopper.ask("steady_long", "start", reason="go")
    assert TraderControl.objects.count() == 2
