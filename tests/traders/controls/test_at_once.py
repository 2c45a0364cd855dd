"""Controls while others hold locks, and many at once: a stop must stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.db import connection

from tests.at_once import at_once
from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.controls.asking import TRADER, ask, ask_fleet, copied, effect
from tests.trading_factories import make_position
from traders.controls.preview import MovedMeanwhile, control_as_seen, preview
from traders.controls.services import Asked
from traders.models import TraderControl, TraderRuntimeState
from traders.runtime import services as runtime
from traders.schema.controls.rows import ControlKind
from traders.schema.problems import InvalidConfig
from traders.versions.announcements import services as changes
from traders.versions.lock import locked_fleet
from trading.record.writing.positions import open_position
from trading.schema.common import Side

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _fleet() -> None:
    sync_traders(make_trader(detail__auto_start=True), make_trader("quick_short", detail__auto_start=True))


@pytest.fixture
def other() -> Iterator[Any]:
    """A session of another program, in the middle of a transaction."""
    session = connection.copy()
    session.set_autocommit(False)
    try:
        yield session.cursor()
    finally:
        session.rollback()
        session.close()


def test_a_stop_waits_for_no_sync(other: Any) -> None:
    other.execute("SELECT FROM manager_config FOR UPDATE")
    began = time.monotonic()
    ask("stop")
    ask_fleet("stop")
    # The sync holds its locks until the end of this test.
    assert time.monotonic() - began < 30
    assert effect() == "stopped"


def test_a_stop_waits_for_no_edit_that_has_written_its_version() -> None:
    holds, done = threading.Event(), threading.Event()

    def edits() -> None:
        with locked_fleet():
            save_edit(TRADER, detail__risk__max_positions=4)
            holds.set()
            assert done.wait(30)

    def stops() -> None:
        assert holds.wait(30)
        ask("stop")
        done.set()

    assert at_once(edits, stops) == [None, None]
    assert effect() == "stopped"


def test_retiring_and_a_stop_at_once_do_not_wait_for_each_other() -> None:
    """The retirement holds the trader's row while it waits for the lock of controls, which the stop holds."""
    open_position(trader_id=TRADER, symbol="BTC", side=Side.LONG, detail=make_position())

    def retires() -> None:
        save_edit(TRADER, detail__retired=True)

    for _ in range(5):
        done = at_once(retires, lambda: ask("stop"), lambda: ask("start"))
        assert [one for one in done if isinstance(one, Exception) and not isinstance(one, InvalidConfig)] == []
        save_edit(TRADER, detail__retired=False)


def test_a_program_that_holds_a_traders_row_keeps_no_stop_from_being_written(other: Any) -> None:
    other.execute("UPDATE trader_runtime_state SET detail = '{}' WHERE trader_id = %s", [TRADER])
    ask_fleet("stop")
    assert (effect(), copied("quick_short")["desired"]["state"]) == ("entries_banned", "entries_banned")
    assert "desired" not in copied()
    other.connection.commit()
    runtime.heartbeat(trader_id=TRADER)
    assert copied()["desired"]["state"] == "entries_banned", "its next report brings the copy"


def test_an_upsert_that_waited_for_a_stop_keeps_it() -> None:
    def reports() -> None:
        for _ in range(20):
            TraderRuntimeState.objects.filter(pk=TRADER).update(detail={"decision": {}})

    def beats() -> None:
        for _ in range(20):
            runtime.heartbeat(trader_id=TRADER, extra={"cycle": 1})

    assert at_once(reports, lambda: ask("stop"), beats)[1][0].is_new
    assert copied()["desired"]["state"] == "stopped"


def test_many_at_once_are_all_written_in_one_order() -> None:
    place = changes.now()
    asked = at_once(
        *(lambda number=number: ask("pause", reason=f"news {number}", actor=f"p{number}") for number in range(4)),
        lambda: ask_fleet("stop"),
        lambda: ask("stop", "quick_short"),
    )
    assert [one for one in asked if isinstance(one, Exception)] == []
    rows = list(TraderControl.objects.order_by("id"))
    assert len(rows) == 6
    assert [row.at for row in rows] == sorted({row.at for row in rows})
    delivered: Any = changes.since(place, limit=50).items
    assert [item.id for item in delivered] == [row.pk for row in rows], "the order of rows is that of commits"


def test_of_two_operators_at_once_none_acts_on_what_the_other_changed() -> None:
    """A start is asked for as it was shown; a pause that came first is a reason to look again."""
    asked = Asked(reason="calm again", actor="joe")
    for _ in range(3):
        ask("stop", actor="mei")
        seen = preview(ControlKind.START, [TRADER]).seen
        start = partial(control_as_seen, ControlKind.START, [TRADER], asked, seen=seen)
        started, paused = at_once(start, lambda: ask("pause", actor="mei"))
        assert not isinstance(paused, Exception)
        if not isinstance(started, MovedMeanwhile):
            assert started[0].control.id < paused[0].control.id
        ask("resume")


def test_a_close_and_a_release_by_two_at_once_are_each_one_row() -> None:
    open_position(trader_id=TRADER, symbol="BTC", side=Side.LONG, detail=make_position())
    ask_fleet("stop")
    at_once(*(lambda: ask_fleet("release") for _ in range(3)), *(lambda: ask("close", symbol="BTC") for _ in range(3)))
    kinds = TraderControl.objects.order_by("kind").values_list("kind", flat=True)
    assert list(kinds) == ["close", "release", "stop"]


def test_the_same_stop_by_one_person_at_once_is_one_row() -> None:
    at_once(*(lambda: ask("stop") for _ in range(4)))
    assert TraderControl.objects.count() == 1
