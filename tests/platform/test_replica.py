"""Pages that may be late read a real streaming replica; a writer's own, and all if it is late or gone, the primary."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections, transaction
from django.test import Client
from pytest_django.fixtures import Settings as SettingsWrapper

from nof0site.replica import writers
from tests.engine_client import Engine
from tests.factories import make_trader, sync_traders
from tests.platform.replica_server import ReplicaServer, replica_at, site_with, streaming_replica
from traders.database import reading, replica, sql, writes
from traders.database.reading import REPLICA
from traders.models import ApiToken, TraderConfig
from traders.schema.tokens import Scope
from traders.tokens import services as tokens
from trading.export.cycle import Exporter
from trading.export.parts.options import Options
from trading.export.watch import Watch

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(bool(os.environ.get("TEST_DATABASE_URL")), reason="copies the embedded server"),
]

TRADERS, HISTORY = "/admin/traders/traderconfig/", "/admin/traders/traderconfig/steady_long/history/"
CHANGES = "/admin/traders/traderconfig/changes/csv/"
SAID = "Read from the replica"


@pytest.fixture(scope="module")
def replica_of_module(django_db_setup: None) -> Iterator[ReplicaServer]:
    with streaming_replica() as server:
        yield server


@pytest.fixture
def server(replica_of_module: ReplicaServer) -> Iterator[ReplicaServer]:
    sync_traders(make_trader())
    with site_with(replica_of_module):
        replica_of_module.catch_up()
        yield replica_of_module
        replica_of_module.resume()


@pytest.fixture
def admin(server: ReplicaServer) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create_superuser("ann"))
    server.catch_up()
    return client


@contextmanager
def statements(alias: str = REPLICA) -> Iterator[list[str]]:
    """What is asked of one of the two inside, but for how far the replica is."""
    found: list[str] = []

    def noted(execute: Any, statement: Any, *others: Any) -> Any:
        if "pg_control_system" not in str(statement):
            found.append(str(statement))
        return execute(statement, *others)

    with connections[alias].execute_wrapper(noted):
        yield found


def edited(name: str) -> None:
    """By another person, whose browser this is not."""
    current: Any = TraderConfig.objects.get(pk="steady_long")
    current.detail = current.detail | {"display_name": name}
    current._change_reason = "try"
    current.save()


@pytest.mark.parametrize("path", [TRADERS, HISTORY, "/admin/trading/trade/", "/admin/trading/trade/performance/"])
def test_lists_history_and_analytics_are_read_from_the_replica(admin: Client, path: str) -> None:
    with statements() as of_replica:
        answer = admin.get(path)
    assert (answer.status_code, SAID in answer.content.decode()) == (200, True)
    assert of_replica
    with statements(DEFAULT_DB_ALIAS) as of_primary:
        admin.get(path)
    fleet = [one for one in of_primary if "trader_config" in one or '"trades"' in one]
    assert fleet == [], "of the primary only who asks is read"


@pytest.mark.parametrize("path", ["/admin/", f"{TRADERS}steady_long/", f"{TRADERS}steady_long/change/"])
def test_what_goes_on_now_and_forms_are_read_from_the_primary(admin: Client, path: str) -> None:
    with statements() as of_replica:
        answer = admin.get(path)
    assert (answer.status_code, of_replica, SAID in answer.content.decode()) == (200, [], False)


def test_a_page_shows_what_the_replica_holds_while_it_is_late_within_the_limit(
    server: ReplicaServer, admin: Client, settings: SettingsWrapper
) -> None:
    settings.REPLICA_LAG_SECONDS = 600
    server.pause()
    edited("Renamed")
    replica.forget()
    seen = admin.get(TRADERS).content.decode()
    assert ("Steady Long" in seen, "Renamed" in seen, SAID in seen) == (True, False, True)
    server.resume()
    server.catch_up()
    assert "Renamed" in admin.get(TRADERS).content.decode()


def test_who_wrote_sees_it_at_once_and_others_when_the_replica_has_it(
    server: ReplicaServer, admin: Client, settings: SettingsWrapper
) -> None:
    settings.REPLICA_LAG_SECONDS = 600
    other = Client()
    other.force_login(User.objects.create_superuser("bob"))
    server.catch_up()
    server.pause()
    made = admin.post("/admin/auth/group/add/", {"name": "Watchers"})
    assert made.status_code == 302
    assert made.cookies[writers.COOKIE]["max-age"] == writers.SECONDS
    edited("Renamed")
    mine, theirs = (client.get(TRADERS).content.decode() for client in (admin, other))
    assert ("Renamed" in mine, SAID in mine) == (True, False)
    assert ("Renamed" in theirs, SAID in theirs) == (False, True)
    del admin.cookies[writers.COOKIE]
    assert SAID in admin.get(TRADERS).content.decode(), "after half a minute"


def test_a_token_that_wrote_reads_the_primary(server: ReplicaServer, settings: SettingsWrapper) -> None:
    settings.REPLICA_LAG_SECONDS = 600
    engine, reader = (Engine(tokens.create(name=name, scopes=list(Scope), actor="ann")[1]) for name in ("a", "b"))
    server.catch_up()
    server.pause()
    change = {"set": {"detail.risk.max_positions": 4}, "expected_version": 1, "reason": "try"}
    assert engine.patch("/configs/steady_long", change).status == 200
    pages = [one.get("/configs/steady_long/versions") for one in (engine, reader)]
    assert [page.status for page in pages] == [200, 200], pages
    versions = [len(page.body["versions"]) for page in pages]
    assert versions == [2, 1]
    assert reader.get("/configs/steady_long").body["version"] == 2, "what an engine acts upon is never late"


def test_a_token_reads_the_primary_while_the_cache_is_away(server: ReplicaServer, settings: SettingsWrapper) -> None:
    engine = Engine(tokens.create(name="a", scopes=list(Scope), actor="ann")[1])
    server.catch_up()
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "unix:///nowhere/redis.sock"}}
    with statements() as of_replica:
        assert engine.get("/configs/steady_long/versions").status == 200
    assert of_replica == []


def test_a_replica_that_is_too_late_is_not_read(
    server: ReplicaServer, admin: Client, settings: SettingsWrapper
) -> None:
    settings.REPLICA_LAG_SECONDS = 1
    server.pause()
    edited("Renamed")
    time.sleep(1.2)
    edited("Renamed again")
    time.sleep(1.2)
    replica.forget()
    seen = admin.get(TRADERS).content.decode()
    assert ("Renamed again" in seen, SAID in seen) == (True, False)
    assert "s behind, and 1 s are allowed" in str(replica.seen().why)
    overview = admin.get("/admin/").content.decode()
    assert "the primary is read" in overview
    watch = Watch()
    watch.look()
    status = watch.status(0)
    assert status.replica is not None
    assert (status.replica.is_up, status.postgres.is_up) == (False, True)


def test_inside_a_transaction_and_after_a_write_the_primary_is_read(server: ReplicaServer) -> None:
    writes.begin()
    with reading.from_replica(), statements() as of_replica:
        with transaction.atomic():
            assert TraderConfig.objects.select_for_update().get().pk == "steady_long"
            assert sql.value("SELECT count(*) FROM trader_config") == 1
        assert of_replica == []
        assert TraderConfig.objects.count() == 1
        assert len(of_replica) == 1
        edited("Renamed")
        assert TraderConfig.objects.get().detail["display_name"] == "Renamed"


def test_tokens_are_never_read_from_the_replica(server: ReplicaServer) -> None:
    with reading.from_replica(), statements() as of_replica:
        assert ApiToken.objects.count() == 0
        assert User.objects.count() == 0
        assert tokens.authenticate(f"nof0_{'a' * 43}") is None
        assert of_replica == []
        assert sql.rows("INSERT INTO symbols (symbol) VALUES ('NEW') RETURNING symbol")[0].symbol == "NEW"
        assert of_replica == []


def test_a_download_is_read_from_the_replica_to_its_end(admin: Client) -> None:
    with statements() as of_replica:
        answer: Any = admin.get(CHANGES)
        lines = b"".join(answer.streaming_content).decode()
    assert "steady_long" in lines
    assert any("change" in one for one in of_replica)
    assert reading.alias() == DEFAULT_DB_ALIAS


def test_what_the_replica_does_not_know_yet_is_asked_of_the_primary(server: ReplicaServer, admin: Client) -> None:
    server.pause()
    sync_traders(make_trader("new_one"))
    replica.forget()
    answer = admin.get("/admin/traders/traderconfig/new_one/history/")
    assert (answer.status_code, SAID in answer.content.decode()) == (200, False)


def test_a_statement_that_the_replica_cancels_is_asked_of_the_primary(server: ReplicaServer, admin: Client) -> None:
    """As it does with one that stands in the way of what it replays."""

    def cancelled(execute: Any, *statement: Any) -> Any:
        raise OperationalError("canceling statement due to conflict with recovery") from psycopg.errors.lookup(
            "40001"
        )()

    replica.seen()
    with connections[REPLICA].execute_wrapper(cancelled):
        answer = admin.get(TRADERS)
    assert (answer.status_code, SAID in answer.content.decode()) == (200, False)
    assert SAID in admin.get(TRADERS).content.decode(), "the next page may read it"


def test_the_export_reads_the_replica_and_never_goes_back_in_time(
    server: ReplicaServer, tmp_path: Path, settings: SettingsWrapper
) -> None:
    settings.REPLICA_LAG_SECONDS = 600
    exporter = Exporter(Options(tmp_path))
    with statements() as of_replica, statements(DEFAULT_DB_ALIAS) as of_primary:
        assert [entry.name for entry in exporter.cycle().files if entry.is_stale] == []
    assert any("READ ONLY" in one for one in of_replica)
    assert of_primary == []
    server.pause()
    edited("Renamed")
    time.sleep(1.5)
    edited("Renamed again")
    replica.forget()
    with statements() as of_replica:
        exporter.cycle()
    assert of_replica == [], "it would show less than the export before"


def test_another_server_is_no_replica_of_ours(server: ReplicaServer) -> None:
    with replica_at(connections.settings[DEFAULT_DB_ALIAS]):
        assert "takes writes" in str(replica.seen().why)
        assert replica.readable() is None


def test_a_role_without_special_rights_sees_how_far_the_replica_is(server: ReplicaServer) -> None:
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT has_function_privilege('public', 'pg_control_system()', 'execute')")
        assert cursor.fetchone() == (True,)


def test_a_killed_replica_costs_no_page_and_no_export(
    admin: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Longer than the test takes on any machine.
    monkeypatch.setattr(replica, "REST_SECONDS", 600.0)
    tried: list[str] = []
    with streaming_replica() as own, site_with(own):
        own.catch_up()
        assert SAID in admin.get(TRADERS).content.decode()
        own.kill()
        answer = admin.get(TRADERS)
        assert (answer.status_code, SAID in answer.content.decode()) == (200, False)
        assert replica.seen().why is not None
        with monkeypatch.context() as patched:
            patched.setattr(connections[REPLICA], "connect", lambda: tried.append("again"))
            assert admin.get(TRADERS).status_code == 200
        assert tried == [], "it is not asked again at once"
        replica.forget()
        assert [one.name for one in Exporter(Options(tmp_path)).cycle().files if one.is_stale] == []
        assert "the primary is read" in admin.get("/admin/").content.decode()
