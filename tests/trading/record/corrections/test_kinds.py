"""Positions, decisions and equity points corrected by new rows, by every door; figures follow at once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from tests.engine_client import Engine
from tests.engine_fixtures import EngineWith, _placed_at_once, engine, engine_with
from tests.traders.admin.people import browser_of
from tests.trading_factories import OPENED_MS, make_trade
from traders.accounts.rules import Role
from traders.schema.tokens import Scope
from trading.live import queries as projection
from trading.models import ConversationMessage, DecisionJournal, EquitySnapshot, Position, RecordExclusion, Trade
from trading.record.exclusions import services as exclusions
from trading.record.rules.errors import CountedInPlace
from trading.record.writing.equity import fill_parts
from trading.record.writing.trades import record_trade
from trading.schema.exclusion import RecordKey, RecordKind

__all__ = ["EngineWith", "_placed_at_once", "engine", "engine_with"]

TRADER = "/traders/steady_long"
OPENING = {
    "symbol": "BTC",
    "side": "long",
    "entry": {"price": 45000, "quantity": Decimal("0.1"), "time_ms": OPENED_MS},
    "orders": {"entry_oid": 7},
}
CLOSING = {"symbol": "BTC", "price": 46000, "closed_at_ns": (OPENED_MS + 60_000) * 1_000_000}
DECISION = {
    "key": "first",
    "config_version": 1,
    "decided_at": "2026-01-08T10:30:00Z",
    "success": True,
    "detail": {"decisions": [{"symbol": "BTC", "action": "open_long", "confidence": 80}], "account": {"equity_usd": 1}},
    "messages": [{"role": "user", "content": "Decide."}],
}
POINTS = {"points": [{"ts_ms": OPENED_MS, "equity_usd": 10_000}, {"ts_ms": OPENED_MS + 1000, "equity_usd": 99_000}]}
WRONG_POINT = f"steady_long|{OPENED_MS + 1000}"


def correct(engine: Engine, kind: str, body: dict[str, Any]) -> Any:
    return engine.post(f"{TRADER}/{kind}/correct", {"reason": "the exchange's statement"} | body)


def corrected(engine: Engine, kind: str, body: dict[str, Any]) -> dict[str, Any]:
    reply = correct(engine, kind, body)
    assert reply.status == 200, reply.body
    found: dict[str, Any] = reply.body
    return found


def decided(engine: Engine) -> int:
    number: int = engine.post(f"{TRADER}/decisions", DECISION).body["id"]
    return number


@pytest.fixture
def opened(engine: Engine) -> Engine:
    assert engine.put(f"{TRADER}/positions", OPENING).status == 200
    return engine


@pytest.fixture
def closed(opened: Engine) -> Engine:
    assert opened.post(f"{TRADER}/positions/close", CLOSING).status == 200
    return opened


@pytest.fixture
def points(engine: Engine) -> Engine:
    assert engine.put(f"{TRADER}/equity", POINTS).status == 200
    return engine


def test_a_corrected_open_position_takes_the_place_of_the_wrong_one(opened: Engine) -> None:
    body = {"id": "steady_long|BTC", "set": {"entry.price": 44000}}

    made = corrected(opened, "positions", body)

    wrong = f"steady_long|BTC|{OPENED_MS}|long"
    assert (made["id"], made["detail"]["corrects"]) == ("steady_long|BTC", wrong)
    assert Position.objects.get(exclusion__isnull=False).pk == wrong
    held = projection.project(["steady_long"]).positions["steady_long"].positions["BTC"]
    assert held.entry_price == 44000
    # The same again, and what the engine goes on to report of it, change nothing.
    assert corrected(opened, "positions", body) == made
    assert opened.put(f"{TRADER}/positions", OPENING).body["detail"]["entry"]["price"] == 44000
    assert opened.post(f"{TRADER}/positions/close", CLOSING).body["detail"]["pnl"]["gross"] == 200


def test_an_engine_goes_on_to_report_a_position_whose_side_was_corrected(opened: Engine) -> None:
    corrected(
        opened, "positions", {"id": "steady_long|BTC", "set": {"side": "short", "entry.time_ms": OPENED_MS - 5000}}
    )

    reply = opened.put(f"{TRADER}/positions", OPENING | {"reported": {"current_price": 44500}})

    assert (reply.status, reply.body["side"]) == (200, "short")
    assert reply.body["detail"]["reported"]["current_price"] == 44500
    assert reply.body["detail"]["entry"]["time_ms"] == OPENED_MS - 5000


def test_a_correction_of_an_open_position_can_be_corrected_in_turn(opened: Engine) -> None:
    for price in (44000, 43000):
        corrected(opened, "positions", {"id": "steady_long|BTC", "set": {"entry.price": price}})

    root = f"steady_long|BTC|{OPENED_MS}|long"
    assert set(Position.objects.values_list("pk", flat=True)) == {"steady_long|BTC", root, f"{root}|c1"}
    assert Position.objects.get(pk="steady_long|BTC").detail["corrects"] == f"{root}|c1"


def test_a_closed_position_is_corrected_by_a_row_of_its_own(closed: Engine) -> None:
    made = corrected(closed, "positions", {"id": "steady_long|BTC", "set": {"close.pnl": 95, "entry.quantity": 1}})

    old = Position.objects.get(exclusion__isnull=False)
    assert (made["id"], made["detail"]["corrects"]) == (f"{old.pk}|c1", old.pk)
    assert old.detail["close"]["pnl"] == 100
    assert Trade.objects.count() == 1
    assert corrected(closed, "positions", {"id": made["id"], "set": {"close.pnl": 96}})["id"] == f"{old.pk}|c2"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"close.price": 1, "close.time_ms": OPENED_MS, "close.quantity": 1}, "close"),
        ({"entry.quantity": 0}, "entry.quantity"),
        ({"versions.entry": 2}, "versions.entry"),
        ({"entry.time_ms": 4_000_000_000_000}, "entry.time_ms"),
        ({"symbol": "ETH"}, "symbol"),
        ({"events[3].price": 1}, "events[3].price"),
        ({"entry.price": 45000}, "set"),
    ],
)
def test_a_wrong_correction_of_a_position_changes_nothing(opened: Engine, changes: Any, path: str) -> None:
    reply = correct(opened, "positions", {"id": "steady_long|BTC", "set": changes})

    assert (reply.status, reply.body["problems"][0]["path"]) == (422, path)
    assert (Position.objects.count(), RecordExclusion.objects.count()) == (1, 0)


def test_a_decision_is_corrected_with_its_messages(engine: Engine) -> None:
    number = decided(engine)

    made = corrected(engine, "decisions", {"id": number, "set": {"decisions[0].confidence": 60, "success": False}})

    row = DecisionJournal.objects.get(pk=made["id"])
    assert (row.detail["corrects"], row.entry_key, row.cycle_number, row.success) == (number, "first|c1", 2, False)
    assert row.detail["decisions"][0]["confidence"] == 60
    assert ConversationMessage.objects.get(decision=row).content == "Decide."
    assert projection.project(["steady_long"]).inception["steady_long"].decisions == 1
    again = engine.post(f"{TRADER}/decisions", DECISION).body
    assert (again["id"], again["set_aside"]["reason"]) == (number, "the exchange's statement")
    assert corrected(engine, "decisions", {"id": made["id"], "set": {"success": True}})["cycle_number"] == 3


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("decisions[0].confidence", Decimal("0.85")),
        ("decisions[0].confidence", Decimal("1.0")),
        ("decisions[0]", {"symbol": "BTC", "action": "open_long", "confidence": Decimal("0.5")}),
        ("decisions", [{"symbol": "BTC", "action": "open_long", "confidence": Decimal("0.5")}]),
    ],
)
def test_a_confidence_as_a_fraction_is_refused(engine: Engine, path: str, value: Any) -> None:
    number = decided(engine)
    reply = correct(engine, "decisions", {"id": number, "set": {path: value}})

    assert reply.status == 422
    assert "a fraction of 1" in reply.body["problems"][0]["message"]
    assert DecisionJournal.objects.count() == 1


def test_a_decision_of_a_version_that_never_was_is_refused(engine: Engine) -> None:
    number = decided(engine)
    assert correct(engine, "decisions", {"id": number, "set": {"config_version": 9}}).status == 422
    assert correct(engine, "decisions", {"id": number + 1, "set": {"success": False}}).status == 404
    assert DecisionJournal.objects.count() == 1


def test_an_equity_point_is_corrected_at_the_next_free_millisecond(points: Engine) -> None:
    body = {"ts_ms": OPENED_MS + 1000, "set": {"equity_usd": Decimal("9900")}}

    made = corrected(points, "equity", body)

    place = OPENED_MS + 1001
    assert (made["id"], made["ts_ms"], made["equity_usd"]) == (f"steady_long|{place}", place, 9900)
    assert made["corrects_ts_ms"] == OPENED_MS + 1000
    assert projection.project(["steady_long"]).inception["steady_long"].equity_usd == 9900
    assert corrected(points, "equity", body) == made
    # The engine sends both again: the wrong point is known, and so is the right one.
    assert points.put(f"{TRADER}/equity", POINTS).body["known"] == 2
    right = {"points": [{"ts_ms": OPENED_MS + 1000, "equity_usd": 9900}]}
    assert points.put(f"{TRADER}/equity", right).body | {"server_time_ms": 0} == {
        "recorded": 0,
        "known": 1,
        "set_aside": 0,
        "server_time_ms": 0,
    }
    assert correct(points, "equity", body | {"set": {"equity_usd": 9800}}).status == 422
    further = corrected(points, "equity", {"ts_ms": place, "set": {"equity_usd": 9800}})
    assert (further["ts_ms"], further["corrects_ts_ms"]) == (place + 1, place)
    assert projection.project(["steady_long"]).inception["steady_long"].equity_usd == 9800
    assert EquitySnapshot.objects.filter(exclusion__isnull=True).count() == 2


def test_a_correction_leaves_the_points_that_are_there(points: Engine) -> None:
    beside = {"points": [{"ts_ms": OPENED_MS + 1000 + ms, "equity_usd": 9700 + ms} for ms in (1, 2)]}
    assert points.put(f"{TRADER}/equity", beside).status == 200

    made = corrected(points, "equity", {"ts_ms": OPENED_MS + 1000, "set": {"equity_usd": 9900}})

    assert made["ts_ms"] == OPENED_MS + 1003
    assert points.put(f"{TRADER}/equity", beside).body["known"] == 2


def test_a_point_that_is_set_aside_stays_as_it_is_when_parts_are_derived(engine: Engine) -> None:
    for ts_ms in (OPENED_MS, OPENED_MS + 1000):
        EquitySnapshot.objects.create(trader_id="steady_long", ts_ms=ts_ms, equity_usd=10_000)
    corrected(engine, "equity", {"ts_ms": OPENED_MS + 1000, "set": {"equity_usd": 9000}})
    record_trade(make_trade(close_ms=OPENED_MS + 500, open_ms=OPENED_MS - 500))

    with transaction.atomic():
        assert fill_parts(["steady_long"]) == 2

    aside, right = EquitySnapshot.objects.filter(ts_ms__gte=OPENED_MS + 1000).order_by("ts_ms")
    assert (aside.realized_pnl_usd, right.realized_pnl_usd) == (None, Decimal("4.5"))


def test_of_a_row_and_its_corrections_one_counts(points: Engine, closed: Engine) -> None:
    corrected(points, "equity", {"ts_ms": OPENED_MS + 1000, "set": {"equity_usd": 9900}})
    old = corrected(closed, "positions", {"id": "steady_long|BTC", "set": {"close.pnl": 95}})["detail"]["corrects"]
    for kind, name, new in (
        (RecordKind.EQUITY, WRONG_POINT, f"steady_long|{OPENED_MS + 1001}"),
        (RecordKind.POSITION, old, f"{old}|c1"),
    ):
        with pytest.raises(CountedInPlace):
            exclusions.set_aside([RecordKey(kind, name)], reason="right after all", actor="mei", undo=True)
        exclusions.set_aside([RecordKey(kind, new)], reason="right after all", actor="mei")
        exclusions.set_aside([RecordKey(kind, name)], reason="right after all", actor="mei", undo=True)
    assert projection.project(["steady_long"]).inception["steady_long"].equity_usd == 99_000


@pytest.mark.parametrize("kind", ["positions", "decisions", "equity"])
def test_it_needs_its_own_scope(engine: Engine, engine_with: EngineWith, kind: str) -> None:
    names: dict[str, dict[str, Any]] = {
        "positions": {"id": "x"},
        "decisions": {"id": 1},
        "equity": {"ts_ms": OPENED_MS},
    }
    body = names[kind] | {"set": {"a": 1}}
    assert correct(engine_with(Scope.WRITE_STATE, name="engine-2"), kind, body).status == 403


def test_the_command_corrects_every_kind(points: Engine, opened: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    number = decided(opened)
    for kind, name, change in (
        ("equity", WRONG_POINT, "equity_usd=9900"),
        ("position", "steady_long|BTC", "entry.leverage=5"),
        ("decision", str(number), "error=no answer"),
    ):
        call_command("correct_record", kind, name, "--set", change, "--reason", "wrong")
        assert "counts in its place" in capsys.readouterr().out
    assert DecisionJournal.objects.latest("pk").detail["error"] == "no answer"
    for wrong in (("equity", "steady_long", "equity_usd=1"), ("decision", "x", "error=1"), ("trade", "x", "pnl.net")):
        with pytest.raises(CommandError):
            call_command("correct_record", *wrong[:2], "--set", wrong[2], "--reason", "wrong")


def test_the_page_corrects_every_kind(points: Engine, closed: Engine) -> None:
    number = decided(closed)
    admin = browser_of(Role.ADMIN)
    for kind, name, form in (
        ("equity", WRONG_POINT, {"equity_usd": "9900"}),
        ("position", "steady_long|BTC", {"side": "long", "entry_price": "45000", "entry_quantity": "0.1"}),
        ("decision", str(number), {"config_version": "1", "success": "on", "account_equity_usd": "5"}),
    ):
        address = f"/admin/trading/recordexclusion/correct/?kind={kind}&id={name}"
        assert admin.get(address).status_code == 200
        others = "close.pnl = 90" if kind == "position" else ""
        close = {"close_price": "46000", "close_quantity": "0.1", "close_pnl": "100"} if kind == "position" else {}
        reply = admin.post(address, form | close | {"others": others, "reason": "statement"})
        assert reply.status_code == 302, reply.content.decode()
        assert browser_of(Role.VIEWER).get(address).status_code == 403
    assert projection.project(["steady_long"]).inception["steady_long"].equity_usd == 9900
    made = Position.objects.get(exclusion__isnull=True)
    assert made.detail["close"]["pnl"] == 90
    old = made.detail["corrects"]
    assert old in admin.get(f"/admin/trading/position/{made.pk}/").content.decode()
    assert made.pk in admin.get(f"/admin/trading/position/{old}/").content.decode()
    assert "It was corrected by" in admin.get(f"/admin/trading/decisionjournal/steady_long|{number}/").content.decode()


def test_the_page_says_what_is_wrong(points: Engine) -> None:
    admin = browser_of(Role.ADMIN)
    address = f"/admin/trading/recordexclusion/correct/?kind=equity&id={WRONG_POINT}"
    for form, said in (
        ({"equity_usd": "much"}, "Enter a number."),
        ({"equity_usd": ""}, "Not done: equity_usd is missing."),
        ({"equity_usd": "99000"}, "Not done: set must change something."),
        ({"others": "x"}, "Write path = value, not “x”."),
        ({"others": "a.b = 1"}, "Not done: a is not a known field."),
        ({"reason": ""}, "Say why, in a few words."),
    ):
        page = admin.post(address, {"equity_usd": "9900", "others": "", "reason": "why"} | form)
        assert page.status_code == 200
        assert said in page.content.decode()
    for gone in ("kind=equity&id=x", "kind=trade&id=x", "kind=x", "kind=decision&id=1&id=2"):
        assert admin.get(f"/admin/trading/recordexclusion/correct/?{gone}").status_code == 302
    assert EquitySnapshot.objects.count() == 2


def test_a_correction_that_names_the_funding_takes_the_mark_of_unknown_funding_away(engine: Engine) -> None:
    engine.put(f"{TRADER}/positions", OPENING)
    unknown = {"gross": 100, "net": 100, "is_funding_unknown": True}
    made = engine.post(f"{TRADER}/positions/close", CLOSING | {"pnl": unknown}).body["id"]
    corrected(engine, "trades", {"id": made, "set": {"pnl.funding": -1, "pnl.net": 99}})
    stored = Trade.objects.get(pk=f"{made}|c1").detail["pnl"]
    assert (stored["funding"], stored["net"], stored.get("is_funding_unknown")) == (-1, 99, None)
