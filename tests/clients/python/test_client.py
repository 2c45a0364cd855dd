"""The Python client against the engine API itself, by way of Django's test client."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from django.test import Client as DjangoClient

from clients.python.nof0_control import (
    BadRequest,
    Client,
    Conflict,
    ExitPlan,
    Fill,
    HeldThere,
    NotAllowed,
    NotFound,
    Unavailable,
)
from tests.engine_client import Engine
from tests.engine_fixtures import EngineWith
from tests.factories import SYSTEM_PROMPT, save_edit
from traders.schema.tokens import Scope
from trading.models import EquitySnapshot, Trade

pytestmark = pytest.mark.django_db

OPENED_MS = 1_767_225_600_000
NANOSECONDS_PER_MS = 1_000_000
DECIDED = datetime(2026, 1, 1, tzinfo=UTC)

Answer = Callable[[httpx.Request], httpx.Response]


class Site(httpx.BaseTransport):
    """The site; `faults` answer first, one a request."""

    def __init__(self, *faults: Answer) -> None:
        self.faults = list(faults)
        self.asked: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        if self.faults:
            return self.faults.pop(0)(request)
        answer: Any = DjangoClient(raise_request_exception=False).generic(
            request.method,
            request.url.raw_path.decode(),
            request.read(),
            request.headers.get("Content-Type", ""),
            headers={"Authorization": request.headers["Authorization"]},
        )
        return httpx.Response(answer.status_code, headers=dict(answer.headers), content=answer.content)


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def client(engine: Engine, site: Site, pauses: list[float]) -> Client:
    """Time passes in its pauses only."""
    return Client(
        "https://control.example.com/",
        engine.token,
        transport=site,
        sleep=pauses.append,
        clock=lambda: sum(pauses),
    )


def answering(status: int, **headers: str) -> Answer:
    return lambda request: httpx.Response(
        status, headers=headers, json={"error": "an error", "detail": "said why"}, request=request
    )


def lost(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("no answer", request=request)


def test_configurations_and_prompts_are_read(client: Client, site: Site) -> None:
    standing = client.configs("steady_long")
    assert [one.get("config_id") for one in standing["configs"]] == ["steady_long"]
    save_edit("steady_long", detail__risk__max_positions=9)
    one = client.config("steady_long")
    assert (one["version"], one["config"]["detail"]["risk"]["max_positions"]) == (2, 9)
    assert client.version("steady_long", 1)["config"]["detail"]["risk"]["max_positions"] == 3
    assert client.config("steady_long", at=datetime.now(UTC))["version"] == 2

    sha256 = one["config"]["detail"]["prompts"]["system_sha256"]
    assert client.prompt(sha256)["body"] == client.prompt(sha256)["body"] == SYSTEM_PROMPT.body
    assert site.asked.count(f"GET /api/v1/prompts/{sha256}") == 1


def test_changes_since_a_cursor(client: Client) -> None:
    cursor = client.configs()["cursor"]
    assert client.changes(cursor, wait_seconds=0)["changes"] == []
    save_edit("swift_short", allocation_pct=Decimal(5))

    found = client.changes(cursor, config_ids=["swift_short"])

    assert [(one.get("config_id"), one["version"]) for one in found["changes"]] == [("swift_short", 2)]
    assert client.changes(found["cursor"], wait_seconds=0)["changes"] == []


def test_following_begins_with_what_stands_and_goes_on_with_changes(client: Client) -> None:
    following = client.follow(wait_seconds=0)

    first = next(following)
    assert {one.get("config_id") for one in first["changes"]} >= {"steady_long", "swift_short"}
    save_edit("steady_long", allocation_pct=Decimal(5))
    assert [(one.get("config_id"), one["version"]) for one in next(following)["changes"]] == [("steady_long", 2)]


def test_following_begins_anew_with_a_cursor_of_another_history(client: Client, site: Site) -> None:
    site.faults = [answering(409)]
    found = next(client.follow("7", wait_seconds=0))
    assert site.asked == ["GET /api/v1/changes", "GET /api/v1/configs"]
    assert {one.get("config_id") for one in found["changes"]} >= {"steady_long", "swift_short"}


def test_a_running_trader_reports(client: Client) -> None:
    detail = {"allocation": {"equity_usd": Decimal("1234.5600")}}
    reported = client.report("steady_long", active_config_version=1, is_running=True, detail=detail)

    assert str(reported["detail"]["allocation"]["equity_usd"]) == "1234.5600"
    assert client.heartbeat("steady_long")["is_running"] is True
    beats = client.heartbeats([{"trader_id": "steady_long"}, {"trader_id": "nobody"}])
    assert [one["trader_id"] for one in beats["runtimes"]] == ["steady_long"]
    assert beats["refused"] == [{"trader_id": "nobody", "detail": "there is no trader 'nobody'"}]
    assert client.runtime("steady_long")["active_config_version"] == 1
    until = datetime(2099, 1, 1, tzinfo=UTC)
    client.set_cooldown("steady_long", "DOGE", until, {"reason": "losses"})
    assert [one["symbol"] for one in client.cooldowns("steady_long")] == ["DOGE"]


def test_what_happened_is_recorded_once_and_digit_for_digit(client: Client) -> None:
    decided: dict[str, Any] = {
        "key": "cycle-1",
        "config_version": 1,
        "decided_at": DECIDED,
        "success": True,
        "detail": {"decisions": [{"symbol": "BTC", "action": "open_long"}]},
        "messages": [{"role": "user", "content": "Decide."}],
    }
    decision = client.add_decision("steady_long", **decided)
    assert client.add_decision("steady_long", **decided)["id"] == decision["id"]
    entry = {"price": Decimal("64000.10"), "quantity": Decimal("0.500"), "time_ms": OPENED_MS, "leverage": 10}
    client.put_position("steady_long", symbol="BTC", side="long", entry=entry, decision_id=decision["id"])
    assert str(client.positions("steady_long")[0]["detail"]["entry"]["price"]) == "64000.10"
    closed = client.close_position(
        "steady_long",
        symbol="BTC",
        price=Decimal("65000.5"),
        closed_at_ns=(OPENED_MS + 60_000) * NANOSECONDS_PER_MS,
        pnl={"gross": Decimal("500.20"), "commission": Decimal("1.10"), "net": Decimal("499.10")},
    )
    assert (client.positions("steady_long"), closed["id"]) == ([], Trade.objects.get().pk)
    points: list[tuple[int, Decimal | int]] = [(OPENED_MS, Decimal("10000.10")), (OPENED_MS + 60_000, 10499)]
    assert client.record_equity("steady_long", points)["recorded"] == 2
    assert client.record_equity("steady_long", points)["known"] == 2
    assert str(EquitySnapshot.objects.earliest("ts_ms").equity_usd) == "10000.10"


def test_a_trade_and_prices_are_recorded(client: Client) -> None:
    detail = {
        "time": {"open_ts_ms": OPENED_MS, "close_ts_ms": OPENED_MS + 60_000, "duration_seconds": 60},
        "prices": {"avg_entry": 100, "avg_exit": Decimal("110.5")},
        "quantity": {"total": 2},
        "pnl": {"gross": 21, "net": Decimal("20.5")},
    }
    closed_at_ns = (OPENED_MS + 60_000) * NANOSECONDS_PER_MS
    made = client.record_trade("steady_long", symbol="ETH", side="long", closed_at_ns=closed_at_ns, detail=detail)

    assert made["id"] == Trade.objects.get().pk
    assert client.set_prices({"BTC": Decimal("64000.1"), "hyperliquid:ETH": 3300})["written"] == 2


def opened(client: Client, symbol: str = "BTC") -> None:
    entry = {"price": Decimal(100), "quantity": Decimal(3), "time_ms": OPENED_MS, "leverage": 10}
    client.put_position("steady_long", symbol=symbol, side="long", entry=entry)


def fill(quantity: int, price: int, minute: int) -> Fill:
    moment = OPENED_MS + 60_000 * minute
    return {"quantity": Decimal(quantity), "price": Decimal(price), "at_ms": moment, "order_id": 100 + minute}


@pytest.mark.parametrize("symbol", ["BTC", "BTC/USDT:USDT"])
def test_a_position_in_parts_becomes_one_trade(client: Client, symbol: str) -> None:
    opened(client, symbol)
    left = client.reduce_position("steady_long", symbol, fill(1, 110, 1))
    assert client.reduce_position("steady_long", symbol, fill(1, 110, 1))["detail"] == left["detail"]
    assert left["detail"]["entry"]["quantity"] == 2
    more = client.increase_position("steady_long", symbol, fill(2, 120, 2))
    assert (more["detail"]["entry"]["quantity"], more["detail"]["entry"]["price"]) == (4, 110)

    client.reduce_position("steady_long", symbol, fill(4, 115, 3), gross=Decimal(20))

    trade = Trade.objects.get()
    assert (client.positions("steady_long"), trade.symbol) == ([], symbol)
    assert (trade.detail["quantity"]["total"], trade.detail["prices"]["avg_exit"]) == (5, 114)
    assert trade.detail["pnl"]["gross"] == 30


def test_more_than_is_held_is_no_part(client: Client) -> None:
    opened(client)
    with pytest.raises(BadRequest):
        client.reduce_position("steady_long", "BTC", fill(4, 110, 1))


def test_the_plan_of_a_position_moves(client: Client) -> None:
    opened(client)
    plan: ExitPlan = {"tp_price": Decimal("130.50"), "sl_price": Decimal(95)}
    moved = client.change_plan("steady_long", "BTC", plan, at_ms=OPENED_MS + 60_000, sl_oid=77)

    assert str(moved["detail"]["exit_plan"]["tp_price"]) == "130.50"
    assert moved["detail"]["orders"]["sl_oid"] == 77
    assert [event["kind"] for event in moved["detail"]["events"]][-1] == "plan"


def test_transfers_are_recorded_once_and_listed(client: Client) -> None:
    deposit: dict[str, Any] = {"id": "deposit-1", "kind": "deposit", "amount_usd": Decimal("500.10")}
    deposit |= {"ts_ms": OPENED_MS, "reason": "more capital"}
    made = client.record_transfer("steady_long", **deposit)
    assert client.record_transfer("steady_long", **deposit)["id"] == made["id"]
    moved = deposit | {"id": "move-1", "kind": "internal", "ts_ms": OPENED_MS + 1, "to_trader_id": "swift_short"}
    client.record_transfer("steady_long", **moved)

    assert [(one["kind"], str(one["amount_usd"])) for one in client.transfers("steady_long")] == [
        ("deposit", "500.10"),
        ("internal", "-500.10"),
    ]
    assert [str(one["amount_usd"]) for one in client.transfers("swift_short")] == ["500.10"]
    with pytest.raises(Conflict):
        client.record_transfer("steady_long", **deposit | {"amount_usd": 501})


def test_the_exchanges_account_is_reconciled(client: Client) -> None:
    opened(client)
    held: HeldThere = {"symbol": "BTC", "side": "long", "quantity": Decimal("3.50"), "mark_price": 101}

    found = client.reconcile("steady_long", [held], orders=[], equity=Decimal("10000.5"), at_ms=OPENED_MS + 1)

    assert [(one["kind"], one["theirs"]) for one in found["differences"]] == [
        ("quantity", {"quantity": Decimal("3.50")})
    ]
    assert found["entries_allowed_for_s"] == 0
    assert client.differences("steady_long")["differences"] == found["differences"]


@pytest.fixture
def corrector(client: Client, site: Site, engine_with: EngineWith) -> Client:
    token = engine_with(Scope.WRITE_CORRECTIONS, name="corrector").token
    return Client("http://testserver", token, transport=site)


def test_a_trade_is_corrected(client: Client, corrector: Client) -> None:
    opened(client)
    closed_at_ns = (OPENED_MS + 60_000) * NANOSECONDS_PER_MS
    wrong = client.close_position(
        "steady_long", symbol="BTC", price=110, closed_at_ns=closed_at_ns, pnl={"gross": 30, "net": 30}
    )
    right: dict[str, Any] = {"id": wrong["id"], "set": {"pnl.net": Decimal("28.50")}, "reason": "the statement"}

    made = corrector.correct_trade("steady_long", **right)

    assert corrector.correct_trade("steady_long", **right)["id"] == made["id"]
    assert (made["id"], str(made["detail"]["pnl"]["net"])) == (f"{wrong['id']}|c1", "28.50")
    assert Trade.objects.get(pk=wrong["id"]).exclusion is not None


def test_a_position_a_decision_and_an_equity_point_are_corrected(client: Client, corrector: Client) -> None:
    opened(client)
    (held,) = client.positions("steady_long")
    right: dict[str, Any] = {"set": {"entry.leverage": 5}, "reason": "read again"}
    assert corrector.correct_position("steady_long", id=held["id"], **right)["detail"]["entry"]["leverage"] == 5

    decided = client.add_decision(
        "steady_long", key="cycle-1", config_version=1, decided_at=DECIDED, success=True, detail={}
    )
    made = corrector.correct_decision("steady_long", id=decided["id"], set={"success": False}, reason="it failed")
    assert made["id"] != decided["id"]

    client.record_equity("steady_long", [(OPENED_MS, 100)])
    point = corrector.correct_equity(
        "steady_long", ts_ms=OPENED_MS, set={"equity_usd": Decimal("100.50")}, reason="the statement"
    )
    assert (str(point["equity_usd"]), point["corrects_ts_ms"]) == ("100.50", OPENED_MS)


def test_only_the_scope_for_corrections_corrects(client: Client, site: Site, engine_with: EngineWith) -> None:
    reporter = engine_with(Scope.WRITE_STATE, name="reporter")
    with Client("http://testserver", reporter.token, transport=site) as other, pytest.raises(NotAllowed, match="scope"):
        other.correct_trade("steady_long", id="steady_long|BTC|1", set={"pnl.net": 1}, reason="the statement")


@pytest.mark.parametrize("fault", [lost, answering(503), answering(502), answering(429)])
def test_what_cannot_be_answered_now_is_sent_again(
    client: Client, site: Site, pauses: list[float], fault: Answer
) -> None:
    site.faults = [fault, fault]

    assert client.heartbeat("steady_long", active_config_version=1)["active_config_version"] == 1
    assert site.asked == ["POST /api/v1/traders/steady_long/heartbeat"] * 3
    assert pauses == [0.5, 1.0]


def test_the_server_says_how_long_to_wait(client: Client, site: Site, pauses: list[float]) -> None:
    site.faults = [answering(429, **{"Retry-After": "7"})]
    client.heartbeat("steady_long")
    assert pauses == [7.0]


@pytest.mark.parametrize(("fault", "status"), [(lost, 0), (answering(503), 503)])
def test_after_a_minute_it_gives_up(
    client: Client, site: Site, pauses: list[float], fault: Answer, status: int
) -> None:
    site.faults = [fault] * 100
    with pytest.raises(Unavailable) as raised:
        client.heartbeat("steady_long")

    assert raised.value.status == status
    assert 50 < sum(pauses) <= 60


def test_a_refusal_is_raised_at_once_and_says_why(
    client: Client, site: Site, pauses: list[float], engine_with: EngineWith
) -> None:
    with pytest.raises(BadRequest) as invalid:
        client.record_equity("steady_long", [])
    assert [problem["path"] for problem in invalid.value.problems] == ["points"]
    with pytest.raises(NotFound, match="there is no trader 'nobody'"):
        client.config("nobody")
    client.record_equity("steady_long", [(OPENED_MS, 100)])
    with pytest.raises(Conflict):
        client.record_equity("steady_long", [(OPENED_MS, 101)])
    reader = engine_with(Scope.READ_CONFIG, name="reader")
    with Client("http://testserver", reader.token, transport=site) as other, pytest.raises(NotAllowed, match="scope"):
        other.heartbeat("steady_long")
    assert pauses == []


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), float("nan")])
def test_what_is_no_number_is_never_sent(client: Client, site: Site, value: Any) -> None:
    with pytest.raises(ValueError, match=r"no number in JSON|JSON compliant"):
        client.record_equity("steady_long", [(OPENED_MS, value)])
    assert site.asked == []


def test_a_moment_without_a_time_zone_is_refused(client: Client) -> None:
    with pytest.raises(ValueError, match="needs a time zone"):
        client.config("steady_long", at=datetime(2026, 1, 1))  # noqa: DTZ001
