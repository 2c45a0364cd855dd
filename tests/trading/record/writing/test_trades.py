"""Trades are recorded once, summed by version as they come, and never changed."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from tests.at_once import at_once
from tests.factories import make_trader, sync_traders
from tests.trading_factories import HOUR_MS, OPENED_MS, make_trade
from traders.schema import jsonio
from trading.models import Trade as TradeRow
from trading.record.results import queries as results
from trading.record.rules.errors import RecordConflict, UnknownTrader
from trading.record.stored.copying import bulk_load
from trading.record.writing import trades
from trading.record.writing.bulk_trades import copy_trades
from trading.schema.trade import TradeRecord

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fleet(request: pytest.FixtureRequest) -> None:
    sync_traders(make_trader())


def load(*batch: TradeRecord, dry_run: bool = False) -> tuple[int, int, list[str]]:
    with bulk_load(name="test", dry_run=dry_run):
        outcome = copy_trades(batch)
    return outcome.inserted, outcome.known, outcome.conflicts


def test_a_trade_that_comes_twice_is_recorded_once() -> None:
    assert trades.record_trade(make_trade()) is True
    assert trades.record_trade(make_trade()) is False
    with pytest.raises(RecordConflict, match="other content; nothing was changed"):
        trades.record_trade(make_trade(net="9"))
    assert TradeRow.objects.get().net_pnl == Decimal("4.5")


def test_a_trade_of_nobody_is_refused() -> None:
    with pytest.raises(UnknownTrader):
        trades.record_trade(make_trade("nobody"))


def test_many_at_once_tell_new_known_and_taken_ids_apart() -> None:
    first, second = make_trade(), make_trade(close_ms=OPENED_MS + 5)
    assert load(first) == (1, 0, [])
    assert load(first, second, second, make_trade(net="7")) == (1, 2, [first.id])
    assert load(first, second) == (0, 2, [])
    assert TradeRow.objects.count() == 2


@pytest.mark.plain
def test_a_load_asks_once_for_the_form_of_the_record() -> None:
    with CaptureQueriesContext(connection) as queries:
        load(make_trade(), make_trade(close_ms=OPENED_MS + 5))
    assert sum("nof0.form" in query["sql"] for query in queries) == 1


def test_what_became_known_of_versions_later_makes_no_other_trade() -> None:
    load(make_trade(entry_version=None, exit_version=None))
    assert load(make_trade(entry_version=1, exit_version=1)) == (0, 1, [])


def test_texts_with_tabs_newlines_and_backslashes_are_copied_as_they_are() -> None:
    from trading.schema.common import ExitPlan

    text = "a\tb\nc\\d\\N \\. \r ü 🙂"
    trade = make_trade(exit_plan=ExitPlan(invalidation_condition=text))
    load(trade)
    assert trades.stored(trade.id) == trade


def test_a_dry_run_tells_the_same_and_leaves_nothing() -> None:
    assert load(make_trade(), dry_run=True) == (1, 0, [])
    assert TradeRow.objects.count() == 0
    assert results.of_trader("steady_long") == {}


def test_the_last_trades_come_newest_first() -> None:
    load(*(make_trade(close_ms=OPENED_MS + n, net=n) for n in range(5)))
    assert [row[3] for row in trades.recent("steady_long", 3)] == [4, 3, 2]


amounts = st.decimals(-1000, 1000, places=6)
versions = st.one_of(st.none(), st.integers(1, 3))


@given(st.lists(st.tuples(amounts, versions, versions), max_size=12), st.integers(1, 4))
def test_the_roll_up_equals_the_sums_over_rows(
    drawn: list[tuple[Decimal, int | None, int | None]], batches: int
) -> None:
    from django.db import transaction

    made = [
        make_trade(net=net, close_ms=OPENED_MS + n * HOUR_MS, entry_version=entry, exit_version=left)
        for n, (net, entry, left) in enumerate(drawn)
    ]
    with transaction.atomic():
        for start in range(batches):
            load(*made[start::batches])
        found = results.of_trader("steady_long")
        drawdowns = results.drawdowns("steady_long", [1, 2, 3])
        transaction.set_rollback(True)

    expected: dict[int, list[TradeRecord]] = defaultdict(list)
    for trade in made:
        assert trade.detail.versions is not None
        expected[trade.detail.versions.entry or 0].append(trade)
    assert set(found) == set(expected)
    for version, those in expected.items():
        outcome = found[version]
        assert outcome.net_pnl == sum(trade.net_pnl for trade in those)
        assert outcome.trades == len(those)
        assert outcome.wins == sum(trade.net_pnl > 0 for trade in those)
        assert outcome.losses == sum(trade.net_pnl < 0 for trade in those)
        assert outcome.straddling == sum(straddles(trade) for trade in those)
        if version:
            assert drawdowns[version].usd == deepest_fall([trade.net_pnl for trade in those])


def straddles(trade: TradeRecord) -> bool:
    versions = trade.detail.versions
    return versions is not None and versions.entry != versions.exit


def deepest_fall(nets: list[Decimal]) -> Decimal:
    run = peak = deepest = Decimal(0)
    for net in nets:
        run += net
        peak = max(peak, run)
        deepest = max(deepest, peak - run)
    return deepest


@pytest.mark.django_db(transaction=True)
def test_loads_at_once_count_every_trade_once() -> None:
    batches = [[make_trade(close_ms=OPENED_MS + n) for n in range(k, 40 + k)] for k in (0, 10, 20)]
    outcomes = at_once(*(lambda batch=batch: load(*batch) for batch in batches))
    assert sum(outcome[0] for outcome in outcomes) == TradeRow.objects.count() == 60
    assert results.of_trader("steady_long")[1].trades == 60


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("{pnl,net}", "null"),
        ("{pnl,net}", '"4.5"'),
        ("{time,close_ts_ms}", "1760000000001"),
        ("{time,open_ts_ms}", "1860000000001"),
        ("{time,duration_seconds}", "7"),
        ("{prices,avg_entry}", "0"),
        ("{prices,avg_exit}", "-1"),
        ("{quantity,total}", "-1"),
        ("{risk,confidence}", "101"),
    ],
)
def test_a_program_writing_sql_is_held_to_the_same_rules(path: str, value: str) -> None:
    trade = make_trade()
    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO trades (id, trader_id, symbol, side, close_ts_ms, detail)"
            " VALUES (%s, %s, %s, %s, %s, jsonb_set(%s::jsonb, %s, %s::jsonb))",
            [
                *(trade.id, trade.trader_id, trade.symbol, trade.side, trade.close_ts_ms),
                *(jsonio.dumps(trade.stored()), path, value),
            ],
        )


@pytest.mark.plain
@pytest.mark.parametrize("statement", ["UPDATE trades SET symbol = 'ETH'", "DELETE FROM trades"])
def test_a_recorded_trade_stays_as_it_is(statement: str) -> None:
    trades.record_trade(make_trade())
    with pytest.raises(IntegrityError, match="what was recorded stays as it is"), connection.cursor() as cursor:
        cursor.execute(statement)
