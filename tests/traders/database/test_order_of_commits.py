"""A reader with a cursor sees every version once, in whatever order transactions commit and whoever writes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection, connections, transaction
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.database import direct
from tests.traders.database.scratch import ScratchDatabase
from traders.schema import jsonio
from traders.schema.cursor import Cursor
from traders.versions.announcements import services as changes
from traders.versions.announcements.queries import CHANNEL

committed = pytest.mark.django_db(transaction=True)

_CONFIG = """
INSERT INTO trader_config (id, version, exchange_provider, market_provider, allocation_pct, detail)
VALUES (%(id)s, 1, 'paper', 'paper', 0, %(detail)s::jsonb)
"""
_VERSION = """
INSERT INTO trader_config_versions (id, version, exchange_provider, market_provider, allocation_pct, detail,
    change_set, source, history_date, history_change_reason, history_type, history_user_id)
SELECT id, %(version)s, exchange_provider, market_provider, allocation_pct, detail, {change_set}, 'direct',
       clock_timestamp(), 'by hand', '~', 'psql' FROM trader_config WHERE id = %(id)s
"""
NEXT = "nextval('config_change_set_seq')"


class Session:
    """A program with a connection of its own, whose transaction stays open until it is told to end."""

    def __init__(self) -> None:
        self.raw = psycopg.connect(**_parameters(), autocommit=False)

    def write(self, trader_id: str, change_set: str = NEXT) -> None:
        """A trader's first version. `change_set` is an SQL expression."""
        self.raw.execute(_CONFIG, {"id": trader_id, "detail": jsonio.dumps(direct.TRADER_DETAIL)})
        self.raw.execute(_VERSION.format(change_set=change_set), {"id": trader_id, "version": 1})

    def next_version(self, trader_id: str, version: int) -> None:
        self.raw.execute("UPDATE trader_config SET version = %s WHERE id = %s", [version, trader_id])
        self.raw.execute(_VERSION.format(change_set=NEXT), {"id": trader_id, "version": version})


def _parameters() -> dict[str, Any]:
    parameters: dict[str, Any] = connection.get_connection_params()
    return {name: parameters[name] for name in ("dbname", "host", "port", "user", "password") if name in parameters}


@contextmanager
def sessions(count: int) -> Iterator[list[Session]]:
    opened = [Session() for _ in range(count)]
    try:
        yield opened
    finally:
        for session in opened:
            session.raw.close()


class Reader:
    """Follows the changes as an engine does, in pages of one or more."""

    def __init__(self, cursor: str = "0", *, page: int = 2) -> None:
        self.cursor, self.page, self.seen = cursor, page, list[tuple[str, int]]()

    def read(self) -> list[tuple[str, int]]:
        before = len(self.seen)
        while True:
            found = changes.since(Cursor.parse(self.cursor), limit=self.page)
            self.cursor = str(found.cursor)
            self.seen += [(version.config_id, version.version) for version in found.versions]
            if found.is_all:
                return self.seen[before:]


@committed
def test_a_change_set_that_commits_after_a_later_one_is_seen() -> None:
    sync_traders(make_trader())
    reader = Reader()
    reader.read()
    with sessions(1) as [slow]:
        slow.write("slow")
        save_edit("steady_long", detail__risk__max_positions=2)
        assert reader.read() == [("steady_long", 2)]

        slow.raw.commit()

    assert reader.read() == [("slow", 1)]
    assert reader.read() == []


@committed
@pytest.mark.parametrize("number", ["1", "0", "-5", "123456789", "9223372036854775807"])
def test_a_number_of_the_writers_own_choice_changes_nothing_about_the_order(number: str) -> None:
    sync_traders(make_trader())
    reader = Reader()
    reader.read()
    with sessions(1) as [own]:
        own.write("own", number)
        own.raw.commit()
    save_edit("steady_long", detail__risk__max_positions=2)

    assert reader.read() == [("own", 1), ("steady_long", 2)]
    assert Cursor.parse(reader.cursor) == changes.now()


@committed
def test_what_is_rolled_back_leaves_a_gap_that_no_reader_waits_for() -> None:
    sync_traders(make_trader())
    reader = Reader()
    reader.read()
    with sessions(2) as [failing, other]:
        failing.write("failing")
        other.write("other")
        failing.raw.rollback()
        other.raw.commit()

    assert reader.read() == [("other", 1)]


@committed
def test_an_open_transaction_holds_up_neither_readers_nor_writers() -> None:
    sync_traders(make_trader())
    reader = Reader()
    reader.read()
    with sessions(1) as [idle]:
        idle.write("idle")
        for version in (2, 3, 4):
            save_edit("steady_long", detail__risk__max_positions=version)
            assert reader.read() == [("steady_long", version)]
        idle.raw.commit()

    assert reader.read() == [("idle", 1)]


@committed
def test_a_transaction_that_took_its_place_early_is_named_to_those_who_wait_in_vain() -> None:
    sync_traders(make_trader())
    with sessions(2) as [early, late]:
        early.write("early")
        early.raw.execute("SET CONSTRAINTS config_writes_place_last, config_writes_place IMMEDIATE")
        late.write("late")
        late.raw.execute("SET LOCAL lock_timeout = '100ms'")
        pid = early.raw.info.backend_pid

        with pytest.raises(psycopg.errors.LockNotAvailable, match=f"process {pid}.*nothing was written here"):
            late.raw.commit()


@committed
def test_a_transaction_with_versions_cannot_be_left_prepared() -> None:
    [[allowed]] = direct.rows("SELECT current_setting('max_prepared_transactions')::int")
    sync_traders(make_trader())
    with sessions(1) as [one]:
        one.write("prepared")
        expected = "LISTEN, UNLISTEN, or NOTIFY" if allowed else "disabled|LISTEN"
        with pytest.raises(psycopg.Error, match=expected):
            one.raw.execute("PREPARE TRANSACTION 'left'")


@committed
def test_several_versions_of_one_trader_in_one_transaction_come_once_each_through_pages_of_one() -> None:
    sync_traders(make_trader())
    reader = Reader(page=1)
    reader.read()
    with sessions(1) as [one]:
        one.write("many")
        for version in (2, 3, 4):
            one.next_version("many", version)
        one.raw.commit()

    assert reader.read() == [("many", 1), ("many", 2), ("many", 3), ("many", 4)]


@committed
def test_a_savepoint_rolled_back_takes_its_versions_along() -> None:
    sync_traders(make_trader())
    reader = Reader()
    reader.read()
    with sessions(1) as [one]:
        one.raw.execute("SAVEPOINT before")
        one.write("undone")
        one.raw.execute("ROLLBACK TO SAVEPOINT before")
        one.write("kept")
        one.raw.commit()

    assert reader.read() == [("kept", 1)]


@committed
def test_cursors_are_the_numbers_of_change_sets_while_all_go_through_the_service() -> None:
    sync_traders(make_trader())
    # Other tests of this run let sets commit late, which puts positions ahead.
    direct.execute("SELECT setval('config_change_set_seq', (SELECT last_value + 5 FROM config_position_seq))")
    saved = save_edit("steady_long", detail__risk__max_positions=2)
    again = save_edit("steady_long", detail__risk__max_positions=3)

    assert saved is not None
    assert again is not None
    assert changes.now() == Cursor(again.change_set)
    assert [v.version for v in changes.since(Cursor(saved.change_set), limit=9).versions] == [3]


@committed
@given(data=st.data())
def test_in_any_order_of_writes_and_ends_a_reader_sees_each_committed_version_once(data: st.DataObject) -> None:
    """Sessions write, commit and roll back in any order; a reader reads in between."""
    run = data.draw(st.integers(0, 10**9), "run")
    start, reader = changes.now(), Reader(str(changes.now()), page=data.draw(st.integers(1, 3), "page"))
    expected: set[tuple[str, int]] = set()
    with sessions(3) as open_ones:
        written: dict[int, list[str]] = {place: [] for place in range(3)}
        for step in range(data.draw(st.integers(3, 12), "steps")):
            place = data.draw(st.integers(0, 2), "session")
            session = open_ones[place]
            match data.draw(st.sampled_from(["write", "write", "commit", "rollback", "read"]), "does"):
                case "write":
                    trader_id = f"r{run}-{start.position}-{step}"
                    session.write(trader_id, data.draw(st.sampled_from([NEXT, NEXT, "1", "10 ^ 12"]), "number"))
                    written[place].append(trader_id)
                case "commit":
                    session.raw.commit()
                    expected |= {(trader_id, 1) for trader_id in written[place]}
                    written[place] = []
                case "rollback":
                    session.raw.rollback()
                    written[place] = []
                case "read":
                    reader.read()
    reader.read()

    assert sorted(reader.seen) == sorted(expected)


def heard(listener: psycopg.Connection[Any], count: int) -> list[str]:
    """So many announcements, and any that are too many."""
    told = [notice.payload for notice in listener.notifies(timeout=60, stop_after=count)]
    return told + [notice.payload for notice in listener.notifies(timeout=1)]


@committed
def test_a_version_written_in_sql_is_announced_once_for_each_change_set() -> None:
    sync_traders(make_trader())
    with psycopg.connect(**_parameters(), autocommit=True) as listener, sessions(1) as [one]:
        listener.execute(f"LISTEN {CHANNEL}")
        one.write("a", "77")
        one.next_version("a", 2)
        one.write("b", "77")
        one.raw.commit()
        [[second]] = one.raw.execute("SELECT max(change_set) FROM trader_config_versions WHERE id = 'a'").fetchall()
        told = heard(listener, 2)

    assert sorted(told) == sorted(['{"change_set":77}', f'{{"change_set":{second}}}'])


@committed
def test_the_service_announces_once_for_each_change_set() -> None:
    sync_traders(make_trader("a"), make_trader("b"))
    with psycopg.connect(**_parameters(), autocommit=True) as listener:
        listener.execute(f"LISTEN {CHANNEL}")
        saved = save_edit("a", detail__risk__max_positions=2)
        assert saved is not None
        told = heard(listener, 1)

    assert told == [f'{{"change_set":{saved.change_set}}}']


@committed
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE config_writes SET position = 99",
        "DELETE FROM config_writes",
        "UPDATE config_write_versions SET version = 9",
        "DELETE FROM config_write_versions",
    ],
)
def test_the_order_is_not_changed_afterwards(change: str) -> None:
    sync_traders(make_trader())
    with pytest.raises(Exception, match="refused: what was written stays"):
        direct.execute(change)


@pytest.mark.faults
def test_cursors_that_clients_hold_stay_valid_over_the_migration(
    scratch: ScratchDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch.migrate("traders", "0011")
    monkeypatch.setattr(direct, "connection", connections[scratch.alias])
    with transaction.atomic(using=scratch.alias):
        direct.insert_fleet()
        direct.insert_trader("a")
        direct.insert_trader("b")
    with transaction.atomic(using=scratch.alias):
        direct.execute("UPDATE trader_config SET version = 2 WHERE id = 'a'")
        direct.execute(_VERSION.format(change_set="40").replace("%(version)s", "2").replace("%(id)s", "'a'"))
    direct.execute("SELECT setval('config_change_set_seq', 40)")
    scratch.migrate("traders", "0012")

    assert direct.rows(
        "SELECT position, config_id, version FROM config_writes w JOIN config_write_versions v ON v.write_id = w.id"
        " ORDER BY 1, 2, 3"
    ) == [(1, "@manager", 1), (1, "a", 1), (1, "b", 1), (40, "a", 2)]
    with transaction.atomic(using=scratch.alias):
        direct.insert_trader("c")
    assert direct.value("SELECT max(position) FROM config_writes") == 41
    connections[scratch.alias].close()
