"""What stands beside a ticket: the tickets before and after, the decisions behind a trade, and what a decision saw."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.test import Client

from tests.traders.admin.browsing import text_of
from tests.trading.bad_rows import add_decision
from tests.trading_factories import HOUR_MS, OPENED_MS, make_entry, make_position, make_trade
from traders.schema import jsonio
from trading.record.stored.symbols import add
from trading.record.tickets.structured import MOST_ROWS, json_in, paragraphs, value_table
from trading.record.writing.decisions import record_decision
from trading.record.writing.positions import close_position, open_position
from trading.record.writing.trades import record_trade
from trading.schema.common import Side
from trading.schema.decision import Action, ActionTaken, ModelAnswer, Prompt
from trading.schema.position import Orders
from trading.schema.trade import Fill, FillType, Pnl

TRADES, POSITIONS = "/admin/trading/trade/", "/admin/trading/position/"
DECISIONS = "/admin/trading/decisionjournal/"
START = datetime(2026, 1, 8, 10, 30, tzinfo=UTC)


def names(page: Any) -> tuple[str, str]:
    return (page.context["neighbours"].newer, page.context["neighbours"].older)


def test_tickets_of_a_trader_lead_from_one_to_the_next(viewer: Client) -> None:
    made = [record_decision(make_entry(decided_at=START + timedelta(minutes=number // 2))) for number in range(4)]
    other = record_decision(make_entry("quick_short", decided_at=START))
    walked, name = [], made[-1].name
    while name:
        page = viewer.get(f"{DECISIONS}{name}/")
        walked.append(name)
        newer, name = names(page)
        assert newer == ("" if len(walked) == 1 else walked[-2])
    assert walked == [one.name for one in reversed(made)]
    assert names(viewer.get(f"{DECISIONS}{other.name}/")) == ("", "")


def test_tickets_stay_within_the_filter_of_their_list(viewer: Client) -> None:
    add(["BTC", "ETH"])
    trades = [
        make_trade(symbol=symbol, open_ms=OPENED_MS + number * HOUR_MS, net=net)
        for number, (symbol, net) in enumerate([("BTC", "1"), ("ETH", "2"), ("BTC", "-3"), ("BTC", "4")])
    ]
    for trade in trades:
        record_trade(trade)
    page = viewer.get(f"{TRADES}?symbol=BTC&outcome=gain")
    query = page.context["cl"].ticket_query
    assert f'href="{TRADES}{quote(trades[3].id)}/{query}"'.replace("|", "%7C") in page.content.decode()

    ticket = viewer.get(f"{TRADES}{quote(trades[3].id)}/{query}")
    assert names(ticket) == ("", trades[0].id)
    assert "within the list's filter" in ticket.content.decode().replace("&#x27;", "'")
    assert f"{TRADES}?symbol=BTC&amp;outcome=gain" in ticket.content.decode()
    assert names(viewer.get(f"{TRADES}{quote(trades[3].id)}/")) == ("", trades[2].id)
    spoilt = urlencode({"_changelist_filters": "outcome=nonsense&since=yesterday"})
    assert names(viewer.get(f"{TRADES}{quote(trades[3].id)}/?{spoilt}")) == ("", trades[2].id)


@pytest.mark.parametrize("moment", ["-infinity", "infinity"])
def test_a_decision_at_no_moment_has_neighbours_all_the_same(viewer: Client, moment: str) -> None:
    numbers = [add_decision("steady_long", {"decisions": []}, decided_at=moment) for _ in range(3)]
    assert viewer.get(f"{DECISIONS}steady_long|{numbers[1]}/").status_code == 200


def order(action: Action, order_id: int) -> dict[str, Any]:
    return {"actions": (ActionTaken(symbol="BTC", action=action, order_id=order_id, ok=True),)}


def test_a_trade_names_the_decisions_that_opened_and_closed_it_and_they_name_it(viewer: Client) -> None:
    opened_at = datetime.fromtimestamp(OPENED_MS / 1000, UTC)
    opening = record_decision(make_entry(decided_at=opened_at, config_version=None, **order(Action.OPEN_LONG, 501)))
    closing = record_decision(
        make_entry(decided_at=opened_at + timedelta(hours=1), config_version=None, **order(Action.CLOSE_LONG, 502))
    )
    waiting = record_decision(make_entry(decided_at=opened_at, config_version=None, actions=(), decisions=()))
    detail = make_position(orders=Orders(entry_oid=501))
    open_position(trader_id="steady_long", symbol="BTC", side=Side.LONG, detail=detail)
    fill: dict[str, Any] = {"price": Decimal(45_000), "quantity": Decimal("0.01")}
    entry = Fill(type=FillType.ENTRY, order_id=501, ts_ms=OPENED_MS, **fill)
    left = Fill(type=FillType.EXIT, order_id=502, ts_ms=OPENED_MS + HOUR_MS, **fill)
    trade = close_position(
        trader_id="steady_long",
        symbol="BTC",
        price=Decimal(45_000),
        closed_at_ns=(OPENED_MS + HOUR_MS) * 1_000_000,
        pnl=Pnl(gross=Decimal(1), commission=Decimal(0), net=Decimal(1)),
        fills=(entry, left),
    )
    for address in (f"{TRADES}{quote(trade.id)}/", f"{POSITIONS}{quote('steady_long|BTC')}/"):
        page = viewer.get(address)
        behind = page.context["behind"]
        assert [one.name for one in behind.opened] == [opening.name]
        assert [one.name for one in behind.closed] == [closing.name]
        assert f"opened by Decision {opening.cycle_number}" in text_of(page)

    came_of = viewer.get(f"{DECISIONS}{opening.name}/").context["came_of"]
    assert [one.id for one in came_of.opened_positions] == ["steady_long|BTC"]
    assert [one.id for one in came_of.opened_trades] == [trade.id]
    assert not came_of.closed_trades
    assert [one.id for one in viewer.get(f"{DECISIONS}{closing.name}/").context["came_of"].closed_trades] == [trade.id]
    assert not viewer.get(f"{DECISIONS}{waiting.name}/").context["came_of"].is_any


def test_a_trade_that_no_decision_names_says_so(viewer: Client) -> None:
    record_trade(make_trade())
    assert "No decision in the journal names its orders." in text_of(viewer.get(f"{TRADES}{quote(make_trade().id)}/"))


def asked(text: str | None, *, minute: int, **parts: Any) -> str:
    prompt = Prompt(user_text=text) if text is not None else None
    return record_decision(make_entry(decided_at=START + timedelta(minutes=minute), prompt=prompt, **parts)).name


def test_a_prompt_is_compared_with_that_of_the_decision_before(viewer: Client) -> None:
    first = asked("BTC 45000\nETH 3000\nDecide.", minute=0)
    second = asked("BTC 46000\nETH 3000\nDecide.", minute=1)
    same = asked("BTC 46000\nETH 3000\nDecide.", minute=2)
    asked(None, minute=3)
    after_none = asked("BTC 1\n", minute=4)
    long = asked("x\n" * 3000, minute=5)

    changes = {name: viewer.get(f"{DECISIONS}{name}/").context["prompt_changes"] for name in (second, same, long)}
    assert (changes[second].name, changes[second].added, changes[second].removed) == (first, 1, 1)
    assert changes[same].is_same
    assert changes[long].is_too_long
    assert "+1, −1 lines" in text_of(viewer.get(f"{DECISIONS}{second}/"))
    for name in (first, after_none):
        assert viewer.get(f"{DECISIONS}{name}/").context["prompt_changes"] is None


def test_reasoning_stands_in_paragraphs_and_long_ones_are_folded(viewer: Client) -> None:
    text = "\n\n".join(f"Thought {number}." for number in range(5))
    page = viewer.get(f"{DECISIONS}{asked('x', minute=0, answer=ModelAnswer(reasoning=text))}/").content.decode()
    assert "<p>Thought 0.</p><p>Thought 1.</p>" in page
    assert page.index("Read on") < page.index("<p>Thought 3.</p>")
    one_line = "BTC holds above its average. " * 60
    parts = paragraphs(one_line)
    assert len(parts) > 3
    assert " ".join(parts).split() == one_line.split()


ODD: tuple[Any, ...] = (
    {"extra": {"indicators": {"rsi": [1, {"a": None}], "<b>": "<script>"}, "deep": [[[[[["x"]]]]]]}},
    {"prompt": {"user_text": "[" * 5000}},
    {"prompt": {"user_text": '{"price": NaN, "far": Infinity, "n": 1e400}'}, "answer": {"text": "{not json"}},
    {"prompt": {"user_text": jsonio.dumps({"k": list(range(2000))})}, "answer": {"text": "[]", "reasoning": " \n "}},
    {"answer": {"reasoning": "x" * 300_000, "text": "\u202e\ufffd"}},
    {"unheard": {"of": [1, 2]}, "decisions": [{"symbol": "BTC", "action": "dance"}]},
    {"market": "none", "positions": 7},
)


@pytest.mark.parametrize("detail", ODD)
def test_odd_content_never_breaks_the_page(viewer: Client, detail: Any) -> None:
    number = add_decision("steady_long", jsonio.dumps(detail))
    page = viewer.get(f"{DECISIONS}steady_long|{number}/")
    assert page.status_code == 200
    assert "<script>alert" not in page.content.decode()
    assert viewer.get(f"{DECISIONS}?outcome=all").status_code == 200


def test_nested_values_are_rows_by_their_paths() -> None:
    table = value_table({"rsi": {"1h": 55.5, "4h": [1, None]}, "ok": True, "none": {}})
    assert table is not None
    assert [(row.path, row.value) for row in table.rows] == [
        *(("rsi.1h", "55.5"), ("rsi.4h[0]", "1"), ("rsi.4h[1]", "–"), ("ok", "true"), ("none", "–")),
    ]
    assert value_table("text") is None
    assert value_table([]) is None
    large = value_table(list(range(MOST_ROWS + 1)))
    assert large is not None
    assert (len(large.rows), large.is_cut) == (MOST_ROWS, True)
    assert json_in("[" * 100_000) is None
    assert json_in("5") is None
