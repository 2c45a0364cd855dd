"""Positions, trades, equity and prices that engines record: once each, however often they are sent."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from tests.at_once import at_once
from tests.engine_client import Engine
from tests.factories import make_trader, sync_traders
from traders.models import TraderSymbolCooldown
from traders.schema.tokens import Scope
from traders.tokens import services as tokens
from trading.live import keys
from trading.live.redis import store
from trading.models import EquitySnapshot, Position, Trade, VersionResult
from trading.schema.live_store.answers import FreshValue

POSITIONS = "/traders/steady_long/positions"
CLOSE = f"{POSITIONS}/close"
TRADES = "/traders/steady_long/trades"
EQUITY = "/traders/steady_long/equity"
COOLDOWNS = "/traders/steady_long/cooldowns"
# Before the trader's first version.
OPENED_MS = 1_760_000_000_000
BTC: dict[str, Any] = {
    "symbol": "BTC",
    "side": "long",
    "entry": {"price": Decimal("64000.10"), "quantity": Decimal("0.500"), "time_ms": OPENED_MS, "leverage": 10},
}
CLOSED: dict[str, Any] = {
    "symbol": "BTC",
    "price": Decimal("65000.5"),
    "closed_at_ns": (OPENED_MS + 60_000) * 10**6 + 7,
    "pnl": {"gross": Decimal("500.20"), "commission": Decimal("1.10"), "net": Decimal("499.10")},
}


def _trade(**changed: Any) -> dict[str, Any]:
    detail = {
        "time": {"open_ts_ms": OPENED_MS, "close_ts_ms": OPENED_MS + 60_000, "duration_seconds": 60},
        "prices": {"avg_entry": 100, "avg_exit": 110},
        "quantity": {"total": 2},
        "pnl": {"gross": 20, "net": Decimal("19.5")},
    }
    return {
        "symbol": "xyz:SP500".upper(),
        "side": "short",
        "closed_at_ns": (OPENED_MS + 60_000) * 10**6,
        "detail": detail | changed,
    }


def test_a_position_is_opened_with_every_digit_and_shown_live(engine: Engine) -> None:
    reply = engine.put(POSITIONS, BTC)

    assert reply.status == 200
    row = Position.objects.get()
    assert (row.id, row.side, row.status) == ("steady_long|BTC", "long", "open")
    assert str(row.detail["entry"]["price"]) == "64000.10"
    assert row.detail["versions"] == {}
    assert engine.get(POSITIONS).body["positions"] == [reply.body]


@pytest.mark.django_db(transaction=True)
def test_the_live_store_shows_it_after_the_commit(engine: Engine) -> None:
    engine.put(POSITIONS, BTC)

    answer = store.read(keys.POSITIONS, ["steady_long"])["steady_long"]
    assert isinstance(answer, FreshValue)
    assert answer.value.positions["BTC"].quantity == Decimal("0.500")


def test_the_same_position_again_changes_nothing_and_new_parts_are_added(engine: Engine) -> None:
    engine.put(POSITIONS, BTC)
    engine.put(POSITIONS, BTC | {"exit_plan": {"sl_price": 63000}})
    engine.put(POSITIONS, BTC)

    row = Position.objects.get()
    assert row.detail["exit_plan"] == {"sl_price": 63000}
    assert row.detail["versions"] == {}


@pytest.mark.parametrize("other", [{"side": "short"}, {"entry": BTC["entry"] | {"time_ms": OPENED_MS + 1}}])
def test_another_position_beside_the_open_one_is_a_conflict(engine: Engine, other: dict[str, Any]) -> None:
    engine.put(POSITIONS, BTC)

    reply = engine.put(POSITIONS, BTC | other)

    assert reply.status == 409
    assert reply.body["detail"].startswith("steady_long holds an open position in BTC already")
    assert ("hedge mode" in reply.body["detail"]) is ("side" in other)


def test_a_close_records_its_trade_once(engine: Engine) -> None:
    engine.put(POSITIONS, BTC)

    first = engine.post(CLOSE, CLOSED)

    assert first.status == 200
    assert engine.post(CLOSE, CLOSED).body == first.body
    row = Trade.objects.get()
    assert row.id == first.body["id"] == f"steady_long|BTC|{CLOSED['closed_at_ns']}"
    assert (row.net_pnl, row.entry_version) == (Decimal("499.10"), None)
    assert Position.objects.get().status == "closed"
    assert engine.get(POSITIONS).body["positions"] == []


def test_an_opening_that_comes_late_does_not_open_what_was_closed(engine: Engine) -> None:
    engine.put(POSITIONS, BTC)
    engine.post(CLOSE, CLOSED)

    assert engine.put(POSITIONS, BTC).status == 409
    assert Position.objects.get().status == "closed"


def test_what_is_sent_again_after_the_symbol_reopened_changes_nothing(engine: Engine) -> None:
    later = BTC | {"entry": BTC["entry"] | {"time_ms": OPENED_MS + 90_000}}
    engine.put(POSITIONS, BTC)
    first = engine.post(CLOSE, CLOSED)
    engine.put(POSITIONS, later)

    assert engine.post(CLOSE, CLOSED).body == first.body
    assert engine.put(POSITIONS, BTC).status == 409
    engine.post(CLOSE, CLOSED | {"closed_at_ns": (OPENED_MS + 120_000) * 10**6})
    assert engine.put(POSITIONS, BTC).status == 409
    assert engine.get(POSITIONS).body["positions"] == []
    assert Trade.objects.count() == 2


def test_closing_what_is_not_open_or_before_its_entry_is_refused(engine: Engine) -> None:
    assert engine.post(CLOSE, CLOSED).status == 409
    engine.put(POSITIONS, BTC)

    reply = engine.post(CLOSE, CLOSED | {"closed_at_ns": (OPENED_MS - 1) * 10**6})

    assert (reply.status, reply.body["problems"][0]["path"]) == (422, "closed_at_ns")
    assert not Trade.objects.exists()


def test_a_trade_made_elsewhere_belongs_to_the_version_of_its_time(engine: Engine) -> None:
    now = int(time.time() * 1000) + 1000
    moments = {"open_ts_ms": now, "close_ts_ms": now + 60_000, "duration_seconds": 60}
    ns = {"closed_at_ns": (now + 60_000) * 10**6}

    reply = engine.put(TRADES, _trade(time=moments) | ns)

    assert reply.status == 200
    assert engine.put(TRADES, _trade(time=moments) | ns).body == reply.body
    assert Trade.objects.get().detail["versions"] == {"entry": 1, "exit": 1}
    assert VersionResult.objects.get().net_pnl == Decimal("19.5")
    assert engine.put(TRADES, _trade(time=moments, pnl={"gross": 20, "net": 21}) | ns).status == 409


@pytest.mark.parametrize(
    ("path", "body", "wrong"),
    [
        (POSITIONS, BTC | {"symbol": "B T C"}, "symbol"),
        (POSITIONS, BTC | {"side": "up"}, "side"),
        (POSITIONS, BTC | {"entry": BTC["entry"] | {"quantity": -1}}, "entry.quantity"),
        (POSITIONS, BTC | {"entry": BTC["entry"] | {"time_ms": 1_800_000_000}}, "entry.time_ms"),
        (POSITIONS, BTC | {"versions": {"entry": 1}}, "versions"),
        (TRADES, _trade(versions={"entry": 1}), "detail.versions"),
        (TRADES, _trade() | {"closed_at_ns": (OPENED_MS + 1) * 10**6}, "closed_at_ns"),
        (TRADES, _trade(time={"open_ts_ms": 5}), "detail.time.open_ts_ms"),
        (EQUITY, {"points": []}, "points"),
        (EQUITY, {"points": [{"ts_ms": OPENED_MS, "equity_usd": "1"}]}, "points.0.equity_usd"),
        (COOLDOWNS, {"symbol": "BTC", "cooldown_until": "2027-01-01T00:00:00"}, "cooldown_until"),
        ("/prices", {"prices": {"B TC": {"price": 1}}}, "prices.B TC"),
        ("/prices", {"prices": {"BTC": {"price": 0}}}, "prices.BTC.price"),
    ],
)
def test_a_wrong_field_is_refused_at_its_place(engine: Engine, path: str, body: Any, wrong: str) -> None:
    reply = engine.put(path, body)

    assert reply.status == 422
    assert reply.body["problems"][0]["path"] == wrong
    assert [model.objects.count() for model in (Position, Trade, EquitySnapshot)] == [0, 0, 0]


def test_a_decision_of_another_trader_opens_nothing(engine: Engine) -> None:
    reply = engine.put(POSITIONS, BTC | {"decision_id": 7})

    assert (reply.status, reply.body["detail"]) == (422, "steady_long has no decision 7")


def test_equity_is_recorded_all_or_nothing(engine: Engine) -> None:
    points = [{"ts_ms": OPENED_MS + n, "equity_usd": Decimal("100.10") + n} for n in range(3)]

    assert engine.put(EQUITY, {"points": points}).body == {"recorded": 3, "known": 0, "set_aside": 0}
    assert engine.put(EQUITY, {"points": points[1:]}).body == {"recorded": 0, "known": 2, "set_aside": 0}
    refused = engine.put(EQUITY, {"points": [{"ts_ms": OPENED_MS + 9, "equity_usd": 1}, points[0] | {"equity_usd": 7}]})
    assert refused.status == 409
    assert EquitySnapshot.objects.count() == 3


def test_a_cooldown_is_set_and_seen_while_it_holds(engine: Engine) -> None:
    ahead = {"symbol": "BTC", "cooldown_until": "2098-01-01T02:00:00+02:00", "detail": {"reason": "close_position"}}
    engine.put(COOLDOWNS, ahead | {"symbol": "ETH", "cooldown_until": "2020-01-01T00:00:00Z"})

    reply = engine.put(COOLDOWNS, ahead)

    assert engine.get(COOLDOWNS).body["cooldowns"] == [reply.body]
    assert reply.body["cooldown_until"] == "2098-01-01T00:00:00Z"
    assert TraderSymbolCooldown.objects.count() == 2


def test_prices_reach_the_live_store(engine: Engine) -> None:
    assert engine.put("/prices", {"prices": {"BTC": {"price": Decimal("64000.10")}}}).body["written"] == 1

    answer = store.read(keys.PRICE, ["BTC"])["BTC"]
    assert isinstance(answer, FreshValue)
    assert str(answer.value.price) == "64000.10"


def test_an_unknown_trader_is_404_everywhere(engine: Engine) -> None:
    asked = [("PUT", POSITIONS, BTC), ("POST", CLOSE, CLOSED), ("PUT", TRADES, _trade()), ("GET", POSITIONS, None)]
    asked += [("PUT", EQUITY, {"points": [{"ts_ms": OPENED_MS, "equity_usd": 1}]}), ("GET", COOLDOWNS, None)]
    asked += [("PUT", COOLDOWNS, {"symbol": "BTC", "cooldown_until": "2098-01-01T00:00:00Z"})]

    statuses = [engine.send(method, path.replace("steady_long", "nobody"), body).status for method, path, body in asked]
    assert statuses == [404] * len(asked)


@pytest.mark.django_db(transaction=True)
def test_sent_twice_at_once_it_is_opened_and_closed_once(engine: Engine) -> None:
    opened = at_once(*[lambda: engine.put(POSITIONS, BTC)] * 3)
    closed = at_once(*[lambda: engine.post(CLOSE, CLOSED)] * 3)

    assert {reply.status for reply in opened} <= {200, 409}
    assert 200 in {reply.status for reply in opened}
    assert [reply.status for reply in closed].count(200) >= 1
    assert (Position.objects.count(), Trade.objects.count()) == (1, 1)


STEPS = st.lists(
    st.tuples(st.sampled_from(["open", "close", "again"]), st.sampled_from(["BTC", "ETH"]), st.integers(0, 3)),
    max_size=12,
)


@pytest.mark.django_db
@given(steps=STEPS)
def test_whatever_is_sent_in_whatever_order_the_record_is_consistent(steps: list[tuple[str, str, int]]) -> None:
    with transaction.atomic():
        sync_traders(make_trader())
        engine = Engine(tokens.create(name="any", scopes=list(Scope), actor="ann")[1])
        for what, symbol, minute in steps:
            at_ms = OPENED_MS + minute * 60_000
            if what == "close":
                engine.post(CLOSE, CLOSED | {"symbol": symbol, "closed_at_ns": (at_ms + 30_000) * 10**6})
            else:
                engine.put(POSITIONS, BTC | {"symbol": symbol, "entry": BTC["entry"] | {"time_ms": at_ms}})
        trades = list(Trade.objects.all())
        closed = Position.objects.filter(status="closed").count()
        assert len(trades) == closed
        # Nothing was opened, or closed, twice.
        assert len(set(Position.objects.values_list("symbol", "opened_ms"))) == Position.objects.count()
        assert Position.objects.filter(status="open").count() <= 2
        assert sum(result.trades for result in VersionResult.objects.all()) == len(trades)
        assert all(trade.detail["time"]["close_ts_ms"] >= trade.detail["time"]["open_ts_ms"] for trade in trades)
        transaction.set_rollback(True)
