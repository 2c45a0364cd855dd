"""Alarms for tools: what is open, a page at a time, and acknowledging."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.engine_client import Engine
from tests.engine_fixtures import EngineWith
from traders.schema.messages import _
from traders.schema.tokens import Scope
from trading.alarms import services as alarms
from trading.alarms.rules.catalogue import AlarmName


def fired(trader: str = "steady_long", subject: str = "") -> int:
    message = _("%(trader)s lost 120 USD", trader=trader)
    made = alarms.raise_alarm(AlarmName.GUARD_FIRED, message, subject=subject or trader, traders=[trader])
    assert made
    return made


def test_open_alarms_are_listed_newest_first_a_page_at_a_time(engine: Engine) -> None:
    ids = [fired(subject=str(number)) for number in range(3)]
    alarms.end_alarm(AlarmName.GUARD_FIRED, "0")

    page = engine.get("/alarms?limit=1").body
    assert [one["id"] for one in page["alarms"]] == [ids[2]]
    assert page["alarms"][0]["message"] == "steady_long lost 120 USD"
    rest = engine.get(f"/alarms?limit=1&before={page['next_before']}").body
    assert ([one["id"] for one in rest["alarms"]], rest["next_before"]) == ([ids[1]], None)
    assert [one["state"] for one in engine.get("/alarms?state=all").body["alarms"]] == ["open", "open", "ended"]


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "state=closed", "before=0"])
def test_a_query_that_means_nothing_is_refused(engine: Engine, query: str) -> None:
    assert engine.get(f"/alarms?{query}").status == 422


def test_a_token_acknowledges_in_its_name(engine: Engine) -> None:
    until = timezone.now() + timedelta(hours=1)
    found = engine.post(f"/alarms/{fired()}/ack", {"until": until.isoformat()})

    assert found.status == 200
    assert found.body["acknowledged_by"].startswith("token:")
    assert found.body["state"] == "acknowledged"


def test_an_acknowledgement_that_ends_in_the_past_is_refused(engine: Engine) -> None:
    answer = engine.post(f"/alarms/{fired()}/ack", {"until": "2026-01-01T00:00:00Z"})
    assert (answer.status, answer.body["problems"][0]["path"]) == (422, "until")


@pytest.mark.parametrize("alarm_id", [999_999, 10**30])
def test_an_alarm_that_is_not_there_is_not_found(engine: Engine, alarm_id: int) -> None:
    assert engine.post(f"/alarms/{alarm_id}/ack", {}).status == 404


def test_a_token_that_is_limited_sees_no_alarm_of_another_trader(engine: Engine, engine_with: EngineWith) -> None:
    ours, theirs = fired(), fired("quick_short")
    both = alarms.raise_alarm(AlarmName.REPORT_OVERDUE, _("silent"), traders=["steady_long", "quick_short"])
    limited = engine_with(Scope.READ_CONFIG, Scope.CONTROL, name="limited", traders=["steady_long"])

    assert [one["id"] for one in limited.get("/alarms").body["alarms"]] == [ours]
    assert [limited.post(f"/alarms/{one}/ack", {}).status for one in (ours, theirs, both)] == [200, 404, 404]
