"""What an exchange says beside the record: differences are listed, ban entries, and are settled by a person."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.engine_client import Engine
from traders.controls.wanted import wanted_of_one
from traders.schema.problems import InvalidConfig
from trading.alarms.watching.record import exchange_differs
from trading.differences import services
from trading.differences.rules import CannotBeTaken, Settlement, UnknownDifference
from trading.live.unrealized import exposures_now
from trading.models import Alarm, EquitySnapshot, ExchangeDifference, Position, Trade

pytestmark = pytest.mark.django_db

TRADER = "steady_long"
OPENED_MS = 1_767_225_600_000
NOW_MS = OPENED_MS + 3_600_000


def opened(engine: Engine, symbol: str = "BTC", quantity: Any = 2, **parts: Any) -> None:
    entry = {"price": 100, "quantity": quantity, "time_ms": OPENED_MS, "leverage": 5}
    body = {"symbol": symbol, "side": "long", "entry": entry, **parts}
    assert engine.put(f"/traders/{TRADER}/positions", body).status == 200


def there(symbol: str = "BTC", side: str = "long", quantity: Any = 2, **more: Any) -> dict[str, Any]:
    return {"symbol": symbol, "side": side, "quantity": quantity, "entry_price": 100, "mark_price": 110, **more}


def reconcile(engine: Engine, *positions: dict[str, Any], **more: Any) -> Any:
    reply = engine.post(f"/traders/{TRADER}/reconcile", {"positions": list(positions), **more})
    assert reply.status == 200, reply.body
    return reply.body


def found(body: Any) -> list[tuple[str, Any, Any]]:
    return [(one["kind"], one["ours"], one["theirs"]) for one in body["differences"]]


def causes() -> list[str]:
    return [cause.kind.value for cause in wanted_of_one(TRADER).causes if cause.kind != "not_started"]


def settle(how: Settlement, price: Any = None, reason: str = "as the exchange says") -> None:
    row = ExchangeDifference.objects.get(settled_at=None)
    services.settle(row.pk, how, price=None if price is None else Decimal(price), reason=reason, actor="ann")


def test_an_account_that_agrees_has_no_differences(engine: Engine) -> None:
    opened(engine, orders={"sl_oid": 7})
    body = reconcile(
        engine,
        there(),
        there("ETH", quantity=0),
        orders=[{"symbol": "BTC", "id": 7, "kind": "stop"}],
        equity=10_000,
    )
    assert (body["differences"], causes(), Alarm.objects.count()) == ([], [], 0)
    assert body == engine.get(f"/traders/{TRADER}/differences").body


@pytest.mark.parametrize(
    ("held", "positions", "expected"),
    [
        (True, [], [("only_here", {"quantity": 2, "entry_price": 100}, {})]),
        (False, [there()], [("only_there", {}, {"quantity": 2})]),
        (True, [there(quantity=3)], [("quantity", {"quantity": 2, "entry_price": 100}, {"quantity": 3})]),
        (
            True,
            [there(side="short")],
            [("only_here", {"quantity": 2, "entry_price": 100}, {}), ("only_there", {}, {"quantity": 2})],
        ),
        (True, [there(), there(side="short", quantity=1)], [("second_side", {}, {"quantity": 1})]),
        (
            False,
            [there(), there(side="short", quantity=1)],
            [("only_there", {}, {"quantity": 2}), ("second_side", {}, {"quantity": 1})],
        ),
    ],
)
def test_positions_that_differ_are_listed_and_ban_entries(
    engine: Engine, held: bool, positions: list[Any], expected: list[Any]
) -> None:
    if held:
        opened(engine)
    body = reconcile(engine, *positions)

    assert found(body) == expected
    assert causes() == ["differences"]
    assert (body["desired"]["causes"][-1]["kind"], body["entries_allowed_for_s"]) == ("differences", 0)
    assert Alarm.objects.get().rule == "exchange_differs"
    assert found(reconcile(engine, *positions)) == expected, "the same again adds nothing"
    assert ExchangeDifference.objects.count() == len(expected)
    [cause] = exchange_differs(None)  # type: ignore[arg-type]
    assert (cause.subject, cause.traders) == (TRADER, [TRADER])


def test_orders_that_differ_are_listed(engine: Engine) -> None:
    opened(engine, orders={"sl_oid": 7, "tp_oid": 8})
    orders = [{"symbol": "BTC", "id": 8, "kind": "target"}, {"symbol": "ETH", "id": "x", "kind": "entry", "price": 9}]
    assert found(reconcile(engine, there(), orders=orders)) == [
        ("order_only_here", {"order": "stop", "id": "7"}, {}),
        ("order_only_there", {}, {"order": "entry", "id": "x"}),
    ]


def test_equity_is_compared_while_the_recorded_point_is_young(engine: Engine) -> None:
    points = {"points": [{"ts_ms": NOW_MS, "equity_usd": 10_000}]}
    assert engine.put(f"/traders/{TRADER}/equity", points).status == 200
    assert found(reconcile(engine, equity=9_950, at_ms=NOW_MS + 1000)) == []
    assert found(reconcile(engine, equity=9_000, at_ms=NOW_MS + 3_600_000)) == []
    body = reconcile(engine, equity=9_000, at_ms=NOW_MS + 1000)
    assert found(body) == [("equity", {"equity_usd": 10_000, "ts_ms": NOW_MS}, {"equity_usd": 9_000})]
    late = reconcile(engine, equity=9_000, at_ms=NOW_MS - 3_600_000)
    assert (found(late), late["differences"][0]["agreed_at"]) == (found(body), None)
    settle(Settlement.TAKEN)
    assert EquitySnapshot.objects.get(ts_ms=NOW_MS + 1000).equity_usd == 9_000
    assert reconcile(engine, equity=9_000, at_ms=NOW_MS + 2000)["differences"] == []


def test_a_position_that_is_gone_is_closed_at_the_given_price_and_the_ban_ends(engine: Engine) -> None:
    opened(engine)
    reconcile(engine)
    row = ExchangeDifference.objects.get()
    assert services.suggested_price(row) is None
    with pytest.raises(CannotBeTaken, match="a price is needed"):
        settle(Settlement.TAKEN)
    shown = services.preview(row.pk, Settlement.TAKEN, Decimal(90))
    assert shown.before is not None
    assert shown.before.detail.entry.quantity == 2
    assert shown.after is None
    assert not Trade.objects.exists(), "a preview writes nothing"

    settle(Settlement.TAKEN, 90)

    assert (Trade.objects.get().detail["pnl"]["gross"], Position.objects.filter(status="open").exists()) == (-20, False)
    assert causes() == []
    assert Alarm.objects.get().ended_by == "ann"
    row.refresh_from_db()
    assert (row.settlement, row.settled_by, row.reason) == ("taken", "ann", "as the exchange says")
    with pytest.raises(UnknownDifference):
        services.settle(row.pk, Settlement.DISMISSED, reason="twice", actor="ann")


def test_a_position_that_was_not_recorded_is_opened_as_the_exchange_says(engine: Engine) -> None:
    reconcile(engine, there(entry_time_ms=OPENED_MS, leverage=3))
    row = ExchangeDifference.objects.get()
    settle(Settlement.TAKEN, services.suggested_price(row))
    entry = Position.objects.get(status="open").detail["entry"]
    assert (entry["price"], entry["quantity"], entry["time_ms"], entry["leverage"]) == (100, 2, OPENED_MS, 3)
    assert reconcile(engine, there())["differences"] == []


@pytest.mark.parametrize(("quantity", "average", "price"), [(3, 110, 130), (1, 100, 110)])
def test_a_missing_fill_is_recorded_so_that_quantity_and_average_are_the_exchanges(
    engine: Engine, quantity: int, average: int, price: int
) -> None:
    opened(engine)
    reconcile(engine, there(quantity=quantity, entry_price=average))
    suggested = services.suggested_price(ExchangeDifference.objects.get())
    assert suggested == price
    settle(Settlement.TAKEN, suggested)
    entry = Position.objects.get(status="open").detail["entry"]
    assert (entry["quantity"], entry["price"]) == (quantity, average)
    assert reconcile(engine, there(quantity=quantity))["differences"] == []


def test_orders_are_taken_over(engine: Engine) -> None:
    opened(engine, orders={"sl_oid": 7, "entry_oid": 1})
    reconcile(engine, there(), orders=[])
    settle(Settlement.TAKEN)
    assert Position.objects.get().detail["orders"] == {"entry_oid": 1}
    stop = {"symbol": "BTC", "id": "9", "kind": "stop"}
    reconcile(engine, there(), orders=[stop])
    settle(Settlement.TAKEN)
    assert str(Position.objects.get().detail["orders"]["sl_oid"]) == "9"
    assert reconcile(engine, there(), orders=[stop])["differences"] == []
    reconcile(engine, there(), orders=[stop, {"symbol": "BTC", "id": "x", "kind": "entry"}])
    with pytest.raises(CannotBeTaken, match="entry order"):
        settle(Settlement.TAKEN)


def test_what_was_dismissed_comes_up_again_only_when_it_changes(engine: Engine) -> None:
    opened(engine)
    reconcile(engine, there(quantity=3))
    with pytest.raises(InvalidConfig):
        settle(Settlement.DISMISSED, reason="")
    settle(Settlement.DISMISSED, reason="bought by hand")
    assert causes() == []
    assert reconcile(engine, there(quantity=3))["differences"] == []
    assert found(reconcile(engine, there(quantity=4)))[0][2] == {"quantity": 4}
    assert Position.objects.get().detail["entry"]["quantity"] == 2


def test_what_agrees_by_itself_waits_for_a_person_all_the_same(engine: Engine) -> None:
    opened(engine)
    reconcile(engine, there(quantity=3))
    body = reconcile(engine, there())
    assert body["differences"][0]["agreed_at"] is not None
    assert causes() == ["differences"]
    ExchangeDifference.objects.update(detail={"ours": {}, "theirs": {"quantity": 2}, "known": {}})
    with pytest.raises(CannotBeTaken, match="by now"):
        settle(Settlement.TAKEN, 100)
    settle(Settlement.DISMISSED)
    assert causes() == []


def test_a_report_without_orders_and_equity_says_nothing_of_them(engine: Engine) -> None:
    opened(engine, orders={"sl_oid": 7})
    reconcile(engine, there(), orders=[])

    assert [one["agreed_at"] for one in reconcile(engine, there())["differences"]] == [None]
    stop = {"symbol": "BTC", "id": 7, "kind": "stop"}
    assert reconcile(engine, there(), orders=[stop])["differences"][0]["agreed_at"] is not None


def test_a_second_side_stays_and_counts_in_the_exposure_until_the_exchange_has_it_no_more(engine: Engine) -> None:
    opened(engine)

    def gross() -> Decimal:
        return sum((one.gross for one in exposures_now([TRADER])), Decimal(0))

    assert gross() == 200
    reconcile(engine, there(), there(side="short", quantity=1))
    assert gross() == 310
    with pytest.raises(CannotBeTaken, match="one side"):
        settle(Settlement.TAKEN)
    settle(Settlement.DISMISSED, reason="a hedge by hand")
    assert causes() == []
    assert gross() == 310
    assert [one.net for one in exposures_now([TRADER])] == [90]
    reconcile(engine, there(), there(side="short", quantity=1))
    assert causes() == []
    assert gross() == 310
    reconcile(engine, there())
    assert gross() == 200


def test_an_unknown_trader_and_odd_accounts_are_refused(engine: Engine) -> None:
    assert engine.post("/traders/nobody/reconcile", {"positions": []}).status == 404
    assert engine.get("/traders/nobody/differences").status == 404
    stop = {"symbol": "BTC", "id": 7, "kind": "stop"}
    for body in (
        {},
        {"positions": [there(), there(quantity=3)]},
        {"positions": [there(), there("btc")]},
        {"positions": [], "orders": [stop, stop | {"id": "7", "symbol": "btc"}]},
        {"positions": [], "orders": [stop | {"id": "x" * 201}]},
        {"positions": [there(quantity=-1)]},
        {"positions": [there(side="buy")]},
        {"positions": [], "x": 1},
    ):
        assert engine.post(f"/traders/{TRADER}/reconcile", body).status == 422


def test_the_same_order_for_stop_and_target_is_no_order_twice(engine: Engine) -> None:
    opened(engine, orders={"sl_oid": 7})
    orders = [{"symbol": "BTC", "id": 7, "kind": kind} for kind in ("stop", "target")]
    assert reconcile(engine, there(), there(side="short", quantity=0), orders=orders)["differences"] == []
