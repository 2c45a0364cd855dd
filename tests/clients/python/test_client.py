"""The Python client against the engine API itself, by way of Django's test client."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from django.test import Client as DjangoClient

from clients.python.nof0_control import BadRequest, Client, Conflict, NotAllowed, NotFound, Unavailable
from tests.engine_client import Engine
from tests.engine_desk import EngineWith
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
    assert [one["config_id"] for one in standing["configs"]] == ["steady_long"]
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

    assert [(one["config_id"], one["version"]) for one in found["changes"]] == [("swift_short", 2)]
    assert client.changes(found["cursor"], wait_seconds=0)["changes"] == []


def test_following_begins_with_what_stands_and_goes_on_with_changes(client: Client) -> None:
    following = client.follow(wait_seconds=0)

    first = next(following)
    assert {one["config_id"] for one in first["changes"]} >= {"steady_long", "swift_short"}
    save_edit("steady_long", allocation_pct=Decimal(5))
    assert [(one["config_id"], one["version"]) for one in next(following)["changes"]] == [("steady_long", 2)]


def test_following_begins_anew_with_a_cursor_of_another_history(client: Client, site: Site) -> None:
    site.faults = [answering(409)]
    found = next(client.follow("7", wait_seconds=0))
    assert site.asked == ["GET /api/v1/changes", "GET /api/v1/configs"]
    assert {one["config_id"] for one in found["changes"]} >= {"steady_long", "swift_short"}


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
