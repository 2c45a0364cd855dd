"""API tokens: told once, asked for with every request, revoked at once."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.at_once import at_once
from tests.factories import make_trader, sync_traders
from tests.traders.database import direct
from traders.schema.problems import InvalidConfig
from traders.schema.tokens import Scope, Token, TokenState, new_text
from traders.tokens import services as tokens
from traders.versions.rules.errors import UnknownToken

pytestmark = pytest.mark.django_db(transaction=True)

READ = [Scope.READ_CONFIG]


def create(name: str = "engine", **changed: Any) -> tuple[Token, str]:
    return tokens.create(**{"name": name, "scopes": READ, "actor": "mei"} | changed)


def refused(name: str = "engine", **changed: Any) -> dict[str, str]:
    """{place: problem}"""
    with pytest.raises(InvalidConfig) as error:
        create(name, **changed)
    return {problem.path: problem.message for problem in error.value.problems}


def last_use() -> datetime | None:
    [issued] = tokens.existing()
    return issued.last_used_at


def test_a_token_is_who_it_was_made_for() -> None:
    made, text = create("Engine-1", scopes=["write-state", "read-config"])

    assert made.scopes == {Scope.READ_CONFIG, Scope.WRITE_STATE}
    assert tokens.authenticate(text) == made
    assert made.actor == "token:Engine-1"


def test_what_is_kept_says_who_made_it_and_how_it_begins() -> None:
    until = timezone.now() + timedelta(days=30)
    made, text = create(expires_at=until)

    [kept] = tokens.existing()

    assert kept == tokens.one(made.id)
    assert (kept.token, kept.created_by, kept.expires_at) == (made, "mei", until)
    assert timezone.now() - timedelta(minutes=1) < kept.created_at <= timezone.now()
    assert text.startswith(f"nof0_{kept.hint}")
    assert (kept.revoked_at, kept.revoked_by, kept.last_used_at) == (None, None, None)
    assert kept.state(timezone.now()) is TokenState.ACTIVE


def test_neither_the_database_nor_the_log_nor_any_statement_holds_the_token(caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    with CaptureQueriesContext(connection) as captured:
        made, text = create()
        tokens.authenticate(text)
        tokens.revoke(token_id=made.id, actor="mei")
        tokens.authenticate(text)

    secret = text.removeprefix("nof0_")
    written = str(direct.rows("SELECT t::text FROM api_tokens t"))
    assert made.name in written
    assert secret[:12] not in written + str(captured.captured_queries) + caplog.text
    assert secret[:12] not in repr(tokens.existing())


@pytest.mark.parametrize("name", ["", " engine", "-a", "token:a", "a b", "a\n", "é", "x" * 65])
def test_a_name_must_be_one(name: str) -> None:
    assert refused(name)["name"].startswith("must be 1 to 64 letters, digits")


def test_a_token_pasted_as_a_name_is_refused_and_not_shown() -> None:
    text = new_text()
    problem = refused(text)["name"]
    assert problem.startswith("looks like an API token")
    assert text not in problem


@pytest.mark.parametrize("scopes", [[], ["admin"], ["read-config", "READ-CONFIG"]])
def test_scopes_must_be_known_ones(scopes: list[str]) -> None:
    known = (
        "must be one or more of read-config, write-config, write-fleet, write-journal, write-state, write-corrections"
        ", control, stop"
    )
    assert refused(scopes=scopes)["scopes"].startswith(known)


def test_a_token_does_not_begin_expired() -> None:
    assert refused(expires_at=datetime(2020, 1, 1, tzinfo=UTC))["expires_at"] == (
        "must be in the future, was 2020-01-01T00:00:00+00:00"
    )


def test_every_problem_is_told_at_once() -> None:
    assert set(refused("", scopes=[], expires_at=datetime(2020, 1, 1, tzinfo=UTC))) == {"name", "scopes", "expires_at"}


def test_a_name_is_free_again_when_its_token_is_revoked() -> None:
    old, old_text = create("Engine")
    assert refused("eNGINE") == {
        "name": "is taken: revoke the token 'eNGINE' first, or choose another name",
    }

    tokens.revoke(token_id=old.id, actor="mei")
    new, new_text = create("eNGINE")

    assert tokens.authenticate(old_text) is None
    assert tokens.authenticate(new_text) == new
    assert [issued.token for issued in tokens.existing()] == [new, old]


def test_of_many_that_make_one_name_at_once_one_wins_and_the_others_are_told() -> None:
    results = at_once(*(lambda name=name: create(name) for name in ["engine", "ENGINE", "Engine", "engine"]))

    lost = [result for result in results if isinstance(result, Exception)]
    assert [type(error) for error in lost] == [InvalidConfig] * 3
    assert all("is taken" in str(error) for error in lost)
    [(token, text)] = [result for result in results if not isinstance(result, Exception)]
    assert tokens.authenticate(text) == token


@pytest.mark.parametrize(
    "text", ["", "nof0_", "nof0_" + "a" * 43, "nof0_" + "é" * 43, "\udce9", "nof0_\0", "a" * 10**6]
)
def test_an_unknown_text_is_nobodys(text: str) -> None:
    create()

    assert tokens.authenticate(text) is None


def test_letter_case_and_whitespace_matter() -> None:
    _, text = create()

    assert tokens.authenticate(text.swapcase()) is None
    assert tokens.authenticate(f" {text}") is None
    assert tokens.authenticate(f"{text}\n") is None


def test_a_token_stops_at_its_expiry() -> None:
    token, text = create(expires_at=timezone.now() + timedelta(days=1))
    assert tokens.authenticate(text) == token

    _expire()

    assert tokens.authenticate(text) is None
    assert tokens.existing()[0].state(timezone.now()) is TokenState.EXPIRED


def test_an_expired_token_keeps_its_name_until_it_is_revoked() -> None:
    token, _ = create(expires_at=timezone.now() + timedelta(days=1))
    _expire()

    assert set(refused()) == {"name"}
    tokens.revoke(token_id=token.id, actor="mei")
    create()


def test_a_revoked_token_stops_at_once_and_keeps_who_was_first() -> None:
    token, text = create()

    first = tokens.revoke(token_id=token.id, actor="mei")
    assert tokens.authenticate(text) is None
    second = tokens.revoke(token_id=token.id, actor="kim")

    assert (first.revoked_by, first.revoked_at) == (second.revoked_by, second.revoked_at)
    assert first.revoked_by == "mei"


def test_of_many_that_revoke_at_once_one_is_kept() -> None:
    token, _ = create()

    results = at_once(*(lambda n=n: tokens.revoke(token_id=token.id, actor=f"user{n}") for n in range(6)))

    assert len({(issued.revoked_by, issued.revoked_at) for issued in results}) == 1


def test_an_unknown_token_cannot_be_revoked() -> None:
    with pytest.raises(UnknownToken, match="there is no token 7"):
        tokens.revoke(token_id=7, actor="mei")


def test_asking_takes_one_query_and_notes_the_use_once_a_minute() -> None:
    _, text = create()
    assert last_use() is None
    tokens.authenticate(text)
    noted = last_use()
    assert noted is not None

    with CaptureQueriesContext(connection) as captured:
        tokens.authenticate(text)
    assert len(captured) == 1
    assert last_use() == noted

    direct.execute("UPDATE api_tokens SET last_used_at = now() - interval '61 seconds'")
    tokens.authenticate(text)
    moved = last_use()
    assert moved is not None
    assert moved >= noted


def test_what_has_not_the_form_of_a_token_is_not_asked_for() -> None:
    with CaptureQueriesContext(connection) as captured:
        tokens.authenticate("nof0_guess")
    assert len(captured) == 0


def test_a_use_that_cannot_be_noted_fails_nothing(caplog: Any) -> None:
    token, text = create()
    with transaction.atomic():
        direct.execute("SET TRANSACTION READ ONLY")
        assert tokens.authenticate(text) == token
        assert direct.value("SELECT 1") == 1

    assert last_use() is None
    assert "The last use of token" in caplog.text


def test_nobody_waits_for_a_locked_token() -> None:
    token, text = create()
    with transaction.atomic():
        direct.execute("SELECT * FROM api_tokens FOR UPDATE")
        [found] = at_once(lambda: _hurried(text))

    assert found == token
    assert last_use() is None


def test_many_requests_at_once_are_all_known() -> None:
    token, text = create()

    assert at_once(*[lambda: tokens.authenticate(text)] * 8) == [token] * 8
    assert last_use() is not None


def _hurried(text: str) -> Token | None:
    direct.execute("SET statement_timeout = '5s'")
    return tokens.authenticate(text)


def _expire() -> None:
    """Puts the whole life of the tokens into the past, which only the owner of the table can do."""
    direct.execute("ALTER TABLE api_tokens DISABLE TRIGGER USER")
    direct.execute("UPDATE api_tokens SET created_at = now() - interval '9 days', expires_at = now()")
    direct.execute("ALTER TABLE api_tokens ENABLE TRIGGER USER")


def test_a_token_may_be_limited_to_traders() -> None:
    sync_traders(make_trader("a"), make_trader("b"))
    made, text = create(trader_ids=["b", "b"])

    assert made.trader_ids == frozenset("b")
    assert tokens.authenticate(text) == made == tokens.existing()[0].token
    assert [made.sees(name) for name in ("a", "b", "@manager")] == [False, True, False]
    assert create("other")[0].trader_ids is None


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        ([], "must be one or more ids"),
        (["a", "ghost"], "there is no trader 'ghost'"),
        (["A"], "there is no trader 'A'"),
        (["@manager"], "there is no trader '@manager'"),
        (["a\0"], "there is no trader"),
    ],
)
def test_a_token_is_limited_to_traders_that_exist(ids: list[str], said: str) -> None:
    sync_traders(make_trader("a"))
    assert said in refused(trader_ids=ids)["traders"]
    assert tokens.existing() == []


def test_a_limited_token_sees_the_fleet_where_it_may_change_it() -> None:
    sync_traders(make_trader("a"))
    made, _text = create(scopes=["write-fleet"], trader_ids=["a"])
    assert made.sees("@manager")
    assert not made.sees("b")
