"""The command that watches and sends: once, as a loop, and when it is killed in the middle."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from tests.platform.processes import PATIENCE_SECONDS, Machine, wait_for
from tests.trading.alarms.conftest import KEY
from tests.trading.alarms.receivers import Receiver
from tests.trading.export.exporters import database_url
from traders.database.held_lock import HeldLock
from traders.schema.messages import _
from trading.alarms import services as alarms
from trading.alarms.rules.catalogue import AlarmName
from trading.alarms.watching.services import ALARM_LOCK, AlarmLoop, AlarmWatch
from trading.export.status import alarms as alarm_status
from trading.models import AlarmChannel, AlarmDelivery


@pytest.fixture
def channel(receiver: Receiver, settings: Any, tmp_path: Path) -> Receiver:
    settings.EXPORT_DIR = tmp_path
    AlarmChannel.objects.create(name="ops", kind="webhook", address=f"{receiver.url}/hook", secret="ALARM_KEY")
    return receiver


def fired(subject: str = "steady_long") -> None:
    alarms.raise_alarm(AlarmName.GUARD_FIRED, _("fired"), subject=subject)


@pytest.mark.django_db(transaction=True)
def test_once_sends_what_is_due_and_writes_how_it_is(channel: Receiver, tmp_path: Path) -> None:
    fired()
    call_command("send_alarms", "--once")

    assert len(channel.requests) == 1
    found = alarm_status.read(tmp_path)
    assert found is not None
    assert (found.open_pages, found.unacknowledged, found.waiting, found.is_well) == (1, 1, 1, True)


@pytest.mark.django_db(transaction=True)
def test_the_heartbeat_is_called_while_all_is_well(channel: Receiver, settings: Any, tmp_path: Path) -> None:
    settings.ALARM_HEARTBEAT_URL = f"{channel.url}/alive"
    call_command("send_alarms", "--once")
    wait_for(lambda: [path for path, *_rest in channel.requests] == ["/alive"])

    channel.requests.clear()
    fired()
    AlarmDelivery.objects.update(created_at="2026-01-01T00:00:00Z", next_at="2090-01-01T00:00:00Z")
    call_command("send_alarms", "--once")
    time.sleep(0.3)
    assert channel.requests == [], "a page waits, so not all is well"


@pytest.mark.django_db(transaction=True)
def test_one_process_looks_and_all_may_send(channel: Receiver, tmp_path: Path) -> None:
    other = HeldLock(ALARM_LOCK)
    assert other.take()
    try:
        fired()
        call_command("send_alarms", "--once")
        assert alarm_status.read(tmp_path) is None
        assert len(channel.requests) == 1
    finally:
        other.release()


@pytest.mark.django_db(transaction=True)
def test_the_loop_sends_soon_and_stops_when_told(channel: Receiver, tmp_path: Path) -> None:
    loop = AlarmLoop(AlarmWatch(tmp_path), tmp_path, 60)
    thread = threading.Thread(target=_run, args=[loop])
    thread.start()
    try:
        wait_for(lambda: alarm_status.read(tmp_path) is not None)
        began = time.monotonic()
        fired()
        wait_for(lambda: len(channel.requests) == 1)
        assert time.monotonic() - began < 30, "it would look again after a minute"
        wait_for(lambda: AlarmDelivery.objects.get().status == "sent")
    finally:
        loop.stop.set()
        thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()


def _run(loop: AlarmLoop) -> None:
    from django.db import connections

    try:
        loop.run()
    finally:
        connections.close_all()


@pytest.fixture
def machine_of_the_tests(tmp_path: Path) -> Iterator[Machine]:
    environment = {
        "DATABASE_URL": database_url(),
        "ALARM_PRIVATE_ADDRESSES": "127.0.0.0/8",
        "ALARM_KEY": KEY,
        "EXPORT_DIR": str(tmp_path / "export"),
    }
    machine = Machine(tmp_path / "data", environment)
    yield machine
    machine.clear()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_sender_that_is_killed_in_the_middle_loses_nothing(channel: Receiver, machine_of_the_tests: Machine) -> None:
    """At least once, and with the same id."""
    fired()
    channel.manner = "silent"
    sender = machine_of_the_tests.start("manage.py", "send_alarms")
    wait_for(lambda: len(channel.requests) == 1)
    os.kill(sender.pid, signal.SIGKILL)
    sender.wait()
    taken = AlarmDelivery.objects.get()
    assert (taken.status, taken.attempts) == ("waiting", 1)

    channel.manner = "ok"
    # The lease of the one that died is over after a minute.
    AlarmDelivery.objects.update(next_at=taken.created_at)
    call_command("send_alarms", "--once")

    assert AlarmDelivery.objects.get().status == "sent"
    assert channel.ids == [taken.message_id] * 2
