"""PostgreSQL read-only, full, locked, out of connections, ended: every door says what is wrong and what was written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import NotSupportedError, connection
from django.test import Client, override_settings

from nof0site.postgresql.limits import TimeLimits
from tests.engine_client import Engine, Reply
from tests.factories import make_trader, sync_traders
from traders.database.faults import COLLISION, fault_of
from traders.models import TraderConfigVersion
from traders.schema.tokens import Scope
from traders.tokens import services as tokens
from trading.models import DecisionJournal

pytestmark = pytest.mark.django_db(transaction=True)

DECISIONS = "/traders/steady_long/decisions"
ENTRY = {"key": "cycle-1", "decided_at": "2026-01-02T03:04:05Z", "success": True, "config_version": 1, "detail": {}}
EQUITY, POINTS = "/traders/steady_long/equity", {"points": [{"ts_ms": 1_767_225_600_000, "equity_usd": 10_000}]}
UNWRITTEN, UNKNOWN = "nothing was written", "it may have been written"


@pytest.fixture
def engine() -> Engine:
    sync_traders(make_trader())
    _token, text = tokens.create(name="engine-1", scopes=list(Scope), actor="ann")
    return Engine(text)


@pytest.fixture
def admin() -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create_superuser("ann"))
    return client


@contextmanager
def trigger(table: str, body: str, *, at_commit: bool = False) -> Iterator[None]:
    """`body` happens at each row that is inserted into the table, or when its transaction commits."""
    when = "AFTER INSERT ON {} DEFERRABLE INITIALLY DEFERRED" if at_commit else "BEFORE INSERT ON {}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE FUNCTION pg_temp_fault() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {body}; RETURN new; END $$;"
            f"CREATE {'CONSTRAINT' if at_commit else ''} TRIGGER a_fault {when.format(table)} "
            f"FOR EACH ROW EXECUTE FUNCTION pg_temp_fault()"
        )
    try:
        yield
    finally:
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION pg_temp_fault CASCADE")


@contextmanager
def reconnected(**changed: Any) -> Iterator[None]:
    """With other parameters of the connection."""
    connection.close()
    before = connection.settings_dict
    connection.settings_dict = {**before, **changed}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = before


@contextmanager
def locked(table: str) -> Iterator[None]:
    """By another session, as by a person's psql."""
    other = connection.copy()
    other.set_autocommit(False)
    try:
        with other.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table}")
        yield
    finally:
        other.close()


def options(text: str) -> dict[str, Any]:
    given = connection.settings_dict["OPTIONS"]
    return {"OPTIONS": {**given, "options": f"{given.get('options', '')} {text}"}}


def words(page: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", page.content.decode(), flags=re.DOTALL))


def save(admin: Client) -> Any:
    """An edit in the browser, as far as a fault can meet it: a new account."""
    return admin.post(
        "/admin/auth/user/add/",
        {"username": "bob", "password1": "Xk3-lantern", "password2": "Xk3-lantern", "usable_password": "true"},
    )


def assert_unwritten(reply: Reply, title: str) -> None:
    assert (reply.status, UNWRITTEN in reply.body["detail"]) == (503, True), reply.body
    assert reply.body["detail"].startswith(title)
    assert int(reply.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("sqlstate", "title"),
    [
        ("53100", "The database has no room left"),
        ("53200", "The database has no room left"),
        ("40P01", "Another change came in between"),
        ("40001", "Another change came in between"),
        ("55P03", "The database is locked"),
        ("57014", "The database took too long"),
        ("25006", "The database is read-only"),
        ("57P01", "The database does not answer"),
        ("25P03", "The database ended the session"),
        ("42501", "The database refuses the site"),
        ("42P01", "The database does not fit this release"),
        ("58030", "The database is damaged"),
        ("XX001", "The database is damaged"),
    ],
)
def test_a_fault_is_named_to_engines_and_on_pages(engine: Engine, admin: Client, sqlstate: str, title: str) -> None:
    with trigger("decision_journal", f"RAISE SQLSTATE '{sqlstate}'"):
        assert_unwritten(engine.post(DECISIONS, ENTRY), title)
    with trigger("auth_user", f"RAISE SQLSTATE '{sqlstate}'"):
        page = save(admin)
    assert (page.status_code, title in words(page)) == (503, True)
    assert "Nothing was written." in words(page)
    assert int(page["Retry-After"]) > 0
    assert not DecisionJournal.objects.exists()
    assert engine.post(DECISIONS, ENTRY).status == 200


@pytest.mark.parametrize(("sqlstate", "status"), [("22003", 422), ("22P05", 422), ("54001", 422), ("23514", 409)])
def test_what_the_database_cannot_store_is_the_senders_matter(engine: Engine, sqlstate: str, status: int) -> None:
    with trigger("decision_journal", f"RAISE SQLSTATE '{sqlstate}'"):
        refused = engine.post(DECISIONS, ENTRY)
    assert (refused.status, UNWRITTEN in refused.body["detail"]) == (status, True)
    assert "Retry-After" not in refused.headers


@pytest.mark.parametrize("sqlstate", ["0A000", "53400", "XX000"])
def test_what_a_repeat_does_not_help_is_an_operators_matter(engine: Engine, admin: Client, sqlstate: str) -> None:
    refusing = f"RAISE 'SELECT secret FROM hidden' USING ERRCODE = '{sqlstate}'"
    with trigger("decision_journal", refusing):
        refused = engine.post(DECISIONS, ENTRY)
    with trigger("auth_user", refusing):
        page = save(admin)
    assert (refused.status, UNWRITTEN in refused.body["detail"]) == (500, True)
    assert "administrator" in refused.body["detail"]
    assert (page.status_code, "administrator" in words(page)) == (500, True)
    assert "Retry-After" not in refused.headers
    assert "Retry-After" not in page.headers
    assert "secret" not in refused.body["detail"] + words(page)


def test_a_plan_whose_table_was_altered_meanwhile_is_a_collision() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE altered (one int); PREPARE plan AS SELECT * FROM altered")
        cursor.execute("EXECUTE plan")
        cursor.execute("ALTER TABLE altered ADD COLUMN two int")
        try:
            with pytest.raises(NotSupportedError) as refused:
                cursor.execute("EXECUTE plan")
        finally:
            cursor.execute("DEALLOCATE plan; DROP TABLE altered")
    assert fault_of(refused.value) is COLLISION


def test_a_session_ended_within_a_transaction_has_written_nothing(engine: Engine, admin: Client) -> None:
    with trigger("decision_journal", "PERFORM pg_terminate_backend(pg_backend_pid())"):
        assert_unwritten(engine.post(DECISIONS, ENTRY), "The database does not answer")
        connection.close()
    with trigger("auth_user", "PERFORM pg_terminate_backend(pg_backend_pid())"):
        assert "Nothing was written." in words(save(admin))
    assert not DecisionJournal.objects.exists()


def test_a_session_lost_while_committing_may_have_written(engine: Engine, admin: Client) -> None:
    with trigger("equity_snapshots", "PERFORM pg_terminate_backend(pg_backend_pid())", at_commit=True):
        lost = engine.put(EQUITY, POINTS)
    assert (lost.status, UNKNOWN in lost.body["detail"]) == (503, True), lost.body
    with trigger("auth_user", "PERFORM pg_terminate_backend(pg_backend_pid())", at_commit=True):
        page = save(admin)
    assert (page.status_code, "It may have been written." in words(page)) == (503, True)
    assert engine.put(EQUITY, POINTS).status == 200


def test_a_commit_that_postgresql_refuses_has_written_nothing(engine: Engine) -> None:
    with trigger("equity_snapshots", "RAISE SQLSTATE '40001'", at_commit=True):
        assert_unwritten(engine.put(EQUITY, POINTS), "Another change came in between")


def test_a_fault_after_the_change_was_committed_does_not_say_that_nothing_was_written(admin: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION pg_temp_fault() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE SQLSTATE '53100'; END $$;"
            "CREATE TRIGGER a_fault BEFORE UPDATE ON account_sessions FOR EACH ROW EXECUTE FUNCTION pg_temp_fault()"
        )
    try:
        page = save(admin)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION pg_temp_fault CASCADE")
    if page.status_code == 503:
        assert "It may have been written." in words(page)
    assert User.objects.filter(username="bob").exists()


def test_a_read_only_server_shows_pages_and_refuses_changes(engine: Engine, admin: Client) -> None:
    with reconnected(**options("-c default_transaction_read_only=on")):
        assert admin.get("/admin/").status_code == 200
        assert admin.get("/admin/traders/traderconfig/").status_code == 200
        assert engine.get("/configs").status == 200
        assert_unwritten(engine.post(DECISIONS, ENTRY), "The database is read-only")
        assert_unwritten(
            engine.patch(
                "/configs/steady_long",
                {"expected_version": 1, "reason": "x", "set": {"detail.risk.max_positions": 4}},
            ),
            "The database is read-only",
        )
        page = save(admin)
    assert (page.status_code, "The database is read-only" in words(page)) == (503, True)
    assert TraderConfigVersion.objects.filter(id="steady_long").count() == 1


def test_without_a_connection_left_every_door_says_so(engine: Engine, admin: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE crowded LOGIN CONNECTION LIMIT 0")
    try:
        with reconnected(USER="crowded"):
            page, read, sent = admin.get("/admin/"), engine.get("/configs"), engine.post(DECISIONS, ENTRY)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP ROLE crowded")
    assert (page.status_code, "has no connection left" in words(page)) == (503, True)
    assert read.status == 503
    assert_unwritten(sent, "The database has no connection left")


def test_a_lock_that_another_session_holds_is_named_in_time(engine: Engine, admin: Client) -> None:
    with (
        override_settings(DATABASE_LIMITS=TimeLimits(statement=20, lock=1, idle=20)),
        reconnected(),
        locked("trader_config, decision_journal"),
    ):
        page, sent = admin.get("/admin/traders/traderconfig/"), engine.post(DECISIONS, ENTRY)
    assert (page.status_code, "The database is locked" in words(page)) == (503, True)
    assert "Nothing was written" not in words(page)  # nothing was to be
    assert_unwritten(sent, "The database is locked")


def test_a_command_says_it_in_one_line(engine: Engine) -> None:
    with (
        trigger("trader_config_versions", "RAISE SQLSTATE '53100' USING MESSAGE = 'could not extend file'"),
        pytest.raises(CommandError) as refused,
    ):
        call_command("generate_sample", "--traders", "1", "--trades", "3", "--days", "2")
    assert str(refused.value) == (
        "The database has no room left (could not extend file). Nothing was written. An administrator has to make room "
        "on PostgreSQL's server. Then send it again."
    )


def test_what_is_not_of_the_database_is_no_fault_of_it() -> None:
    assert fault_of(RuntimeError("x")) is None
    assert fault_of(None) is None
