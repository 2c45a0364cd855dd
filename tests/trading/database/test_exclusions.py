"""What the database itself does with an entry of `record_exclusions`, whoever inserts it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from tests.factories import make_trader, sync_traders
from tests.trading_factories import HOUR_MS, OPENED_MS, make_position, make_trade
from trading.models import EquitySnapshot, Position, RecordExclusion, Trade, VersionResult
from trading.record.writing import positions, trades
from trading.schema.common import Side
from trading.schema.position import PositionRecord as PositionRecord
from trading.schema.position import PositionStatus

pytestmark = [pytest.mark.django_db, pytest.mark.plain]

SUMS = """
SELECT trader_id, coalesce(entry_version, 0), count(*), count(*) FILTER (WHERE net_pnl > 0),
       count(*) FILTER (WHERE net_pnl < 0),
       count(*) FILTER (WHERE detail #> '{versions,entry}' IS DISTINCT FROM detail #> '{versions,exit}'),
       sum(net_pnl), sum((detail #>> '{pnl,gross}')::numeric), sum((detail #>> '{pnl,commission}')::numeric),
       coalesce(sum((detail #>> '{pnl,funding}')::numeric), 0), min(close_ts_ms), max(close_ts_ms)
  FROM trades WHERE exclusion_id IS NULL GROUP BY 1, 2 ORDER BY 1, 2
"""


@pytest.fixture(autouse=True)
def _traders() -> None:
    sync_traders(make_trader("alpha"), make_trader("beta"))


def enter(action: str, *records: tuple[str, str, str]) -> None:
    """(kind, id, trader) of each, in one statement."""
    values = ", ".join(["(%s, %s, %s, %s, 'wrong price', 'mei')"] * len(records))
    parameters = [part for kind, record_id, trader in records for part in (kind, record_id, trader, action)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO record_exclusions (kind, record_id, trader_id, action, reason, actor) VALUES {values}",
            parameters,
        )


def sums() -> tuple[list[Any], list[Any]]:
    """What the roll-up says, and what the trades say."""
    with connection.cursor() as cursor:
        cursor.execute(SUMS)
        counted = list(cursor.fetchall())
    names = [field.attname for field in VersionResult._meta.concrete_fields]
    return list(VersionResult.objects.order_by("trader", "entry_version").values_list(*names)), counted


def recorded(count: int, trader: str = "alpha", nets: Sequence[Any] = ("4.5",)) -> list[str]:
    made = [
        make_trade(
            trader,
            open_ms=OPENED_MS + n * HOUR_MS,
            net=nets[n % len(nets)],
            entry_version=[1, None][n % 2],
            exit_version=1,
        )
        for n in range(count)
    ]
    for trade in made:
        trades.record_trade(trade)
    return [trade.id for trade in made]


def test_a_trade_set_aside_leaves_the_sums_of_its_version_at_once() -> None:
    ids = recorded(4, nets=["4.5", "-2.25"])
    enter("exclude", ("trade", ids[0], "alpha"))

    rolled_up, counted = sums()
    assert rolled_up == counted
    assert Trade.objects.get(pk=ids[0]).exclusion_id == RecordExclusion.objects.get().pk


def test_a_version_whose_trades_are_all_set_aside_has_no_sums() -> None:
    [only] = recorded(1)
    enter("exclude", ("trade", only, "alpha"))
    assert not VersionResult.objects.exists()

    enter("include", ("trade", only, "alpha"))
    assert sums()[0] == sums()[1] != []


class SumsHold(TestCase):
    @given(st.data())
    def test_whatever_is_set_aside_and_included_again_the_sums_are_those_of_the_trades(
        self, data: st.DataObject
    ) -> None:
        sync_traders(make_trader("alpha"), make_trader("beta"))
        nets = data.draw(st.lists(st.decimals(-9, 9, places=3), min_size=3, max_size=3))
        owners = {name: trader for trader in ("alpha", "beta") for name in recorded(5, trader, nets)}
        aside: set[str] = set()
        for _ in range(data.draw(st.integers(1, 5))):
            chosen = data.draw(st.sets(st.sampled_from(sorted(owners)), min_size=1))
            for action, some in (("exclude", chosen - aside), ("include", chosen & aside)):
                if some:
                    enter(action, *(("trade", name, owners[name]) for name in sorted(some)))
            aside ^= chosen
            rolled_up, counted = sums()
            assert rolled_up == counted


@pytest.mark.parametrize("action", ["exclude", "include"])
def test_an_entry_that_changes_nothing_is_refused(action: str) -> None:
    ids = recorded(2)
    enter("exclude", ("trade", ids[0], "alpha"))
    enter("exclude", ("trade", ids[1], "alpha"))
    enter("include", ("trade", ids[1], "alpha"))
    with pytest.raises(IntegrityError, match="as asked already"), transaction.atomic():
        enter(action, ("trade", ids[0 if action == "exclude" else 1], "alpha"))


@pytest.mark.parametrize(
    "record",
    [
        ("trade", "alpha|BTC|1", "alpha"),
        ("position", "alpha|BTC", "alpha"),
        ("decision", "77", "alpha"),
        ("equity", "alpha|1760000000000", "alpha"),
    ],
)
def test_a_row_that_is_not_there_is_refused(record: tuple[str, str, str]) -> None:
    with pytest.raises(IntegrityError, match="not there"), transaction.atomic():
        enter("exclude", record)


@pytest.mark.parametrize(
    "record", [("decision", "seven", "alpha"), ("equity", "beta|5", "alpha"), ("equity", "alpha", "alpha")]
)
def test_an_id_that_the_kind_cannot_have_is_refused(record: tuple[str, str, str]) -> None:
    with pytest.raises(IntegrityError, match="exclusions_record_form"), transaction.atomic():
        enter("exclude", record)


def test_a_trade_of_another_trader_is_refused() -> None:
    [only] = recorded(1)
    with pytest.raises(IntegrityError, match="not there"), transaction.atomic():
        enter("exclude", ("trade", only, "beta"))


def test_one_bad_entry_of_a_statement_refuses_all_of_it() -> None:
    [only] = recorded(1)
    with pytest.raises(IntegrityError), transaction.atomic():
        enter("exclude", ("trade", only, "alpha"), ("trade", "alpha|BTC|1", "alpha"))
    assert Trade.objects.get().exclusion_id is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE record_exclusions SET reason = 'other'",
        "DELETE FROM record_exclusions",
        "UPDATE trades SET exclusion_id = NULL",
        "UPDATE trades SET exclusion_id = 1",
        "UPDATE positions SET exclusion_id = 1",
        "UPDATE equity_snapshots SET exclusion_id = 1",
        "UPDATE equity_snapshots SET exclusion_id = NULL",
        "UPDATE decision_journal SET exclusion_id = 1",
        "UPDATE equity_snapshots SET equity_usd = 1 WHERE exclusion_id IS NOT NULL",
        "INSERT INTO equity_snapshots (trader_id, ts_ms, equity_usd, exclusion_id) VALUES ('alpha', 9, 1, 1)",
    ],
)
def test_marks_and_entries_are_changed_by_another_entry_alone(statement: str) -> None:
    [only] = recorded(1)
    positions.open_position(trader_id="alpha", symbol="BTC", side=Side.LONG, detail=make_position())
    EquitySnapshot.objects.create(trader_id="alpha", ts_ms=1_760_000_000_000, equity_usd=Decimal(7))
    enter("exclude", ("trade", only, "alpha"))
    enter("exclude", ("equity", "alpha|1760000000000", "alpha"))
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_an_open_position_set_aside_frees_its_symbol_and_is_not_changed_any_more() -> None:
    positions.open_position(trader_id="alpha", symbol="BTC", side=Side.LONG, detail=make_position())
    enter("exclude", ("position", f"alpha|BTC|{OPENED_MS}|long", "alpha"))
    aside = Position.objects.get()
    assert (aside.id, aside.status) == (f"alpha|BTC|{OPENED_MS}|long", "open")

    positions.insert(
        PositionRecord(
            "alpha|BTC",
            "alpha",
            "BTC",
            Side.SHORT,
            PositionStatus.OPEN,
            make_position(opened_ms=OPENED_MS + 5),
        )
    )
    with pytest.raises(IntegrityError, match="stays as it is"), transaction.atomic():
        Position.objects.filter(pk=aside.id).update(side="short")


def test_no_function_of_the_database_matches_a_record_by_its_id_alone() -> None:
    with connection.cursor() as cursor:
        cursor.execute(r"SELECT proname FROM pg_proc WHERE proname ~ '^nof0_' AND prosrc ~* 'using\s*\(\s*id\s*\)'")
        assert cursor.fetchall() == []
