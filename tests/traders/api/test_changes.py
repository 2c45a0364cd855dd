"""How a running engine hears of changes: by a cursor that misses none, at once or as soon as there is one."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from tests.engine_client import Engine
from tests.engine_fixtures import place_at_once
from tests.factories import make_trader, save_edit, sync_traders
from traders.schema.cursor import Cursor
from traders.schema.settings.fleet import FLEET_ID
from traders.versions.announcements import services as changes


def _cursor(engine: Engine) -> str:
    return str(engine.get("/configs").body["cursor"])


def _ids(body: Any) -> list[tuple[str, int]]:
    return [(change["config_id"], change["version"]) for change in body["changes"]]


def test_an_edit_comes_with_its_whole_configuration(engine: Engine) -> None:
    cursor = _cursor(engine)
    save_edit("steady_long", detail__risk__max_positions=5)

    body = engine.get(f"/changes?after={cursor}").body

    assert _ids(body) == [("steady_long", 2)]
    assert body["changes"][0]["changed_fields"] == ["detail.risk.max_positions"]
    assert body["changes"][0] == engine.get("/configs/steady_long").body
    assert engine.get(f"/changes?after={body['cursor']}").body["changes"] == []


def test_from_the_beginning_comes_every_version_in_order_however_small_the_pages(engine: Engine) -> None:
    save_edit("swift_short", allocation_pct=Decimal(5))
    save_edit("steady_long", allocation_pct=Decimal(5))
    save_edit(FLEET_ID, detail__manager__total_equity_usd=Decimal(9000))

    seen, cursor, more = [], "0", True
    while more:
        body = engine.get(f"/changes?after={cursor}&limit=1").body
        seen += _ids(body)
        cursor, more = body["cursor"], body["more"]

    first = [(FLEET_ID, 1), ("steady_long", 1), ("swift_short", 1)]
    assert seen == [*first, ("swift_short", 2), ("steady_long", 2), (FLEET_ID, 2)]


@pytest.mark.django_db
@given(st.sets(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,5}", fullmatch=True), min_size=1, max_size=6))
def test_ids_of_any_letters_come_once_each_through_pages_of_one(ids: set[str]) -> None:
    unlike = {trader_id.lower(): trader_id for trader_id in ids}.values()
    start, seen = changes.now(), []
    with transaction.atomic():
        sync_traders(*(make_trader(trader_id, allocation_pct=Decimal(0)) for trader_id in unlike))
        place_at_once()
        found = changes.since(start, limit=1)
        while found.versions:
            seen += [version.config_id for version in found.versions]
            found = changes.since(Cursor.parse(str(found.cursor)), limit=1)
        transaction.set_rollback(True)

    assert seen == sorted([FLEET_ID, *unlike])


def test_only_changes_of_the_named_come_and_the_cursor_passes_the_others(engine: Engine) -> None:
    cursor = _cursor(engine)
    save_edit("steady_long", allocation_pct=Decimal(5))

    body = engine.get(f"/changes?after={cursor}&config_id=swift_short").body

    assert body["changes"] == []
    assert body["cursor"] == _cursor(engine) != cursor


@pytest.mark.parametrize("cursor", ["", "x", "-1", "1:", "1:a b", "1.5", "9" * 30])
def test_what_is_no_cursor_is_refused(engine: Engine, cursor: str) -> None:
    reply = engine.get(f"/changes?after={cursor}")

    assert (reply.status, [problem["path"] for problem in reply.body["problems"]]) == (422, ["after"])


def test_a_cursor_of_another_history_is_refused_and_not_waited_for(engine: Engine) -> None:
    started = time.monotonic()
    reply = engine.get("/changes?after=999999999&wait=50")

    assert reply.status == 409
    assert "backup" in reply.body["detail"]
    assert time.monotonic() - started < 40


def test_an_unknown_trader_is_not_waited_for(engine: Engine) -> None:
    assert engine.get("/changes?config_id=nobody&wait=50").status == 404


def test_a_server_that_cannot_wait_answers_at_once_and_says_when_to_come_again(engine: Engine) -> None:
    cursor = _cursor(engine)

    reply = engine.get(f"/changes?after={cursor}&wait=30")

    assert reply.body == {"cursor": cursor, "more": False, "changes": [], "wanted": {}}
    assert reply.headers["Retry-After"] == "2"
    assert "Retry-After" not in engine.get(f"/changes?after={cursor}").headers


def test_the_id_of_the_last_event_is_the_cursor(engine: Engine) -> None:
    cursor = _cursor(engine)
    save_edit("steady_long", detail__risk__max_positions=5)

    assert _ids(engine.get("/changes?after=0", **{"Last-Event-ID": cursor}).body) == [("steady_long", 2)]
