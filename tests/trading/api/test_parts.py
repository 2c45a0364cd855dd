"""Parts of a position over the engine API: each recorded once, one trade at the end."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from tests.at_once import at_once
from tests.engine_client import Engine
from tests.traders.admin.people import browser_of
from traders.accounts.rules import Role
from trading.live import keys
from trading.live.redis import store
from trading.models import Position, Trade, VersionResult
from trading.schema.live_store.answers import FreshValue

POSITIONS = "/traders/steady_long/positions"
BTC = f"{POSITIONS}/BTC"
MS = 1_760_000_000_000
OPENED: dict[str, Any] = {
    "symbol": "BTC",
    "side": "long",
    "entry": {"price": 100, "quantity": 3, "time_ms": MS},
    "orders": {"entry_oid": 1},
}


def part(quantity: int, price: int, minute: int, **more: Any) -> dict[str, Any]:
    return {"quantity": quantity, "price": price, "at_ms": MS + minute * 60_000} | more


FIRST, SECOND = part(1, 110, 1, order_id=2, fill_id=22), part(2, 120, 2, order_id=3)
CLOSE = {"symbol": "BTC", "price": 115, "closed_at_ns": (MS + 180_000) * 10**6, "pnl": {"gross": 20, "net": 20}}


def in_parts(engine: Engine) -> None:
    engine.put(POSITIONS, OPENED)
    assert engine.post(f"{BTC}/reduce", FIRST).status == 200
    assert engine.post(f"{BTC}/increase", SECOND).status == 200


def test_a_position_closed_in_parts_is_one_trade(engine: Engine) -> None:
    in_parts(engine)

    reply = engine.post(f"{POSITIONS}/close", CLOSE)

    assert reply.status == 200
    row, result = Trade.objects.get(), VersionResult.objects.get()
    detail = row.detail
    assert (detail["quantity"]["total"], detail["prices"]) == (5, {"avg_entry": 108, "avg_exit": 114})
    assert (detail["pnl"]["gross"], row.net_pnl) == (30, 30)
    assert (result.trades, result.wins, result.net_pnl) == (1, 1, 30)
    assert [fill["type"] for fill in detail["fills"]] == ["entry", "exit", "entry", "exit"]
    closed = Position.objects.get()
    assert (closed.status, closed.quantity, closed.detail["close"]["pnl"]) == ("closed", 5, 30)
    assert [event["kind"] for event in closed.detail["events"]] == ["open", "reduce", "increase", "close"]


def test_three_reductions_close_it_as_one_trade_with_three_exit_fills(engine: Engine) -> None:
    engine.put(POSITIONS, OPENED)
    parts = [part(1, 110, 1), part(1, 112, 2), part(1, 114, 3, commission=Decimal("0.5"))]

    replies = [engine.post(f"{BTC}/reduce", one) for one in parts]
    again = [engine.post(f"{BTC}/reduce", one) for one in parts]

    assert [reply.status for reply in (*replies, *again)] == [200] * 6
    row = Trade.objects.get()
    assert [fill["price"] for fill in row.detail["fills"] if fill["type"] == "exit"] == [110, 112, 114]
    assert row.net_pnl == Decimal("35.5")
    assert engine.get(POSITIONS).body["positions"] == []


def test_a_reduction_of_all_at_once_may_be_sent_again(engine: Engine) -> None:
    engine.put(POSITIONS, OPENED | {"entry": OPENED["entry"] | {"commission": Decimal("0.25")}})
    whole = part(3, 110, 1, commission=Decimal("0.5"))

    first, again = engine.post(f"{BTC}/reduce", whole), engine.post(f"{BTC}/reduce", whole)

    assert (first.status, again.status) == (200, 200), again.body
    assert first.body["id"] == again.body["id"]
    assert Trade.objects.get().net_pnl == Decimal("29.25")
    assert engine.post(f"{BTC}/reduce", whole | {"price": 111}).status == 409


@pytest.mark.parametrize("last", ["0.09999999999999998", "0.10000000000000003"])
def test_the_last_part_may_be_off_by_what_binary_fractions_lose(engine: Engine, last: str) -> None:
    engine.put(POSITIONS, OPENED | {"entry": OPENED["entry"] | {"quantity": Decimal("0.3")}})
    parts = [part(0, 110, minute) | {"quantity": Decimal(size)} for minute, size in ((1, "0.2"), (2, last))]

    replies = [engine.post(f"{BTC}/reduce", one) for one in (*parts, *parts)]

    assert [reply.status for reply in replies] == [200] * 4, [reply.body for reply in replies]
    assert Trade.objects.get().quantity == Decimal("0.3")
    assert engine.get(POSITIONS).body["positions"] == []


@pytest.mark.parametrize("quantity", ["3.00001", "4", "1e15"])
def test_a_reduction_beyond_what_is_held_is_refused_and_changes_nothing(engine: Engine, quantity: str) -> None:
    engine.put(POSITIONS, OPENED)
    reply = engine.post(f"{BTC}/reduce", part(0, 110, 1) | {"quantity": Decimal(quantity)})

    assert reply.status == 422
    assert Position.objects.get().quantity == 3


def test_the_position_shows_what_remains_and_its_average_entry(engine: Engine) -> None:
    in_parts(engine)

    (shown,) = engine.get(POSITIONS).body["positions"]

    assert (shown["detail"]["entry"]["quantity"], shown["detail"]["entry"]["price"]) == (4, 110)
    assert shown["detail"]["realized"]["net"] == 10
    assert [event["remaining"] for event in shown["detail"]["events"]] == [3, 2, 4]


@pytest.mark.django_db(transaction=True)
def test_the_live_store_shows_what_remains(engine: Engine) -> None:
    in_parts(engine)

    answer = store.read(keys.POSITIONS, ["steady_long"])["steady_long"]

    assert isinstance(answer, FreshValue)
    assert (answer.value.positions["BTC"].quantity, answer.value.positions["BTC"].entry_price) == (4, 110)


def test_each_part_sent_again_changes_nothing_also_after_the_close(engine: Engine) -> None:
    in_parts(engine)
    before = engine.get(POSITIONS).body
    assert engine.post(f"{BTC}/reduce", FIRST).status == engine.post(f"{BTC}/increase", SECOND).status == 200
    assert engine.put(POSITIONS, OPENED).status == 200
    assert engine.get(POSITIONS).body == before
    first = engine.post(f"{POSITIONS}/close", CLOSE)

    assert engine.post(f"{POSITIONS}/close", CLOSE).body == first.body
    assert engine.post(f"{BTC}/reduce", FIRST).status == 200
    assert engine.post(f"{POSITIONS}/close", CLOSE | {"pnl": {"gross": 21, "net": 21}}).status == 409
    engine.put(POSITIONS, OPENED | {"entry": OPENED["entry"] | {"time_ms": MS + 600_000}})
    assert engine.post(f"{BTC}/reduce", FIRST).status == 200
    assert engine.get(POSITIONS).body["positions"][0]["detail"]["entry"]["quantity"] == 3


def test_other_content_of_a_part_is_a_conflict(engine: Engine) -> None:
    in_parts(engine)

    assert engine.post(f"{BTC}/reduce", FIRST | {"quantity": 2}).status == 409
    assert engine.post(f"{BTC}/increase", SECOND | {"price": 121}).status == 409


def test_a_moved_plan_is_an_event_and_the_plan_that_stands(engine: Engine) -> None:
    engine.put(POSITIONS, OPENED | {"exit_plan": {"sl_price": 90, "tp_price": 130}})
    moved = {"exit_plan": {"sl_price": 99, "tp_price": 130}, "at_ms": MS + 60_000, "sl_oid": 44}

    reply = engine.post(f"{BTC}/plan", moved)

    assert engine.post(f"{BTC}/plan", moved).body == reply.body
    assert engine.post(f"{BTC}/plan", moved | {"exit_plan": {"sl_price": 98}}).status == 409
    detail = Position.objects.get().detail
    assert detail["exit_plan"] == {"sl_price": 99, "tp_price": 130}
    assert detail["orders"] == {"entry_oid": 1, "sl_oid": 44}
    assert [event["sl_price"] for event in detail["events"]] == [90, 99]


def test_an_event_names_its_decision_and_the_version_of_it(engine: Engine) -> None:
    engine.put(POSITIONS, OPENED)
    entry = {"key": "k", "config_version": 1, "decided_at": "2026-01-08T10:30:00Z", "success": True, "detail": {}}
    number = engine.post("/traders/steady_long/decisions", entry).body["id"]

    engine.post(f"{BTC}/reduce", FIRST | {"decision_id": number})

    event = Position.objects.get().detail["events"][1]
    assert (event["decision_id"], event["version"]) == (number, 1)
    assert engine.post(f"{BTC}/reduce", part(1, 111, 4, decision_id=number + 1)).status == 422


@pytest.mark.parametrize(
    ("path", "body", "wrong"),
    [
        (f"{BTC}/reduce", part(4, 110, 1), "quantity"),
        (f"{BTC}/reduce", part(0, 110, 1), "quantity"),
        (f"{BTC}/increase", part(1, 0, 1), "price"),
        (f"{BTC}/increase", part(1, 100, -1), "at_ms"),
        (f"{BTC}/plan", {"exit_plan": {"sl_price": -1}, "at_ms": MS}, "exit_plan.sl_price"),
    ],
)
def test_a_wrong_part_is_refused_at_its_place(engine: Engine, path: str, body: Any, wrong: str) -> None:
    engine.put(POSITIONS, OPENED)

    reply = engine.post(path, body)

    assert (reply.status, reply.body["problems"][0]["path"]) == (422, wrong)
    assert "events" not in Position.objects.get().detail


def test_parts_of_what_is_not_open_are_a_conflict(engine: Engine) -> None:
    assert engine.post(f"{BTC}/reduce", FIRST).status == 409
    assert engine.post("/traders/nobody/positions/BTC/reduce", FIRST).status == 404


def test_a_symbol_with_slashes_and_colons_has_its_path(engine: Engine) -> None:
    engine.put(POSITIONS, OPENED | {"symbol": "BTC/USDT:USDT"})

    assert engine.post(f"{POSITIONS}/BTC/USDT:USDT/reduce", FIRST).status == 200


def test_a_flip_in_one_fill_is_a_close_and_an_opening_at_one_moment(engine: Engine) -> None:
    engine.put(POSITIONS, OPENED)
    flip = MS + 60_000
    close = CLOSE | {"closed_at_ns": flip * 10**6, "fills": [fill("exit", 3, flip)]}

    assert engine.post(f"{POSITIONS}/close", close).status == 200
    other = {"side": "short", "entry": {"price": 115, "quantity": 2, "time_ms": flip}, "orders": {"entry_oid": 5}}
    assert engine.put(POSITIONS, OPENED | other).status == 200

    assert list(Position.objects.order_by("status").values_list("side", "status")) == [
        ("long", "closed"),
        ("short", "open"),
    ]


def fill(end: str, quantity: int, ts_ms: int) -> dict[str, Any]:
    return {"type": end, "order_id": 5, "fill_id": 55, "price": 115, "quantity": quantity, "ts_ms": ts_ms}


@pytest.mark.django_db(transaction=True)
def test_the_same_part_sent_many_times_at_once_is_recorded_once(engine: Engine) -> None:
    engine.put(POSITIONS, OPENED)

    replies = at_once(*[lambda: engine.post(f"{BTC}/reduce", FIRST)] * 8)

    assert [reply.status for reply in replies] == [200] * 8
    assert Position.objects.get().quantity == 2


@pytest.mark.plain
def test_the_database_lets_no_program_change_or_drop_an_event(engine: Engine) -> None:
    in_parts(engine)
    for change in (
        "detail - 'events'",
        "jsonb_set(detail, '{events,1,price}', '1')",
        "detail #- '{events,0}'",
        "jsonb_set(detail, '{events}', '[]')",
    ):
        with pytest.raises(IntegrityError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE positions SET detail = {change}")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE positions SET detail = jsonb_insert(detail, '{events,99}', '{}', true)")


def test_the_tickets_of_position_and_trade_show_each_event(engine: Engine) -> None:
    in_parts(engine)
    trade = engine.post(f"{POSITIONS}/close", CLOSE).body["id"]
    position = Position.objects.get().pk
    browser = browser_of(Role.VIEWER)

    for path in (f"/admin/trading/position/{position}/", f"/admin/trading/trade/{trade}/"):
        page = browser.get(path).content.decode()
        assert all(word in page for word in ("reduce", "increase", "Average entry"))


def test_a_part_without_known_funding_marks_the_trade(engine: Engine) -> None:
    engine.put(POSITIONS, OPENED)
    engine.post(f"{BTC}/reduce", FIRST | {"is_funding_unknown": True})
    again = engine.post(f"{BTC}/reduce", FIRST | {"is_funding_unknown": True})
    closed = engine.post(f"{POSITIONS}/close", {"symbol": "BTC", "price": 115, "closed_at_ns": (MS + 180_000) * 10**6})

    assert (again.status, closed.status) == (200, 200)
    assert closed.body["detail"]["pnl"]["is_funding_unknown"] is True
    assert Trade.objects.get().detail["pnl"]["is_funding_unknown"] is True


def test_a_last_part_without_known_funding_marks_the_trade_too(engine: Engine) -> None:
    engine.put(POSITIONS, OPENED)
    engine.post(f"{BTC}/reduce", part(3, 115, 1, is_funding_unknown=True))
    assert Trade.objects.get().detail["pnl"]["is_funding_unknown"] is True


def test_a_close_and_a_trade_may_say_that_their_funding_is_not_known(engine: Engine) -> None:
    unknown = {"gross": 45, "net": 45, "is_funding_unknown": True}
    engine.put(POSITIONS, OPENED)
    closed = engine.post(f"{POSITIONS}/close", CLOSE | {"pnl": unknown})
    again = engine.post(f"{POSITIONS}/close", CLOSE | {"pnl": unknown})
    told = {
        "time": {"open_ts_ms": MS, "close_ts_ms": MS + 240_000},
        "prices": {"avg_entry": 100, "avg_exit": 115},
        "quantity": {"total": 3},
        "pnl": unknown,
    }
    sent = engine.put(
        "/traders/steady_long/trades",
        {"symbol": "BTC", "side": "long", "closed_at_ns": (MS + 240_000) * 10**6, "detail": told},
    )

    assert (closed.status, again.status, sent.status) == (200, 200, 200), sent.body
    assert [one.detail["pnl"]["is_funding_unknown"] for one in Trade.objects.all()] == [True, True]
