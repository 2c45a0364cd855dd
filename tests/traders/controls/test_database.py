"""What the database itself holds of controls, whatever program writes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.controls.asking import TRADER, ask, ask_fleet, copied, in_minutes
from traders.controls import queries, rules
from traders.controls.rules import TraderFacts
from traders.models import TraderControl, TraderControlAck, TraderRuntimeState, TraderSymbolCooldown
from traders.schema.controls.rows import OPERATOR

GUARD = "guard:max_drawdown_pct"


def run(sql: str, *parameters: Any) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)


@pytest.mark.django_db
@pytest.mark.usefixtures("fleet")
class TestRowsAreKept:
    @pytest.mark.parametrize("statement", ["UPDATE {} SET actor = 'joe'", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
    @pytest.mark.parametrize("table", ["trader_controls", "trader_control_acks"])
    def test_rows_are_never_changed_or_deleted(self, table: str, statement: str) -> None:
        (stop,) = ask("stop")
        TraderControlAck.objects.create(
            control_id=stop.control.id, trader_id=TRADER, result="done", actor="token:e", at=in_minutes(0)
        )
        run("SET CONSTRAINTS ALL IMMEDIATE")
        run("SET LOCAL nof0.test_flush = off")
        with pytest.raises(IntegrityError, match="stays as it is"):
            run(statement.format(table))

    @pytest.mark.parametrize(
        "row",
        [
            {"kind": "halt"},
            {"kind": "release"},
            {"kind": "pause", "trader": None},
            {"kind": "pause"},
            {"kind": "pause", "cause": "somebody"},
            {"kind": "stop", "cause": OPERATOR},
            {"kind": "stop", "until": datetime(2030, 1, 1, tzinfo=UTC)},
            {"kind": "cooldown", "symbol": "BTC"},
            {"kind": "cooldown", "until": datetime(2030, 1, 1, tzinfo=UTC)},
            {"kind": "pin"},
            {"kind": "stop", "version": 1},
            {"kind": "stop", "reason": ""},
            {"kind": "stop", "actor": ""},
            {"kind": "close", "until": datetime(2030, 1, 1, tzinfo=UTC), "symbol": "B|C"},
        ],
    )
    def test_each_kind_has_what_belongs_to_it(self, row: dict[str, Any]) -> None:
        given: dict[str, Any] = {"trader": TRADER, "reason": "why", "actor": "mei"} | row
        columns = {"trader": "trader_id"}
        names = ", ".join(columns.get(name, name) for name in given)
        values = ", ".join(["%s"] * len(given))
        with pytest.raises(IntegrityError):
            run(f"INSERT INTO trader_controls ({names}) VALUES ({values})", *given.values())

    def test_a_pin_names_a_version_of_the_trader(self) -> None:
        with pytest.raises(DatabaseError):
            run(
                "INSERT INTO trader_controls (trader_id, kind, version, reason, actor)"
                " VALUES (%s, 'pin', 9, 'why', 'mei')",
                TRADER,
            )

    def test_a_pin_above_the_fleets_sum_is_refused_and_one_within_it_is_taken(self) -> None:
        pin = (
            "INSERT INTO trader_controls (trader_id, kind, version, reason, actor) VALUES (%s, 'pin', 1, 'why', 'mei')"
        )
        save_edit(TRADER, allocation_pct=Decimal(70))
        save_edit(TRADER, allocation_pct=Decimal(1))
        save_edit("quick_short", allocation_pct=Decimal(50))
        with pytest.raises(IntegrityError, match=f"with {TRADER} pinned to v2, allocation of the fleet is 120"):
            run(pin.replace("'pin', 1", "'pin', 2"), TRADER)
        assert TraderControl.objects.count() == 0
        run(pin, TRADER)

    def test_a_row_of_another_program_is_placed_dated_and_copied_too(self) -> None:
        run(
            "INSERT INTO trader_controls (id, trader_id, kind, reason, actor, at)"
            " VALUES (1, %s, 'stop', 'why', 'joe', '2020-01-01+00')",
            TRADER,
        )
        run(
            "INSERT INTO trader_controls (id, trader_id, kind, reason, actor) VALUES (1, %s, 'start', 'why', 'joe')",
            TRADER,
        )
        first, second = TraderControl.objects.order_by("id")
        assert first.at.year > 2020
        assert second.at > first.at
        assert copied()["desired"]["state"] == "running"


@pytest.mark.django_db
@pytest.mark.usefixtures("fleet")
class TestCopy:
    def test_an_upsert_of_an_engine_leaves_what_is_wanted(self) -> None:
        ask("stop", reason="it loses")
        run(
            "INSERT INTO trader_runtime_state (trader_id, active_config_version, is_running, detail)"
            " VALUES (%s, 1, true, '{\"decision\": {}}') ON CONFLICT (trader_id) DO UPDATE"
            " SET active_config_version = 1, is_running = true, detail = excluded.detail",
            TRADER,
        )
        detail = copied()
        assert (detail["desired"]["state"], detail["decision"]) == ("stopped", {})
        run("DELETE FROM trader_runtime_state WHERE trader_id = %s", TRADER)
        run("INSERT INTO trader_runtime_state (trader_id) VALUES (%s)", TRADER)
        assert copied()["desired"]["by"] == "mei"

    def test_an_engine_of_the_plans_columns_finds_a_ban_as_a_pause(self) -> None:
        ask("pause", until=datetime(2098, 1, 1, tzinfo=UTC), reason="news")
        assert copied()["pause"]["until"].startswith("2098-01-01T00:00:00")
        ask_fleet("stop")
        pause = copied("quick_short")["pause"]
        assert (pause["until"][:10], pause["reason"]) == ("2099-12-31", "because")

    def test_the_pause_goes_with_the_ban_and_an_engines_own_stays(self) -> None:
        own = {"until": in_minutes(60).isoformat(), "reason": "three losses"}
        TraderRuntimeState.objects.filter(pk="quick_short").update(detail={"pause": own})
        ask("pause", TRADER)
        ask("resume", TRADER)
        assert "pause" not in copied()
        assert copied("quick_short")["pause"] == own

    def test_a_copy_moves_neither_the_time_nor_the_state_of_the_report(self) -> None:
        before = TraderRuntimeState.objects.get(pk=TRADER)
        ask("stop")
        after = TraderRuntimeState.objects.get(pk=TRADER)
        assert (after.updated_at, after.is_running) == (before.updated_at, before.is_running)

    def test_a_value_that_is_no_object_is_replaced_only_where_something_is_wanted(self) -> None:
        run("UPDATE trader_runtime_state SET detail = '[1]'")
        ask("stop")
        assert set(copied()) == {"desired", "pause"}
        detail: Any = TraderRuntimeState.objects.get(pk="quick_short").detail
        assert detail == [1]


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["start", "stop", "drain", "unpin"]), st.none()),
        st.tuples(st.sampled_from(["pause", "resume"]), st.sampled_from([OPERATOR, GUARD])),
        st.tuples(st.sampled_from(["pin", "fleet stop", "fleet release", "short pause", "close"]), st.none()),
    ),
    max_size=12,
)


class TestCopyAgrees(TestCase):
    """The database and `traders.controls.rules` say the same of every beginning."""

    @given(steps=_STEPS)
    def test_for_every_beginning(self, steps: list[tuple[str, str | None]]) -> None:
        sync_traders(make_trader())
        for kind, cause in steps:
            _insert(kind, cause)
            newest = TraderControl.objects.latest("id").at
            rows = list(map(queries.as_control, TraderControl.objects.order_by("id")))
            said = rules.wanted(rows, TraderFacts(auto_start=True), newest)
            copy = copied()["desired"]
            restricted = {"stopped": "stopped", "entries_banned": "entries_banned", "running": None}
            state = restricted[said.effect] or ("running" if said.run else None)
            assert copy["state"] == state
            assert copy["version"] == said.pinned_version
            assert [pause["control_id"] for pause in copy["pauses"]] == [pause.id for pause in said.pauses]
            assert [close["control_id"] for close in copy["closes"]] == [close.id for close in said.closes]
            assert copy["control_id"] == rows[-1].id
            assert bool(copy["entries_banned_until"]) is not said.entries_allowed
            counted = queries.that_count([TRADER], newest)[TRADER]
            assert rules.wanted(counted, TraderFacts(auto_start=True), newest) == said


def _insert(kind: str, cause: str | None) -> None:
    of_fleet = kind.startswith("fleet ")
    TraderControl.objects.create(
        trader_id=None if of_fleet else TRADER,
        kind=kind.removeprefix("fleet ").removeprefix("short "),
        cause=cause or (OPERATOR if kind == "short pause" else None),
        until=in_minutes(10) if kind in ("short pause", "close") else None,
        version=1 if kind == "pin" else None,
        reason="why",
        actor="mei",
    )


@pytest.mark.django_db
@pytest.mark.usefixtures("fleet")
class TestCooldowns:
    """An engine's upsert extends a cooldown, and does not undo what a person did."""

    def upsert(self, minutes: float, **detail: Any) -> None:
        run(
            "INSERT INTO trader_symbol_cooldowns (trader_id, symbol, cooldown_until, detail) VALUES (%s, 'BTC', %s, %s)"
            " ON CONFLICT (trader_id, symbol) DO UPDATE"
            " SET cooldown_until = excluded.cooldown_until, detail = excluded.detail",
            TRADER,
            in_minutes(minutes),
            json.dumps(detail),
        )

    def minutes(self) -> int:
        left = TraderSymbolCooldown.objects.get(trader_id=TRADER).cooldown_until - in_minutes(0)
        return round(left.total_seconds() / 60)

    def test_a_shorter_one_changes_nothing_and_a_longer_one_extends(self) -> None:
        for minutes, expected in ((60, 60), (30, 60), (90, 90)):
            self.upsert(minutes)
            assert self.minutes() == expected

    def test_what_a_person_cleared_stays_cleared_until_something_happens(self) -> None:
        self.upsert(60)
        ask("clear_cooldown", symbol="BTC")
        self.upsert(50, reason="as before")
        assert self.minutes() == 0
        self.upsert(50, triggered_at=in_minutes(1).isoformat())
        assert self.minutes() == 50
        ask("cooldown", symbol="BTC", until=in_minutes(5))
        self.upsert(40)
        assert self.minutes() == 5
