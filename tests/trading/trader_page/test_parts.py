"""What the record adds to the page of a trader: each part, what it says when it does not know, and its faults."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import make_trader, save_edit, sync_traders
from tests.live_factories import make_price
from tests.traders.admin.browsing import STEADY, text_of
from tests.trading import bad_rows
from tests.trading.live.servers import own_server
from tests.trading_factories import HOUR_MS, OPENED_MS, make_entry, make_position, make_trade
from traders.schema.messages import verbatim
from trading.alarms.rules.catalogue import AlarmName
from trading.alarms.services import raise_alarm
from trading.analytics.intervals import Period
from trading.live import services as live
from trading.models import EquitySnapshot, EquityTransfer
from trading.record.writing.decisions import record_decision
from trading.record.writing.positions import open_position
from trading.record.writing.trades import record_trade
from trading.schema.common import ExitPlan, Side
from trading.schema.decision import Action, ActionTaken, Decision, Quote
from trading.schema.trade import Pnl
from trading.trader_page import queries
from trading.trader_page.results import ResultRange, results_of

pytestmark = pytest.mark.usefixtures("traders")
NOW_MS = int(time.time() * 1000)


def part(client: Client, key: str, query: str = "") -> str:
    """What a person reads of one part."""
    page = client.get(STEADY + query).content.decode()
    found = re.search(rf'<section id="{key}" class="part">(.*?)</section>\s*(?:<section id|</div>)', page, re.S)
    assert found is not None, f"no part {key}"
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split())


def equity(*values: str, trader: str = "steady_long", until_ms: int = NOW_MS, step_ms: int = HOUR_MS) -> None:
    for number, value in enumerate(reversed(values)):
        EquitySnapshot.objects.create(trader_id=trader, ts_ms=until_ms - number * step_ms, equity_usd=Decimal(value))


def hold(symbol: str = "BTC", *, stop: str = "44000", target: str = "47000") -> None:
    plan = ExitPlan(sl_price=Decimal(stop), tp_price=Decimal(target))
    open_position(trader_id="steady_long", symbol=symbol, side=Side.LONG, detail=make_position(exit_plan=plan))


def test_a_position_says_its_gain_and_the_way_to_its_stop_and_target(viewer: Client) -> None:
    hold()
    live.quoted({"BTC": make_price("46000.50")})
    said = part(viewer, "positions")
    assert "▲ +10.00 gain" in said  # 0.01 x (46,000.50 - 45,000.50)
    assert "44,000 away: 4.35 % · 2,000.5" in said
    assert "47,000 away: 2.17 % · 999.5" in said
    assert "no live stop order" in said


def test_a_price_beyond_the_stop_is_said_in_red(viewer: Client) -> None:
    hold(stop="46500")
    live.quoted({"BTC": make_price("46000.50")})
    page = viewer.get(STEADY).content.decode()
    assert re.search(r'<td class="figure c-plan alarming".*?>beyond<', page, re.S)


def test_without_a_price_nothing_that_needs_one_is_shown(viewer: Client) -> None:
    hold()
    said = part(viewer, "positions")
    assert "has no prices" in said
    assert "44,000 " in said
    assert "+10.00" not in said


def test_redis_away_costs_prices_alone(viewer: Client) -> None:
    hold()
    equity("10000", "10100")
    record_trade(make_trade())
    with own_server() as server:
        server.kill()
        positions, versions, results = (part(viewer, key) for key in ("positions", "versions", "results"))
    assert "Redis does not answer" in positions
    assert "▲ +4.50 gain" in versions
    assert "▲ +1.00 gain" in results


def test_a_row_that_cannot_be_read_costs_that_row(viewer: Client) -> None:
    hold()
    for _ in range(2):
        bad_rows.added(lambda: bad_rows.add_position("steady_long", {**bad_rows.position_detail(), "orders": 7}))
    said = part(viewer, "positions")
    assert "BTC" in said
    assert "unreadable SOL" in said


def test_the_curve_has_a_mark_for_each_version_and_says_its_range(viewer: Client) -> None:
    equity("10000", "12000", "9000", "9900")
    page = viewer.get(f"{STEADY}?range=1d").content.decode()
    assert 'id="trader-equity-data"' in page
    assert '"label": "v3", "text": "lee: wider book"' in page
    said = part(viewer, "results", "?range=1d")
    assert "All figures are of the range: 1 d." in said
    assert "Return, % ▼ −1.00 loss" in said
    assert "Deepest drawdown, % 25.0" in said
    assert "deepest 25.00 %" in said


def test_a_deposit_is_neither_gain_nor_drawdown(viewer: Client) -> None:
    equity("10000", "20000", "19000")
    EquityTransfer.objects.create(
        transfer_id="d",
        trader_id="steady_long",
        ts_ms=NOW_MS - HOUR_MS,
        amount_usd=10_000,
        kind="deposit",
        reason="more",
        actor="mei",
    )
    said = part(viewer, "results", "?range=1d")
    assert "Return, % ▼ −5.00 loss" in said
    assert "Deepest drawdown, % 5.0" in said


def test_a_curve_of_too_many_points_claims_no_drawdown_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    equity(*(["10000", "12000", "9000"] * 40), step_ms=60_000)
    monkeypatch.setattr(queries, "curve", lambda *_asked, **_step: [])
    found = results_of("steady_long", ResultRange.DAY)
    assert found.curve is not None
    assert not found.curve.is_whole
    assert found.deepest is None
    assert found.figures.last is not None


def test_figures_of_a_range_count_its_trades_alone(viewer: Client) -> None:
    record_trade(make_trade(net="5", open_ms=NOW_MS - 2 * HOUR_MS))
    record_trade(make_trade(net="-2", open_ms=NOW_MS - 3 * HOUR_MS, symbol="ETH"))
    record_trade(make_trade(net="100", open_ms=OPENED_MS))
    said = part(viewer, "results", "?range=1d")
    assert "Net P&L, USD ▲ +3.00 gain Closed 2 trades Win rate, % 50.0 Profit factor 2.50" in said.replace("&amp;", "&")
    assert "Commission, USD 1.00" in said
    whole = part(viewer, "results", "?range=all")
    assert "▲ +103.00 gain Closed 3 trades" in whole
    assert "Commission, USD 1.50" in whole


def test_a_range_that_does_not_exist_is_the_week(viewer: Client) -> None:
    assert "All figures are of the range: 7 d." in part(viewer, "results", "?range=forever")


def test_each_version_says_what_it_did_and_what_it_cost(viewer: Client) -> None:
    record_trade(make_trade(net="5", entry_version=2, exit_version=2))
    usage = {"prompt_tokens": 1200, "completion_tokens": 80, "cost_usd": Decimal("0.25")}
    record_decision(make_entry(config_version=2, usage=usage))
    said = part(viewer, "versions")
    second = said[said.index("v2 ") : said.index("v1 ")]
    assert "major coin leverage" in second
    assert "mei · cut leverage" in second
    assert "▲ +5.00 gain 1 trade 100.0" in second
    assert "0.50 0.25 1,200 / 80" in second
    assert said.index("v3 ") < said.index("v2 ")


def test_where_the_record_has_no_price_the_return_of_btc_is_a_dash(viewer: Client) -> None:
    record_trade(make_trade(net="5"))
    page = viewer.get(STEADY).content.decode()
    assert page.count("the record has no price of BTC near the start or near the end") == 3


def test_the_return_of_btc_is_between_what_the_trader_saw_near_both_ends() -> None:
    until = timezone.now()
    for minutes, price in ((100, "50000"), (1, "51000")):
        quote = Quote(symbol="BTC", price=Decimal(price))
        record_decision(make_entry(decided_at=until - timedelta(minutes=minutes), market=(quote,)))
    now_ms = int(until.timestamp() * 1000)
    near, far, newest = queries.quoted_returns(
        "steady_long",
        [
            Period(now_ms - 95 * 60_000, now_ms),
            Period(now_ms - 30 * 60_000, now_ms),
            Period(now_ms - 200 * 60_000, now_ms),
        ],
    )
    assert near is not None
    assert near.pct == 2
    assert far is None, "the quote before the beginning is older than a tenth of the period"
    assert newest is None, "nothing was seen before the beginning"


def test_the_fleet_returns_what_its_traders_returned_together_without_transfers() -> None:
    sync_traders(make_trader("on_paper", allocation_pct=0, detail__paper_capital_usd=10_000))
    since, until = NOW_MS - 2 * HOUR_MS, NOW_MS
    equity("10000", "11000", "11000")
    equity("10000", "20000", "20000", trader="quick_short")
    equity("10000", "5000", "5000", trader="on_paper")
    EquityTransfer.objects.create(
        transfer_id="d",
        trader_id="quick_short",
        ts_ms=NOW_MS - HOUR_MS,
        amount_usd=10_000,
        kind="deposit",
        reason="more",
        actor="mei",
    )
    whole, before, empty = queries.fleet_returns(
        [Period(since, until), Period(since - 2 * HOUR_MS, since), Period(until, until + HOUR_MS)]
    )
    # 1,000 of 20,000 and of the half hour's share of 10,000: 1,000 / 25,000
    assert whole is not None
    assert whole.traders == 2
    assert whole.pct == 4
    assert before is None
    assert empty is None


def test_decisions_that_asked_for_nothing_are_left_out(viewer: Client) -> None:
    wait = Decision(symbol="ETH", action=Action.WAIT, reasoning="nothing to see")
    short = Decision(symbol="SOL", action=Action.OPEN_SHORT, reasoning="momentum turned")
    held = ActionTaken(symbol="SOL", action=Action.OPEN_SHORT, ok=False, refused_by=("max_positions",))
    now = timezone.now()
    record_decision(make_entry(decided_at=now - timedelta(minutes=9), decisions=(wait,), actions=()))
    record_decision(
        make_entry(decided_at=now - timedelta(minutes=5), decisions=(short,), actions=(held,), success=False)
    )
    said = part(viewer, "decisions")
    assert "nothing to see" not in said
    assert "open short SOL" in said
    assert "refused max_positions momentum turned" in said
    assert "All decisions" in said


def test_an_open_alarm_stands_first_with_its_age(viewer: Client) -> None:
    page = viewer.get(STEADY).content.decode()
    assert 'id="alarms"' not in page
    raise_alarm(AlarmName.REPORT_OVERDUE, verbatim("No report."), subject="steady_long", traders=["steady_long"])
    page = viewer.get(STEADY).content.decode()
    assert page.index('id="alarms"') < page.index('id="now"')
    assert "since" in part(viewer, "alarms")


# Where the record is spread, prices of the past are asked for one by one.
@pytest.mark.plain
def test_more_of_everything_takes_no_more_queries(viewer: Client) -> None:
    def queries_of_page() -> int:
        with CaptureQueriesContext(connection) as found:
            assert viewer.get(STEADY).status_code == 200
        return len(found)

    def more(number: int) -> None:
        hold(f"S{number}")
        equity("10000", "10100", until_ms=NOW_MS - number * HOUR_MS, step_ms=60_000)
        record_trade(make_trade(open_ms=OPENED_MS + number * HOUR_MS))
        record_decision(make_entry(decided_at=timezone.now() - timedelta(minutes=number + 1)))
        save_edit("steady_long", detail__risk__max_positions=5 + number)

    live.quoted({"BTC": make_price("46000.50")})
    more(10)
    more(20)
    text_of(viewer.get(STEADY))
    before = queries_of_page()
    for number in range(30, 36):
        more(number)
    # By the time of day, hours before now are of yesterday, and the limit of a day's loss asks less.
    assert queries_of_page() <= before <= 64


def test_results_say_how_many_trades_are_without_known_funding(viewer: Client) -> None:
    assert "Funding not known" not in part(viewer, "results")
    unknown = Pnl(gross=Decimal(5), net=Decimal(5), is_funding_unknown=True)
    record_trade(make_trade(open_ms=NOW_MS - 2 * HOUR_MS, close_ms=NOW_MS - HOUR_MS, pnl=unknown))
    assert "Funding not known 1 trade" in part(viewer, "results")
