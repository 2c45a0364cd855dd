"""A trade, a position and a decision as pages: every leaf, no brace, and the ways from one to the other."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import EXECUTOR_PROMPT, save_edit
from tests.traders.admin.browsing import text_of as whole_text_of
from tests.traders.controls.asking import ask
from tests.trading_factories import HOUR_MS, OPENED_MS, make_entry, make_position, make_trade
from traders.models import TraderControl
from trading.record.writing.decisions import record_decision
from trading.record.writing.positions import close_position, open_position
from trading.record.writing.trades import record_trade
from trading.schema.common import ExitPlan, Origin, Side
from trading.schema.decision import (
    Account,
    Action,
    ActionTaken,
    Decision,
    DecisionDetail,
    HeldPosition,
    JournalCooldown,
    ModelAnswer,
    Prompt,
    Quote,
    Usage,
)
from trading.schema.leaf import Part, leaves_of
from trading.schema.position import Orders, PositionDetail
from trading.schema.trade import Fill, FillType, Pnl, TradeDetail

TRADES, POSITIONS = "/admin/trading/trade/", "/admin/trading/position/"
DECISIONS = "/admin/trading/decisionjournal/"
PLAN = ExitPlan(sl_price=Decimal(44000), tp_price=Decimal(46500), invalidation_condition="a close below 44,000")
ORIGIN = Origin(system="arena", id="x-1", file="trades.json", fields={"exit_reason": "target", "note": "a {brace}"})


def text_of(page: Any) -> str:
    """Of the page proper, without the theme's frame."""
    return whole_text_of(SimpleNamespace(content=b"<body" + page.content.partition(b'class="page')[2]))


def ticket(client: Client, record: Any) -> Any:
    page = client.get(f"{TRADES}{record.id}/")
    assert page.status_code == 200
    return page


def missing_leaves(page: Any, model: type[Part]) -> list[str]:
    """Those of the declaration whose label, with its unit, is not on the page."""
    said = text_of(page)
    marked = set(re.findall(r'data-leaf="([^"]+)"', page.content.decode()))
    return [
        leaf.path
        for leaf in leaves_of(model)
        if (leaf.path not in marked and "[]" not in leaf.path)
        or f"{leaf.label}, {leaf.unit}".removesuffix(", ").lower() not in said.lower()
    ]


def test_every_leaf_of_a_trade_is_on_its_ticket(viewer: Client) -> None:
    trade = make_trade(exit_plan=PLAN, origin=ORIGIN.model_copy(update={"fields": {"exit_reason": "target"}}))
    record_trade(trade)

    page = ticket(viewer, trade)
    said = text_of(page)
    assert missing_leaves(page, TradeDetail) == []
    assert not re.search(r"[{}]", said)
    assert "Gross P&L, USD ▲ +5.00 gain Commission, USD 0.50 Funding, USD – Net P&L, USD ▲ +4.50 gain" in said
    assert "Opened 2025-10-09 08:53:20 UTC" in said
    assert "Held, s 1 h 3,600 s" in said
    assert "Opened by version v1" in said
    assert "Trailing stop, % – Invalidation a close below 44,000" in said
    assert "exit_reason: target" in said


def test_an_entry_against_a_control_is_said_in_red(viewer: Client) -> None:
    ask("stop", reason="it loses")
    at_ms = int(TraderControl.objects.get().at.timestamp() * 1000) + 61_000
    detail = make_position(opened_ms=at_ms)
    opened = open_position(trader_id="steady_long", symbol="SOL", side=Side.LONG, detail=detail)
    page = viewer.get(f"{POSITIONS}{quote(opened.id)}/")
    assert b'class="notice wrong"' in page.content
    assert "Entries had been banned when it was entered: stopped by mei: it loses" in text_of(page)
    other = open_position(trader_id="steady_long", symbol="ETH", side=Side.LONG, detail=make_position())
    assert "Entries had been banned" not in text_of(viewer.get(f"{POSITIONS}{quote(other.id)}/"))


def test_a_bare_trade_shows_dashes_and_heads(viewer: Client) -> None:
    trade = make_trade(fills=(), risk=None, versions=None)
    record_trade(trade)

    page = ticket(viewer, trade)
    assert missing_leaves(page, TradeDetail) == []
    said = text_of(page)
    assert "Leverage, x – Confidence, 0-100 – Opened by version before v1" in said
    assert "no fills came with it" in said


def test_a_section_of_which_nothing_is_known_says_so_once(viewer: Client) -> None:
    position = open_position(trader_id="steady_long", symbol="BTC", side=Side.LONG, detail=make_position())

    page = viewer.get(f"{POSITIONS}{position.id}/")

    assert "Exit not recorded" in text_of(page)
    assert "Entry not recorded" not in text_of(page)
    assert missing_leaves(page, PositionDetail) == []


def test_every_digit_is_shown(viewer: Client) -> None:
    exact = Decimal("-1234567.123456789012345678")
    trade = make_trade(pnl=Pnl(gross=exact, commission=Decimal(0), net=exact))
    record_trade(trade)
    assert "Net P&L, USD ▼ −1,234,567.123456789012345678 loss" in text_of(ticket(viewer, trade))


def test_a_symbol_may_hold_marks_that_addresses_use(viewer: Client) -> None:
    trade = make_trade(symbol="BTC/USD:PERP")
    record_trade(trade)
    listed = re.search(r'href="(/admin/trading/trade/steady[^"]+)"', viewer.get(TRADES).content.decode())
    assert listed
    assert "long BTC/USD:PERP" in text_of(viewer.get(listed[1]))


def test_a_trade_that_straddles_versions_says_so(viewer: Client) -> None:
    trade = make_trade(entry_version=1, exit_version=2)
    record_trade(trade)
    assert "Its result belongs to the version that opened it" in text_of(ticket(viewer, trade))


def test_markup_in_a_record_stays_text(viewer: Client) -> None:
    trade = make_trade(exit_plan=ExitPlan(invalidation_condition="<script>alert(1)</script>"))
    record_trade(trade)
    content = ticket(viewer, trade).content.decode()
    assert "<script>alert(1)" not in content
    assert "&lt;script&gt;alert(1)" in content


@pytest.mark.parametrize("url", [TRADES, POSITIONS, DECISIONS])
@pytest.mark.parametrize("unknown", ["nothing", "99999999999999999999", "a|b|c", "%C2%B2"])
def test_what_is_not_in_the_record_leads_back(viewer: Client, url: str, unknown: str) -> None:
    answer = viewer.get(f"{url}{unknown}/", follow=True)
    assert answer.redirect_chain == [(url, 302)]
    assert "in the record." in whole_text_of(answer)


def test_position_trade_and_decision_lead_to_each_other(viewer: Client) -> None:
    opened = datetime.fromtimestamp(OPENED_MS / 1000, UTC)
    taken = ActionTaken(symbol="BTC", action=Action.OPEN_LONG, order_id=67890, ok=True)
    decision = record_decision(make_entry(decided_at=opened, actions=(taken,)))
    detail = make_position(orders=Orders(entry_oid=67890), exit_plan=PLAN)
    position = open_position(trader_id="steady_long", symbol="BTC", side=Side.LONG, detail=detail)
    page = viewer.get(f"{POSITIONS}{position.id}/")
    assert missing_leaves(page, PositionDetail) == []
    assert "Closed by version –" in text_of(page)
    trade = close_position(
        trader_id="steady_long",
        symbol="BTC",
        price=Decimal(46000),
        closed_at_ns=(OPENED_MS + HOUR_MS) * 1_000_000,
        pnl=Pnl(gross=Decimal(10), commission=Decimal(1), net=Decimal(9)),
        fills=(
            Fill(type=FillType.ENTRY, order_id=67890, price=Decimal(45000), quantity=Decimal("0.01"), ts_ms=OPENED_MS),
        ),
    )

    from_trade = ticket(viewer, trade).content.decode()
    assert f'href="{DECISIONS}{quote(decision.name)}/"' in from_trade
    assert 'href="/admin/trading/position/steady_long%7CBTC/"' in from_trade
    page = viewer.get(f"{POSITIONS}{position.id}/")
    assert "Its trade: ▲ +9.00 gain" in text_of(page)
    assert f'href="{DECISIONS}{quote(decision.name)}/"' in page.content.decode()
    assert not re.search(r"[{}]", text_of(page))


def whole_decision() -> DecisionDetail:
    return DecisionDetail(
        prompt=Prompt(template_sha256=EXECUTOR_PROMPT.sha256, system_text="Be calm.", user_text="BTC rose."),
        answer=ModelAnswer(model="deepseek-chat", text='{"signal": "buy_to_enter"}', reasoning="momentum is strong"),
        decisions=(Decision(symbol="BTC", action=Action.OPEN_LONG, reasoning="breakout", risk_usd=Decimal("4.5")),),
        account=Account(equity_usd=Decimal("10000.5")),
        positions=(HeldPosition(symbol="ETH", side=Side.SHORT, quantity=Decimal("0.5")),),
        candidates=("BTC", "ETH"),
        market=(Quote(symbol="BTC", price=Decimal("45000.5"), funding=Decimal("0.00001")),),
        cooldowns=(JournalCooldown(symbol="SOL", until_ms=OPENED_MS),),
        actions=(
            ActionTaken(
                *(),
                symbol="BTC",
                action=Action.OPEN_LONG,
                ok=False,
                refused_by=("min_confidence", "max_positions"),
                error="confidence 60 is below 75",
            ),
        ),
        usage=Usage(prompt_tokens=1234, cost_usd=Decimal("0.01"), attempts=3),
    )


def test_a_decision_shows_what_it_saw_answered_and_did(viewer: Client) -> None:
    decision = record_decision(make_entry(success=False, **dict(whole_decision())))

    page = viewer.get(f"{DECISIONS}{quote(decision.name)}/")
    assert missing_leaves(page, DecisionDetail) == []
    content = page.content.decode()
    assert "{" not in re.sub(
        r"<(script|style|pre)\b.*?</\1>", "", content[content.index('class="page decision"') :], flags=re.S
    )
    said = text_of(page)
    assert "BTC open long no min_confidence, max_positions Error: confidence 60 is below 75" in said
    assert "Reasoning: breakout" in said
    assert '{"signal": "buy_to_enter"}' in said
    assert "Equity, USD 10,000.50" in said
    assert "ETH short 0.5" in said
    assert "Candidates BTC, ETH" in said
    assert "Decide." in said, "the template, known by its hash"
    assert "Be calm." in said


def test_the_settings_of_then_stand_beside_those_of_today(viewer: Client) -> None:
    decision = record_decision(make_entry(config_version=1))
    page = viewer.get(f"{DECISIONS}{quote(decision.name)}/")
    assert [row.path for row in page.context["beside"]["rows"]] == [
        *("detail.risk.max_positions", "detail.risk.major_coin_leverage"),
    ]
    assert "settings are the same" in text_of(page)

    latest = record_decision(make_entry(config_version=3))
    assert "Version 3, which is the latest" in text_of(viewer.get(f"{DECISIONS}{quote(latest.name)}/"))
    early = record_decision(make_entry(config_version=None))
    assert "before the trader's first version" in text_of(viewer.get(f"{DECISIONS}{quote(early.name)}/"))


def test_a_decision_with_much_in_it_takes_no_more_queries(viewer: Client) -> None:
    def queries(decision: Any) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert viewer.get(f"{DECISIONS}{quote(decision.name)}/").status_code == 200
        return len(captured)

    few = queries(record_decision(make_entry()))
    many = {
        **dict(whole_decision()),
        "actions": whole_decision().actions * 20,
        "market": (whole_decision().market or ()) * 20,
    }
    assert queries(record_decision(make_entry(**many))) <= few + 1  # the template's text
    save_edit("steady_long", detail__risk__min_confidence=80)
    assert queries(record_decision(make_entry(**many))) <= few + 1


def test_what_no_row_of_a_list_knows_has_no_column_and_is_named_below(viewer: Client) -> None:
    trade = make_trade()
    record_trade(trade)
    page = ticket(viewer, trade).content.decode()
    table = page[page.index('class="grid cards leaf-table"') :].partition("</table>")[0]
    heads, below = table.partition("</thead>")[0], table.partition('class="unsaid"')[2]
    assert 'data-leaf="detail.fills[].price"' in heads
    named = re.findall(r'data-leaf="([^"]+)"', table)
    assert sorted(named) == sorted(set(named))
    assert set(named) == {leaf.path for leaf in leaves_of(TradeDetail) if leaf.path.startswith("detail.fills[]")}
    unknown = set(re.findall(r'data-leaf="([^"]+)"', below))
    assert unknown
    assert not unknown & set(re.findall(r'data-leaf="([^"]+)"', heads))
