"""What the table of tokens refuses, whoever writes it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from tests.traders.database import direct

pytestmark = pytest.mark.django_db(transaction=True)

DIGEST = "0123456789abcdef" * 4
PLAIN: dict[str, Any] = {
    "name": "engine",
    "digest": DIGEST,
    "hint": "abcd",
    "scopes": ["read-config", "write-state"],
    "created_by": "mei",
}


def insert(**changed: Any) -> None:
    row = PLAIN | changed
    columns, places = ", ".join(row), ", ".join(["%s"] * len(row))
    direct.execute(f"INSERT INTO api_tokens ({columns}) VALUES ({places})", *row.values())


def test_the_database_fills_in_what_a_program_leaves_out() -> None:
    insert()

    assert direct.rows(
        "SELECT created_at <= now(), expires_at, revoked_at, revoked_by, last_used_at FROM api_tokens"
    ) == [(True, None, None, None, None)]


@pytest.mark.parametrize("name", ["", " a", "-a", "token:a", "a b", "a\n", "é", "x" * 65])
def test_a_name_of_another_form_is_refused(name: str) -> None:
    with pytest.raises(IntegrityError, match="api_tokens_name_form"):
        insert(name=name)


@pytest.mark.parametrize("scopes", [[], ["admin"], ["read-config", "admin"], ["READ-CONFIG"], ["read-config", None]])
def test_unknown_scopes_and_none_at_all_are_refused(scopes: list[str]) -> None:
    with pytest.raises(IntegrityError, match="api_tokens_scopes_known"):
        insert(scopes=scopes)


def test_a_token_that_is_limited_to_no_trader_is_refused() -> None:
    insert(trader_ids=["a"])
    with pytest.raises(IntegrityError, match="api_tokens_limited_to_some"):
        insert(name="other", digest="0" * 64, trader_ids=[])


@pytest.mark.parametrize("digest", ["", DIGEST[:-1], DIGEST.upper(), "nof0_" + "a" * 43])
def test_what_is_no_digest_is_refused(digest: str) -> None:
    with pytest.raises(IntegrityError, match="api_tokens_digest_form"):
        insert(digest=digest)


@pytest.mark.parametrize("hint", ["", "nof0_abcd", "ab:d"])
def test_a_hint_that_tells_much_is_refused(hint: str) -> None:
    with pytest.raises(IntegrityError, match="api_tokens_hint_form"):
        insert(hint=hint)


def test_a_digest_is_of_one_token() -> None:
    insert()

    with pytest.raises(IntegrityError, match="api_tokens_digest"):
        insert(name="other")


def test_a_name_is_of_one_token_that_is_not_revoked() -> None:
    insert()
    with pytest.raises(IntegrityError, match="api_tokens_name_ignoring_case"):
        insert(name="ENGINE", digest="0" * 64)

    direct.execute("UPDATE api_tokens SET revoked_at = now(), revoked_by = 'mei'")
    insert(name="ENGINE", digest="0" * 64)


def test_a_token_does_not_expire_before_it_is_made() -> None:
    with pytest.raises(IntegrityError, match="api_tokens_expire_later"):
        insert(created_at="2026-01-02T00:00:00Z", expires_at="2026-01-02T00:00:00Z")


@pytest.mark.parametrize("change", ["revoked_at = now()", "revoked_by = 'mei'"])
def test_a_revocation_says_when_and_by_whom(change: str) -> None:
    insert()

    with pytest.raises(IntegrityError, match="api_tokens_revoked_by_somebody"):
        direct.execute(f"UPDATE api_tokens SET {change}")


@pytest.mark.parametrize(
    "change",
    [
        "scopes = '{write-config}'",
        "trader_ids = '{a,b}'",
        "name = 'other'",
        "digest = repeat('0', 64)",
        "expires_at = now() + interval '9 years'",
        "created_by = 'kim'",
        "id = id + 1",
    ],
)
def test_what_a_token_may_do_is_settled_when_it_is_made(change: str) -> None:
    insert()

    with pytest.raises(IntegrityError, match="a token is used and revoked, nothing else of it changes"):
        direct.execute(f"UPDATE api_tokens SET {change}")
    direct.execute("UPDATE api_tokens SET last_used_at = now()")


@pytest.mark.parametrize(
    "change", ["revoked_at = NULL, revoked_by = NULL", "revoked_by = 'kim'", "revoked_at = now() + interval '1 day'"]
)
def test_a_revocation_is_for_ever(change: str) -> None:
    insert()
    direct.execute("UPDATE api_tokens SET revoked_at = now(), revoked_by = 'mei'")

    with pytest.raises(IntegrityError, match="a token is used and revoked"):
        direct.execute(f"UPDATE api_tokens SET {change}")
    assert direct.value("SELECT revoked_by FROM api_tokens") == "mei"


@pytest.mark.parametrize("statement", ["DELETE FROM api_tokens", "TRUNCATE api_tokens CASCADE"])
def test_tokens_are_never_deleted(statement: str) -> None:
    @transaction.atomic
    def attempt() -> None:
        direct.execute("SELECT set_config('nof0.test_flush', 'off', true)")
        direct.execute(statement)

    insert()
    with pytest.raises(IntegrityError, match="tokens are revoked, never deleted"):
        attempt()
    assert direct.value("SELECT count(*) FROM api_tokens") == 1
