"""The store follows the database."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django_redis import get_redis_connection
from pytest_django import DjangoCaptureOnCommitCallbacks

from tests.factories import make_trader, save_edit, sync_traders
from tests.trading_factories import HOUR_MS, OPENED_MS, make_entry, make_position, make_trade
from trading.live import keys
from trading.live import queries as projection
from trading.live import services as live
from trading.live.redis import store
from trading.live.redis.mode import follower
from trading.models import ConversationMessage, EquitySnapshot
from trading.record.writing import decisions, positions, trades
from trading.schema.common import Side
from trading.schema.live_store.answers import FreshValue, MissingValue
from trading.schema.live_store.limits import LEADERBOARD_MIN_TRADES
from trading.schema.live_store.quotes import names_of
from trading.schema.trade import Pnl

pytestmark = pytest.mark.django_db
ANN = "steady_long"


@pytest.fixture(autouse=True)
def _traders() -> None:
    sync_traders(make_trader(), make_trader("bob"))


def value(key: keys.Key, trader_id: str = ANN) -> Any:
    answer = store.read_one(key, trader_id)
    assert isinstance(answer, FreshValue)
    return answer.value


def trade_often(trader_id: str, count: int, net: str = "4.5") -> None:
    for n in range(count):
        trades.record_trade(make_trade(trader_id, open_ms=OPENED_MS + n * HOUR_MS, net=net))


def equity(trader_id: str, *amounts: int) -> None:
    for day, amount in enumerate(amounts):
        EquitySnapshot.objects.create(trader_id=trader_id, ts_ms=OPENED_MS + day * 24 * HOUR_MS, equity_usd=amount)


def test_nothing_is_written_before_the_commit(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        positions.open_position(trader_id=ANN, symbol="BTC", side=Side.LONG, detail=make_position())
        live.changed(ANN)
        assert store.read_one(keys.POSITIONS, ANN) == MissingValue()

    held = value(keys.POSITIONS)
    assert held.positions["BTC"].quantity == Decimal("0.010")


def test_a_rollback_writes_nothing(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> None:
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        positions.open_position(trader_id=ANN, symbol="BTC", side=Side.LONG, detail=make_position())
        live.changed(ANN)
        transaction.set_rollback(True)

    assert store.read_one(keys.POSITIONS, ANN) == MissingValue()


def test_a_close_empties_the_positions_and_is_the_newest_trade() -> None:
    trade_often(ANN, 2)
    positions.open_position(trader_id=ANN, symbol="ETH", side=Side.SHORT, detail=make_position())
    live.catch_up([ANN])
    closed_ns = (OPENED_MS + 100 * HOUR_MS) * 1_000_000
    pnl = Pnl(gross=Decimal("-1.5"), commission=Decimal("0.25"), net=Decimal("-1.75"))
    positions.close_position(trader_id=ANN, symbol="ETH", price=Decimal(46000), closed_at_ns=closed_ns, pnl=pnl)
    live.catch_up([ANN])

    assert value(keys.POSITIONS).positions == {}
    recent = value(keys.TRADES_RECENT).trades
    assert [(trade.symbol, trade.net_pnl_usd) for trade in recent] == [
        ("ETH", Decimal("-1.75")),
        ("BTC", Decimal("4.5")),
        ("BTC", Decimal("4.5")),
    ]


def test_figures_say_what_their_names_mean() -> None:
    trade_often(ANN, 3)
    trades.record_trade(make_trade(ANN, open_ms=OPENED_MS + 9 * HOUR_MS, net="-10"))
    equity(ANN, 1000, 1100, 1045, 1155)
    decisions.record_decision(make_entry(ANN))
    live.catch_up([ANN])

    found, since = value(keys.ANALYTICS), value(keys.SINCE_INCEPTION)
    assert (found.trades, found.wins, found.losses, found.win_rate_pct) == (4, 3, 1, 75.0)
    assert found.net_pnl_usd == Decimal("3.5")
    assert (found.return_pct, found.max_drawdown_pct) == (15.5, 5.0)
    assert found.sharpe == pytest.approx(11.2154, abs=0.001)
    assert (found.executed_share, found.last_actions) == (1.0, 1)
    assert (since.start_equity_usd, since.equity_usd, since.net_pnl_usd) == (1000, 1155, 155)
    assert (since.decisions, since.inception_ms) == (1, OPENED_MS)


def test_the_last_decision_and_the_conversations_follow_the_journal() -> None:
    decisions.record_decision(make_entry(ANN))
    recorded = decisions.record_decision(make_entry(ANN, decided_at=datetime(2026, 1, 9, tzinfo=UTC), success=False))
    for n in range(3):
        ConversationMessage.objects.create(
            trader_id=ANN, conversation="c1", sequence=n, role="user", content="hi", sent_at=recorded.entry.decided_at
        )
    live.catch_up([ANN, "bob"])

    last = value(keys.DECISION_LAST)
    assert (last.id, last.cycle, last.success, last.action) == (recorded.id, 2, False, "open_long")
    answer = store.read_conversations([ANN])[ANN]
    assert isinstance(answer, FreshValue)
    assert [(item.conversation, item.messages) for item in answer.value] == [("c1", 3)]
    assert store.read_one(keys.DECISION_LAST, "bob") == MissingValue()


def test_who_traded_enough_and_is_not_retired_is_on_the_leaderboard() -> None:
    for trader_id in (ANN, "bob"):
        trade_often(trader_id, LEADERBOARD_MIN_TRADES)
    equity(ANN, 1000, 900)
    equity("bob", 1000, 1200)
    live.catch_up([ANN, "bob"])
    assert list(store.read_leaderboard() or {}) == ["bob", ANN]

    save_edit("bob", detail__retired=True)
    live.catch_up(["bob"])
    assert list(store.read_leaderboard() or {}) == [ANN]


def test_who_traded_too_little_is_not_on_the_leaderboard() -> None:
    trade_often(ANN, LEADERBOARD_MIN_TRADES - 1)
    equity(ANN, 1000, 900)
    live.catch_up([ANN])

    assert store.read_leaderboard() == {}


def test_an_emptied_redis_is_filled_again_by_the_next_write() -> None:
    trade_often("bob", 2)
    live.catch_up([ANN])
    get_redis_connection("default").flushdb()
    follower.current(now=True)

    assert live.heal()

    assert len(value(keys.TRADES_RECENT, "bob").trades) == 2


def test_a_rebuild_drops_who_is_unknown_and_keeps_what_is_newer() -> None:
    trade_often(ANN, 1)
    live.catch_up([ANN, "bob"])
    connection = get_redis_connection("default")
    newer = f'{{"as_of":{9 * 10**15},"positions":{{}}}}'
    connection.hset(keys.POSITIONS.name, mapping={"ghost": '{"as_of":1761452335744123}', ANN: newer, "bob": "spoilt"})
    connection.zadd(keys.LEADERBOARD.name, {"ghost": 5})
    connection.rpush("nof0:conversations:ghost", '{"as_of":1761452335744123,"conversation":"1"}')

    assert live.rebuild_all() == 2

    assert connection.hget(keys.POSITIONS.name, ANN) == newer.encode()
    assert sorted(connection.hkeys(keys.POSITIONS.name)) == [b"bob", ANN.encode()]
    assert connection.zrange(keys.LEADERBOARD.name, 0, -1) == []
    assert not connection.exists("nof0:conversations:ghost")
    assert {connection.ttl(name) for name in connection.keys("*nof0:*")} - {-1} == set()
    assert not [name for name in connection.keys("*nof0:*") if b"next" in name]


@pytest.mark.plain
def test_the_fleet_is_read_in_seven_statements_whatever_its_size() -> None:
    with connection.execute_wrapper(counter := _Counter()):
        projection.project([ANN, "bob"])

    assert counter.count == 7


def test_equity_alone_is_followed_in_five_statements(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    live.rebuild_all()
    live.catch_up([ANN])
    before = value(keys.POSITIONS).as_of
    equity(ANN, 10_000, 10_100)

    with connection.execute_wrapper(counter := _Counter()), django_capture_on_commit_callbacks(execute=True):
        live.equity_changed(ANN)

    assert counter.count == 5
    assert value(keys.SINCE_INCEPTION).equity_usd == 10_100
    assert value(keys.ANALYTICS).return_pct == pytest.approx(1)
    assert value(keys.POSITIONS).as_of == before


def test_equity_keeps_what_it_does_not_move_from_becoming_stale(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    live.catch_up([ANN])
    before = value(keys.POSITIONS).as_of
    monkeypatch.setattr(live, "WHOLE_EVERY_SECONDS", 0)

    with django_capture_on_commit_callbacks(execute=True):
        live.equity_changed(ANN)

    assert value(keys.POSITIONS).as_of > before


class _Counter:
    count = 0

    def __call__(self, execute: object, *arguments: object) -> object:
        self.count += 1
        return execute(*arguments)  # type: ignore[operator]


def test_one_traders_unrealized_pnl_reads_no_other_traders() -> None:
    """Whoever reports equity every minute must not read the whole fleet for it."""
    assert set(projection.providers([ANN])) == {ANN}
    assert set(projection.providers()) == {ANN, "bob"}
    assert projection.provider_names() == names_of(projection.providers())
