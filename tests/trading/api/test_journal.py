"""Decisions that engines add: once each, with the version that took them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from tests.at_once import at_once
from tests.engine_client import Engine
from trading.models import ConversationMessage, DecisionJournal

PATH = "/traders/steady_long/decisions"
ENTRY: dict[str, Any] = {
    "key": "cycle-1",
    "config_version": 1,
    "decided_at": "2026-01-02T03:04:05.123456Z",
    "success": True,
    "detail": {
        "decisions": [{"symbol": "BTC", "action": "open_long", "entry_price": Decimal("64000.10"), "confidence": 80}]
    },
}


def test_a_decision_is_added_with_its_version_and_every_digit(engine: Engine) -> None:
    reply = engine.post(PATH, ENTRY)

    assert reply.status == 200
    row = DecisionJournal.objects.get()
    assert reply.body == {"id": row.pk, "cycle_number": 1, "redacted": [], "kept": [], "set_aside": None}
    assert (row.trader_id, row.config_version, row.success, row.entry_key) == ("steady_long", 1, True, "cycle-1")
    assert row.detail["origin"] == {"system": "api", "key": "cycle-1"}
    assert str(row.detail["decisions"][0]["entry_price"]) == "64000.10"


def test_the_same_entry_again_is_the_same_decision(engine: Engine) -> None:
    first = engine.post(PATH, ENTRY)

    assert engine.post(PATH, ENTRY).body == first.body
    assert DecisionJournal.objects.count() == 1


def test_what_was_said_is_kept_with_the_decision_once(engine: Engine) -> None:
    said = ENTRY | {"messages": [{"role": "user", "content": "Decide."}, {"role": "assistant", "content": "Buy."}]}
    decision = engine.post(PATH, said).body["id"]
    engine.post(PATH, said)

    kept = ConversationMessage.objects.order_by("sequence").values_list("decision_id", "role", "content")
    assert list(kept) == [(decision, "user", "Decide."), (decision, "assistant", "Buy.")]
    other = said | {"messages": [{"role": "user", "content": "Sell."}]}
    assert engine.post(PATH, other).status == 409


def test_a_key_with_other_content_is_a_conflict(engine: Engine) -> None:
    engine.post(PATH, ENTRY)

    reply = engine.post(PATH, ENTRY | {"success": False})

    assert reply.status == 409
    assert "cycle-1" in reply.body["detail"]
    assert DecisionJournal.objects.get().success


@pytest.mark.django_db(transaction=True)
def test_the_same_entry_twice_at_once_is_one_decision(engine: Engine) -> None:
    replies = at_once(*[lambda: engine.post(PATH, ENTRY)] * 4)

    assert [reply.status for reply in replies] == [200] * 4
    assert len({reply.body["id"] for reply in replies}) == 1
    assert DecisionJournal.objects.count() == 1


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"key": ""}, "key"),
        ({"decided_at": "2026-01-02T03:04:05"}, "decided_at"),
        ({"config_version": 0}, "config_version"),
        ({"config_version": 2**31}, "config_version"),
        ({"detail": {"decisions": [{"symbol": "B TC", "action": "hold"}]}}, "detail.decisions.0.symbol"),
        ({"detail": {"origin": {"system": "me"}}}, "detail.origin"),
    ],
)
def test_a_wrong_entry_is_refused_at_its_field(engine: Engine, changed: dict[str, Any], wrong: str) -> None:
    reply = engine.post(PATH, ENTRY | changed)

    assert (reply.status, [problem["path"] for problem in reply.body["problems"]]) == (422, [wrong])
    assert not DecisionJournal.objects.exists()


def test_a_version_that_the_trader_never_had_is_refused(engine: Engine) -> None:
    reply = engine.post(PATH, ENTRY | {"config_version": 9})

    assert (reply.status, reply.body["detail"]) == (422, "steady_long has no version 9")


def test_an_unknown_trader_is_404(engine: Engine) -> None:
    assert engine.post("/traders/nobody/decisions", ENTRY).status == 404
    assert not DecisionJournal.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_lost_database_is_said_and_the_same_entry_can_be_sent_again(engine: Engine) -> None:
    killer = connection.copy()
    with connection.cursor() as cursor, killer.cursor() as other:
        cursor.execute("SELECT pg_backend_pid()")
        other.execute("SELECT pg_terminate_backend(%s)", cursor.fetchone())
    killer.close()

    lost = engine.post(PATH, ENTRY)

    assert (lost.status, lost.headers["Retry-After"]) == (503, "10")
    assert lost.body["detail"].startswith("The database does not answer; nothing was written.")
    connection.close()
    assert engine.post(PATH, ENTRY).status == 200
    assert DecisionJournal.objects.count() == 1
