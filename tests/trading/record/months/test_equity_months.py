"""Equity divided by month: no point is lost, every rule holds as before, and old months can be taken out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from tests.factories import make_trader, sync_traders
from tests.rows_from_before import put_rules_back, take_rules_away
from traders.database import sql
from trading.models import EquitySnapshot
from trading.record.exclusions import services as exclusions
from trading.record.months import queries, services
from trading.record.months.rules import BEFORE, LATER, CannotDivide, Month
from trading.record.stored.copying import bulk_load
from trading.record.writing.equity import copy_equity
from trading.schema.exclusion import RecordKey, RecordKind
from trading.schema.facts import EquityPoint

pytestmark = [pytest.mark.django_db, pytest.mark.plain]

TRADER, OTHER = "steady_long", "other"
DAY_MS = 86_400_000
ADD = "INSERT INTO equity_snapshots (trader_id, ts_ms, equity_usd) VALUES (%s, %s, %s)"
_OF_TABLE = {
    "rules": "SELECT conname FROM pg_constraint WHERE conrelid = 'equity_snapshots'::regclass AND contype IN ('c','f')",
    "triggers": "SELECT tgname FROM pg_trigger WHERE tgrelid = 'equity_snapshots'::regclass AND NOT tgisinternal",
    "indexes": "SELECT indexname FROM pg_indexes WHERE tablename = 'equity_snapshots'",
}


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture(autouse=True)
def _points(now: datetime) -> None:
    """A point a day of two traders for 400 days, up to now."""
    sync_traders(make_trader(), make_trader(OTHER))
    until = int(now.timestamp() * 1000)
    sql.execute(
        "INSERT INTO equity_snapshots (trader_id, ts_ms, equity_usd)"
        " SELECT id, %s - n * 86400000::bigint, 10000 + n FROM unnest(%s::text[]) AS id, generate_series(0, 399) AS n",
        [until, [TRADER, OTHER]],
    )


def rows() -> list[Any]:
    return list(EquitySnapshot.objects.order_by("trader_id", "ts_ms").values_list())


def of_table(what: str) -> set[str]:
    return set(sql.values(_OF_TABLE[what]))


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("equity_months", *arguments, stdout=out)
    return out.getvalue()


def months_ago(now: datetime, count: int) -> Month:
    month = Month.of(now)
    for _ in range(count):
        month = Month.of_ms(month.begins_ms - 1)
    return month


def test_dividing_keeps_every_point_rule_and_index_and_makes_the_months_ahead(now: datetime) -> None:
    before, held = rows(), {what: of_table(what) for what in _OF_TABLE}
    assert command().strip() == "equity_snapshots is one table."
    command("--divide")
    assert rows() == before
    assert {what: of_table(what) for what in _OF_TABLE} == held | {
        "triggers": held["triggers"] | {"equity_snapshots_corrected_once"}
    }
    first, last = Month.of(now).next, Month.of(now).next.next
    names = [part.table for part in services.parts()]
    assert names == [BEFORE, first.table, last.table, LATER]
    bounds = [(part.from_ms, part.to_ms) for part in services.parts()]
    assert bounds == [
        (None, first.begins_ms),
        (first.begins_ms, last.begins_ms),
        (last.begins_ms, last.next.begins_ms),
        (last.next.begins_ms, None),
    ]
    with pytest.raises(CommandError, match="divided by month already"):
        command("--divide")


def test_a_point_of_any_moment_has_a_place(now: datetime) -> None:
    services.divide(now)
    soon = int((now + timedelta(hours=20)).timestamp() * 1000)
    for ms in (1_300_000_000_000, soon):
        sql.execute(ADD, [TRADER, ms, 10_000])
        assert EquitySnapshot.objects.filter(trader_id=TRADER, ts_ms=ms).count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        sql.execute(ADD, [TRADER, soon, 10_000])
    assert sql.execute(f"{ADD} ON CONFLICT (trader_id, ts_ms) DO NOTHING", [TRADER, soon, 1]) == 0


def test_what_the_database_refuses_and_judges_stays_so(now: datetime) -> None:
    services.divide(now)
    newest: Any = EquitySnapshot.objects.filter(trader_id=TRADER).latest("ts_ms")
    for refused in (
        [TRADER, newest.ts_ms + 10 * DAY_MS, 1],
        [TRADER, newest.ts_ms + 1, "NaN"],
        ["no_such_trader", newest.ts_ms + 1, 1],
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            sql.execute(f"{ADD}; SET CONSTRAINTS ALL IMMEDIATE", refused)
    sql.execute(ADD, [TRADER, newest.ts_ms + 1, 5])
    assert EquitySnapshot.objects.get(trader_id=TRADER, ts_ms=newest.ts_ms + 1).is_suspect
    exclusions.set_aside(
        [RecordKey(RecordKind.EQUITY, f"{TRADER}|{newest.ts_ms}", TRADER)], reason="wrong", actor="mei"
    )
    assert EquitySnapshot.objects.get(trader_id=TRADER, ts_ms=newest.ts_ms).exclusion_id is not None
    with pytest.raises(Exception, match="stays as it is"), transaction.atomic():
        sql.execute("UPDATE equity_snapshots SET equity_usd = 1 WHERE exclusion_id IS NOT NULL")


def test_a_point_is_corrected_once_across_months(now: datetime) -> None:
    services.divide(now)
    services.take_out(1)
    ends = Month.of(now).begins_ms
    add = "INSERT INTO equity_snapshots (trader_id, ts_ms, equity_usd, corrects_ts_ms) VALUES (%s, %s, 1, %s)"
    sql.execute(add, [TRADER, ends - 5, ends - 9])
    with pytest.raises(IntegrityError, match="was corrected before") as refused, transaction.atomic():
        sql.execute(add, [TRADER, ends + 5, ends - 9])
    cause: Any = refused.value.__cause__
    assert cause.diag.constraint_name == "equity_snapshots_corrected_once"
    sql.execute(add, [OTHER, ends + 5, ends - 9])


def test_imports_add_to_a_divided_table_what_is_new(now: datetime) -> None:
    services.divide(now)
    newest: Any = EquitySnapshot.objects.filter(trader_id=TRADER).latest("ts_ms")
    batch = [
        EquityPoint(TRADER, newest.ts_ms, newest.equity_usd),
        EquityPoint(TRADER, newest.ts_ms + 1, newest.equity_usd),
    ]
    with bulk_load(name="equity"):
        outcome = copy_equity(batch)
    assert outcome.inserted == 1


def test_months_are_made_ahead_and_take_what_lay_behind_the_last_one(now: datetime) -> None:
    # As a row that an exchange dated wrong and an operator set aside.
    take_rules_away()
    services.divide(now)
    assert services.make_ahead(now) == []
    far = now + timedelta(days=95)
    ms = int(far.timestamp() * 1000)
    sql.execute(ADD, [TRADER, ms, 7])
    assert count(LATER) == 1
    made = services.make_ahead(far - timedelta(days=31))
    assert (Month.of(far) in made, count(LATER), count(Month.of(far).table)) == (True, 0, 1)
    put_rules_back()


def count(table: str) -> int:
    return int(sql.value(f"SELECT count(*) FROM {table}"))


def test_old_points_are_made_months_from_the_newest_on(now: datetime) -> None:
    services.divide(now)
    before = rows()
    said = command("--take-out", "2")
    assert f"Taken out: {Month.of(now)}, {months_ago(now, 1)}." in said
    assert rows() == before
    assert count(months_ago(now, 1).table) in (2 * 28, 2 * 29, 2 * 30, 2 * 31)
    assert len(services.take_out(100)) == len({Month.of_ms(row[1]) for row in before}) - 2
    assert (count(BEFORE), rows()) == (0, before)


def test_old_months_are_detached_with_all_before_them_and_only_when_told_so(now: datetime) -> None:
    services.divide(now)
    services.take_out(3)
    upto = months_ago(now, 1)
    before = rows()
    said = command("--detach", str(upto))
    assert "would count nowhere any more; --yes does it" in said
    assert rows() == before
    said = command("--detach", str(upto), "--yes")
    kept = [row for row in before if row[1] >= Month.of(now).begins_ms]
    assert rows() == kept
    assert f"{len(before) - len(kept):,} points now count nowhere." in said
    assert count(upto.detached_table) > 0
    assert [part.table for part in services.parts()][:2] == [BEFORE, Month.of(now).table]
    sql.execute(ADD, [TRADER, upto.begins_ms + 1, 10_000])
    assert count(BEFORE) == 1, "a point that comes late has a place"


@pytest.mark.parametrize(
    ("asked", "why"),
    [("2026-13", "no month such as"), ("2031-01", "is not over yet"), ("2019-01", "is no part of the table")],
)
def test_a_month_that_cannot_be_detached_changes_nothing(now: datetime, asked: str, why: str) -> None:
    services.divide(now)
    before = [part.table for part in services.parts()]
    with pytest.raises(CommandError, match=why):
        command("--detach", asked, "--yes")
    assert [part.table for part in services.parts()] == before


def test_a_table_that_is_one_has_no_months_to_detach_and_gets_none(now: datetime) -> None:
    with pytest.raises(CommandError, match="The table is one"):
        command("--detach", "2025-01", "--yes")
    assert services.make_ahead(now) == []
    assert not queries.is_divided()


def test_rows_from_before_a_rule_come_along_and_are_named_where_they_cannot(now: datetime) -> None:
    take_rules_away()
    sql.execute(ADD, [TRADER, 1_000, 10_000])
    sql.execute(ADD, [OTHER, Month.of(now).begins_ms + 7, "NaN"])
    put_rules_back(inside=True)
    before = len(rows())
    services.divide(now)
    assert len(rows()) == before
    with pytest.raises(CannotDivide, match="check_record"), transaction.atomic():
        services.take_out(1)
    assert len(rows()) == before


def test_the_newest_point_is_found_without_a_look_at_every_month(now: datetime) -> None:
    services.divide(now)
    services.take_out(12)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF) SELECT equity_usd FROM equity_snapshots"
            " WHERE trader_id = 'other' ORDER BY ts_ms DESC LIMIT 1"
        )
        plan = [line for (line,) in cursor.fetchall()]
    looked = [line for line in plan if "Scan" in line and "never executed" not in line]
    assert not any("Merge" in line for line in plan), plan
    assert len(looked) == 4, "the two months ahead, what lies behind them, and this month"


def test_months_follow_each_other_over_the_year() -> None:
    assert Month(2026, 12).next == Month(2027, 1)
    assert Month.of(datetime(2026, 12, 31, 23, 59, tzinfo=UTC)).table == "equity_snapshots_2026_12"
    assert Month.of_ms(Month(2027, 1).begins_ms - 1) == Month(2026, 12)
