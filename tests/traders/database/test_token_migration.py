"""Tokens over the migration that parts the fleet's scope from the traders', there and back."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings as SettingsWrapper

from tests.traders.database import filled
from tests.traders.database.scratch import ScratchDatabase

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = ("traders", "0010")
_INSERT = """
INSERT INTO api_tokens (name, digest, hint, scopes, created_by{more})
VALUES (%s, repeat(%s, 64), 'abcd', %s, 'mei'{places})
"""


def insert(database: ScratchDatabase, name: str, digit: str, scopes: list[str], *traders: str) -> None:
    limit = {"more": ", trader_ids", "places": ", %s"} if traders else {"more": "", "places": ""}
    values = [name, digit, scopes, *([list(traders)] if traders else [])]
    filled.query(database, _INSERT.format(**limit) + " RETURNING id", *values)


def tokens(database: ScratchDatabase) -> dict[str, tuple[list[str], bool]]:
    """{name: (scopes, whether it is revoked)}"""
    rows = filled.query(database, "SELECT name, scopes, revoked_at IS NOT NULL FROM api_tokens")
    return {name: (scopes, revoked) for name, scopes, revoked in rows}


@pytest.mark.faults
def test_a_token_of_before_works_for_traders_and_going_back_widens_none(
    scratch: ScratchDatabase, settings: SettingsWrapper
) -> None:
    settings.DROP_DATA = True  # the limit of a token is dropped with its column
    scratch.migrate(*BEFORE)
    insert(scratch, "old", "0", ["read-config", "write-config"])

    scratch.migrate("traders")
    assert tokens(scratch) == {"old": (["read-config", "write-config"], False)}
    assert filled.query(scratch, "SELECT trader_ids FROM api_tokens") == [(None,)]
    insert(scratch, "both", "1", ["write-config", "write-fleet"])
    insert(scratch, "fleet", "2", ["write-fleet"])
    insert(scratch, "limited", "3", ["write-config"], "a")

    scratch.migrate(*BEFORE)
    assert tokens(scratch) == {
        "old": (["read-config", "write-config"], False),
        "both": (["write-config"], False),
        "fleet": (["read-config"], True),
        "limited": (["write-config"], True),
    }
    scratch.migrate("traders")
