"""Rows set aside count nowhere, stay stored, and can be included again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.trading.exclusion_record import (
    ALPHA,
    POSITION,
    aside,
    equity_key,
    record_alpha,
    trade_key,
    undone,
)
from tests.trading_factories import OPENED_MS, make_position, make_trade
from traders.schema.problems import InvalidConfig
from trading.analytics import queries as facts
from trading.models import Position, RecordExclusion, Trade
from trading.record.exclusions import figures
from trading.record.exclusions import services as exclusions
from trading.record.results import queries as results
from trading.record.rules.errors import AlreadyOpen, RecordConflict, SetAside, UnknownRecord
from trading.record.writing import positions, trades
from trading.schema.common import Side
from trading.schema.exclusion import RecordKey, RecordKind
from trading.schema.position import PositionRecord as PositionRecord

pytestmark = pytest.mark.django_db


@pytest.fixture
def decision() -> RecordKey:
    return record_alpha()


KINDS: dict[str, Callable[[RecordKey], RecordKey]] = {
    "trade": lambda decision: trade_key(0),
    "position": lambda decision: POSITION,
    "decision": lambda decision: decision,
    "equity": lambda decision: equity_key(1),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_of_each_kind_is_set_aside_and_included_again(decision: RecordKey, kind: str) -> None:
    before = figures.of_traders([ALPHA])
    change = aside(KINDS[kind](decision))
    assert figures.of_traders([ALPHA]) == change.after != before == change.before

    back = undone(change.entries[0].key)
    assert figures.of_traders([ALPHA]) == back.after == before
    assert [(entry.action, entry.actor, entry.reason) for entry in (*change.entries, *back.entries)] == [
        ("exclude", "mei", "wrong price"),
        ("include", "mei", "it was right"),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_preview_says_what_would_happen_and_writes_nothing(decision: RecordKey, kind: str) -> None:
    key = KINDS[kind](decision)
    told = exclusions.preview([key])
    assert not RecordExclusion.objects.exists()
    done = aside(key)
    assert (told.before, told.after) == (done.before, done.after)


def test_all_rows_of_a_call_are_set_aside_or_none(decision: RecordKey) -> None:
    with pytest.raises(UnknownRecord, match="trade alpha|BTC|1"):
        aside(trade_key(0), RecordKey(RecordKind.TRADE, "alpha|BTC|1"))
    assert not RecordExclusion.objects.exists()


@pytest.mark.parametrize(
    "name", ["", "x\0y", "99999999999999999999999", "alpha", "alpha|", "alpha|-", "alpha|1e5", "٣"]
)
@pytest.mark.parametrize("kind", RecordKind)
def test_an_id_that_nothing_has_is_named(decision: RecordKey, kind: RecordKind, name: str) -> None:
    with pytest.raises(UnknownRecord, match=str(kind)):
        aside(RecordKey(kind, name))


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1001, "sk-ant-api03-0123456789abcdef0123456789abcdef"])
def test_a_reason_is_required_and_no_secret(decision: RecordKey, reason: str) -> None:
    with pytest.raises(InvalidConfig):
        aside(trade_key(0), reason=reason)


def test_a_row_set_aside_already_stays_with_its_reason(decision: RecordKey) -> None:
    aside(trade_key(0), reason="first")
    change = aside(trade_key(0), trade_key(1), reason="second", actor="ada")
    assert [entry.key for entry in change.entries] == [trade_key(1)]
    [(key, entry)] = change.already
    assert (key, entry and (entry.reason, entry.actor)) == (trade_key(0), ("first", "mei"))


def test_including_again_what_counts_changes_nothing(decision: RecordKey) -> None:
    change = undone(trade_key(0))
    assert (change.entries, change.already) == ((), ((trade_key(0), None),))


def test_a_trade_set_aside_is_missing_from_every_list_of_trades_and_sum(decision: RecordKey) -> None:
    aside(trade_key(0), trade_key(2))
    assert [trade.id for trade in facts.facts([ALPHA]).trades] == [trade_key(1).id]
    assert [row[0] for row in trades.recent(ALPHA, 10)] == [OPENED_MS + 2 * 3_600_000]
    assert results.of_trader(ALPHA)[1].trades == 1
    assert results.drawdowns(ALPHA, [1])[1].usd == 2.25
    assert Trade.objects.count() == 3


def test_the_same_trade_again_stays_set_aside(decision: RecordKey) -> None:
    aside(trade_key(0))
    assert trades.record_trade(make_trade(ALPHA, net="4.5")) is False
    assert Trade.objects.get(pk=trade_key(0).id).exclusion_id
    with pytest.raises(RecordConflict):
        trades.record_trade(make_trade(ALPHA, net="4.6"))


def opened(**changed: Any) -> PositionRecord:
    given: dict[str, Any] = {
        "trader_id": ALPHA,
        "symbol": "BTC",
        "side": Side.LONG,
        "detail": make_position(),
    } | changed
    return positions.open_position(**given)


def test_the_same_open_position_again_stays_set_aside(decision: RecordKey) -> None:
    [entry] = aside(POSITION).entries
    assert opened().id == entry.record_id
    assert positions.open_whole(ALPHA) == []


def test_the_symbol_of_an_open_position_set_aside_can_be_opened_again(decision: RecordKey) -> None:
    [entry] = aside(POSITION).entries
    other = opened(detail=make_position(opened_ms=OPENED_MS + 9))
    assert [held.id for held in positions.open_whole(ALPHA)] == [other.id] == ["alpha|BTC"]

    with pytest.raises(AlreadyOpen):
        undone(entry.key)
    aside(POSITION)
    undone(entry.key)
    assert Position.objects.get(pk="alpha|BTC").opened_ms == OPENED_MS


def test_an_open_position_set_aside_is_not_closed(decision: RecordKey) -> None:
    aside(POSITION)
    pnl = make_trade().detail.pnl
    with pytest.raises(SetAside, match="by mei on .*: wrong price"):
        positions.close_position(trader_id=ALPHA, symbol="BTC", price=1, closed_at_ns=(OPENED_MS + 1) * 10**6, pnl=pnl)


def test_a_closed_position_set_aside_leaves_the_id_of_the_open_one(decision: RecordKey) -> None:
    pnl = make_trade().detail.pnl
    positions.close_position(trader_id=ALPHA, symbol="BTC", price=1, closed_at_ns=(OPENED_MS + 77) * 10**6, pnl=pnl)
    [entry] = aside(POSITION).entries
    assert entry.record_id.startswith(f"alpha|BTC|{OPENED_MS + 77}|")
    with pytest.raises(SetAside):
        opened()
    opened(detail=make_position(opened_ms=OPENED_MS + 99))
    undone(entry.key)
    assert sorted(Position.objects.values_list("pk", flat=True)) == ["alpha|BTC", entry.record_id]


def test_a_position_that_nobody_can_read_is_set_aside(decision: RecordKey) -> None:
    Position.objects.update(
        detail={"entry": {"price": 1, "quantity": 1, "time_ms": OPENED_MS, "unknown": {}}, "more": [1]}
    )
    [entry] = aside(POSITION).entries
    assert positions.open_whole(ALPHA) == []
    undone(entry.key)
    assert Position.objects.get().pk == "alpha|BTC"
