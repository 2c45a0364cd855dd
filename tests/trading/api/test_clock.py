"""What lies ahead of this server's clock is refused, told, counted, and leaves no open position behind unseen."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from tests.engine_client import Engine
from tests.traders.admin.people import browser_of
from tests.trading.api.test_record import BTC, CLOSE, CLOSED, COOLDOWNS, EQUITY, POSITIONS, TRADES, _trade
from traders.accounts.rules import Role
from traders.models import ApiToken, ClockRefusal
from traders.tokens import services as tokens
from trading.models import DecisionJournal, EquitySnapshot, Position, Trade
from trading.record.check import services as check_record

MINUTE_MS = 60_000
DECISIONS = "/traders/steady_long/decisions"


def ahead_ms(minutes: float = 6) -> int:
    return int(time.time() * 1000 + minutes * MINUTE_MS)


def moment(minutes: float = 6) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


def _decision(**changed: Any) -> dict[str, Any]:
    entry = {"key": "k", "config_version": 1, "decided_at": "2026-01-08T10:30:00Z", "success": True, "detail": {}}
    return entry | changed


def _closed(ms: int) -> dict[str, Any]:
    time_ = {"open_ts_ms": ms - 1000, "close_ts_ms": ms, "duration_seconds": 1}
    return _trade(time=time_) | {"closed_at_ns": ms * 10**6}


def bodies(minutes: float) -> list[tuple[str, str, Any, str]]:
    ms = ahead_ms(minutes)
    entry = BTC["entry"] | {"time_ms": ms}
    return [
        ("PUT", POSITIONS, BTC | {"entry": entry}, "entry.time_ms"),
        ("PUT", POSITIONS, BTC | {"reported": {"at_ms": ms}}, "reported.at_ms"),
        ("PUT", TRADES, _closed(ms), "closed_at_ns"),
        ("PUT", EQUITY, {"points": [{"ts_ms": ms, "equity_usd": 1}]}, "points.0.ts_ms"),
        ("POST", DECISIONS, _decision(decided_at=moment(minutes)), "decided_at"),
        (
            "POST",
            DECISIONS,
            _decision(messages=[{"role": "user", "content": "?", "sent_at": moment(minutes)}]),
            "messages.0.sent_at",
        ),
        ("PUT", "/prices", {"prices": {"BTC": {"price": 1, "as_of_ms": ms}}}, "prices.BTC.as_of_ms"),
        (
            "PUT",
            COOLDOWNS,
            {"symbol": "BTC", "cooldown_until": "2090-01-01T00:00:00Z", "detail": {"triggered_at": moment(minutes)}},
            "detail.triggered_at",
        ),
    ]


@pytest.mark.parametrize("number", range(len(bodies(6))))
def test_a_moment_ahead_is_refused_by_name_and_value(engine: Engine, number: int) -> None:
    method, path, body, field = bodies(6)[number]

    reply = engine.send(method, path, body)

    assert reply.status == 422
    [problem] = reply.body["problems"]
    assert problem["path"] == field
    assert "ahead of this server's clock" in problem["message"]
    assert [kind.objects.count() for kind in (Position, Trade, EquitySnapshot, DecisionJournal)] == [0, 0, 0, 0]


@pytest.mark.parametrize("number", range(len(bodies(4))))
def test_clocks_may_differ_by_minutes(engine: Engine, number: int) -> None:
    method, path, body, _field = bodies(4)[number]

    assert engine.send(method, path, body).status == 200


def test_every_answer_says_the_time_of_the_server(engine: Engine) -> None:
    for reply in (engine.put(POSITIONS, BTC), engine.get("/token"), engine.put(POSITIONS, {})):
        assert abs((reply.server_time_ms or 0) - time.time() * 1000) < MINUTE_MS


def test_refused_records_are_counted_by_token(engine: Engine) -> None:
    engine.put(POSITIONS, BTC)
    for _ in range(2):
        engine.post(CLOSE, CLOSED | {"closed_at_ns": ahead_ms() * 10**6})
    engine.put(EQUITY, {"points": [{"ts_ms": ahead_ms(), "equity_usd": 1}]})

    [clock] = tokens.clocks().values()
    assert (clock.refused, str(clock)) == (3, "engine clock +6 min")
    assert ClockRefusal.objects.get(what="close").refused == 2
    page = browser_of(Role.ADMIN).get("/admin/traders/apitoken/").content.decode()
    assert "engine clock +6 min" in page
    assert "3 records refused" in page


def test_a_clock_ahead_is_shown_in_red_where_operators_look(engine: Engine) -> None:
    engine.put(EQUITY, {"points": [{"ts_ms": ahead_ms(), "equity_usd": 1}]})

    admin = browser_of(Role.ADMIN)
    token = admin.get(f"/admin/traders/apitoken/{ApiToken.objects.get().pk}/change/").content.decode()
    live = browser_of(Role.VIEWER).get("/admin/trading/position/live/").content.decode()
    assert '<span class="tag wrong"' in token
    assert "engine clock +6 min" in token
    assert 'role="alert"' in live
    assert "engine-1 · engine clock +6 min" in re.sub("<[^>]+>", "", live)

    lines, document = StringIO(), StringIO()
    call_command("check_record", stdout=lines)
    call_command("check_record", "--json", stdout=document)
    assert "Token engine-1: engine clock +6 min; 1 of its records refused" in lines.getvalue()
    assert [one["token"] for one in json.loads(document.getvalue())["clocks"]] == ["engine-1"]

    ClockRefusal.objects.update(last_at=datetime.now(UTC) - timedelta(days=2))
    assert tokens.clocks_lately() == []


@pytest.mark.parametrize("what", ["reduce", "increase"])
def test_a_position_of_which_a_part_was_refused_is_listed_until_the_part_is_recorded(engine: Engine, what: str) -> None:
    engine.put(POSITIONS, BTC)
    part = {"quantity": 0.001, "price": 45600, "order_id": 7}
    assert engine.post(f"{POSITIONS}/BTC/{what}", part | {"at_ms": ahead_ms()}).status == 422

    assert ClockRefusal.objects.get().symbol == "BTC"
    [finding] = [one for looked in check_record.check(["positions"]) for one in looked.findings]
    assert (finding.id, finding.path) == ("steady_long|BTC", what)
    assert "was refused 1 times" in finding.reason

    # An older part is another one.
    assert engine.post(f"{POSITIONS}/BTC/{what}", part | {"at_ms": ahead_ms(-60), "order_id": 6}).status == 200
    assert [one for looked in check_record.check(["positions"]) for one in looked.findings]

    assert engine.post(f"{POSITIONS}/BTC/{what}", part | {"at_ms": ahead_ms(0)}).status == 200
    assert not [one for looked in check_record.check(["positions"]) for one in looked.findings]


def test_a_position_whose_close_was_refused_is_listed_until_it_is_closed(engine: Engine) -> None:
    engine.put(POSITIONS, BTC)
    engine.post(CLOSE, CLOSED | {"closed_at_ns": ahead_ms() * 10**6})

    [finding] = [one for looked in check_record.check(["positions"]) for one in looked.findings]
    assert finding.id == "steady_long|BTC"
    assert "was refused 1 times" in finding.reason

    engine.post(CLOSE, CLOSED)
    assert not [one for looked in check_record.check(["positions"]) for one in looked.findings]
