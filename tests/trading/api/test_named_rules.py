"""What the database alone refuses is answered with the field, never with 500."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine_client import Engine
from tests.trading.api.test_record import BTC, POSITIONS
from trading.schema.position import PositionDetail

DECISIONS = "/traders/steady_long/decisions"
SAID = {"role": "user", "content": "x"}
ENTRY: dict[str, Any] = {"key": "k", "config_version": 1, "success": True, "detail": {}}


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "2009-12-31T23:59:59Z", "9999-12-31T00:00:00Z"])
def test_a_moment_outside_the_years_is_refused_at_every_door(engine: Engine, moment: str) -> None:
    replies = [
        engine.post(DECISIONS, ENTRY | {"decided_at": moment}),
        engine.post(
            DECISIONS,
            ENTRY
            | {"decided_at": "2026-11-01T00:00:00Z", "messages": [{"role": "user", "content": "x", "sent_at": moment}]},
        ),
        engine.put("/traders/steady_long/cooldowns", {"symbol": "BTC", "cooldown_until": moment}),
        engine.put(
            "/traders/steady_long/runtime",
            {"active_config_version": 1, "is_running": True, "detail": {"pause": {"until": moment}}},
        ),
    ]

    assert [reply.status for reply in replies] == [422] * 4
    assert [reply.body["problems"][0]["path"] for reply in replies] == [
        "decided_at",
        "messages.0.sent_at",
        "cooldown_until",
        "detail.pause.until",
    ]


def test_a_rule_that_only_the_database_holds_is_named(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if this release's own check were missing."""
    bad = {"entry": {"price": "NaN", "quantity": 1, "time_ms": 1}}
    monkeypatch.setattr(PositionDetail, "stored", lambda detail: bad)

    reply = engine.put(POSITIONS, BTC)

    assert (reply.status, reply.body["problems"][0]["path"]) == (422, "detail.entry")
