"""What a token looks like, and what it is called."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from traders.schema.tokens import (
    NAME,
    IssuedToken,
    Scope,
    Token,
    TokenState,
    digest_of,
    hint_of,
    is_text,
    new_text,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def issued(expires_at: datetime | None = None, revoked_at: datetime | None = None) -> IssuedToken:
    return IssuedToken(
        token=Token(1, "engine", frozenset(Scope)),
        hint="abcd",
        created_at=NOW - timedelta(days=1),
        created_by="mei",
        expires_at=expires_at,
        revoked_at=revoked_at,
        revoked_by="mei" if revoked_at else None,
        last_used_at=None,
    )


def test_a_new_token_has_its_form_and_is_never_made_twice() -> None:
    made = [new_text() for _ in range(1000)]

    assert len(set(made)) == 1000
    assert all(re.fullmatch(r"nof0_[A-Za-z0-9_-]{43}", text) and is_text(text) for text in made)


@pytest.mark.parametrize(
    "text", ["", "nof0_", "nof0_" + "a" * 42, "nof0_" + "a" * 44, "nof0_" + "a" * 43 + "\n", "NOF0_" + "a" * 43]
)
def test_other_texts_are_no_tokens(text: str) -> None:
    assert not is_text(text)


def test_the_digest_and_the_hint_do_not_tell_the_token() -> None:
    text = new_text()

    assert re.fullmatch("[0-9a-f]{64}", digest_of(text))
    assert digest_of(text) != digest_of(new_text())
    assert (hint_of(text), len(hint_of(text))) == (text[5:9], 4)


@pytest.mark.parametrize("name", ["engine", "Engine-1", "0", "a.b_c-d", "x" * 64])
def test_the_actor_of_a_token_can_be_nobodys_user_name(name: str) -> None:
    assert re.fullmatch(NAME, name)
    actor = Token(1, name, frozenset()).actor
    assert actor == f"token:{name}"
    with pytest.raises(ValidationError) as refused:
        User(username=actor, password="x").full_clean()
    assert "username" in refused.value.message_dict


def test_a_token_is_active_until_it_expires_or_is_revoked() -> None:
    second = timedelta(seconds=1)

    assert issued().state(NOW) is TokenState.ACTIVE
    assert issued(expires_at=NOW + second).state(NOW) is TokenState.ACTIVE
    assert issued(expires_at=NOW).state(NOW) is TokenState.EXPIRED
    assert issued(revoked_at=NOW - second).state(NOW) is TokenState.REVOKED
    assert issued(expires_at=NOW - second, revoked_at=NOW).state(NOW) is TokenState.REVOKED
