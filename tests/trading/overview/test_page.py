"""The figures of the fleet page, its parts, and who sees which."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import make_trader, new_trader, save_edit, sync_traders
from tests.live_factories import make_price
from tests.traders.admin.browsing import text_of
from tests.traders.admin.people import browser_of
from tests.trading.live.servers import own_server
from tests.trading.overview.conftest import HOUR_MS, Equity
from tests.trading_factories import make_entry, make_position, make_trade
from traders.accounts.rules import Role
from traders.schema.moments import now_ms
from trading.analytics.risk import risk
from trading.export.status import board as boards
from trading.export.status.board import RESTARTING, RUNNING, Board, Supervision
from trading.live import services as live
from trading.live.redis.reads import now_us
from trading.manager_models import ManagerCycle
from trading.models import EquitySnapshot
from trading.overview.health import HealthState
from trading.record.exclusions import services as exclusions
from trading.record.transfers import services as transfers
from trading.record.writing.decisions import record_decision
from trading.record.writing.positions import open_position
from trading.record.writing.trades import record_trade
from trading.schema.common import Side
from trading.schema.decision import Action, ActionTaken
from trading.schema.exclusion import RecordKey, RecordKind
from trading.schema.facts import EquityPoint, TransferKind

pytestmark = pytest.mark.django_db
PAGE = "/admin/"


def drawn(client: Client, query: str = "") -> Any:
    """The chart that the page shows."""
    return client.get(f"{PAGE}{query}").context["chart"].value


def test_the_equity_of_the_fleet_carries_what_is_old_and_says_how_much_is_fresh(viewer: Client, equity: Equity) -> None:
    equity("steady_long", h48="1000", h24="1100", h0="1200")
    equity("quick_short", h48="500", h24="400")

    page = viewer.get(PAGE)
    said = text_of(page)
    assert "1,600.00 equity, USD · 1 of 2 fresh" in said
    assert "gained, USD" in said
    chart = page.context["chart"].value
    assert chart.lines[0].values[-1] == Decimal(1600)
    assert Decimal(1500) in chart.lines[0].values
    assert chart.lines[0].values[0] is None


def test_a_deposit_is_no_gain(viewer: Client, equity: Equity) -> None:
    equity("steady_long", h30="1000", h20="1000", h10="1500", h0="1650")
    transfers.transfer(
        trader_id="steady_long",
        kind=TransferKind.DEPOSIT,
        amount=Decimal(500),
        ts_ms=now_ms() - 15 * HOUR_MS,
        reason="more",
        actor="mei",
    )

    lines = viewer.get(f"{PAGE}?range=1d").context["board"].value.lines
    [line] = [one for one in lines if one.trader_id == "steady_long"]
    assert line.gained_usd == 150
    assert line.return_pct is not None
    assert round(line.return_pct, 2) == Decimal("10.00")


def test_what_began_within_the_period_counts_as_paid_in(viewer: Client, equity: Equity) -> None:
    equity("steady_long", h20="1000", h0="1100")
    gain = viewer.get(PAGE).context["standing"].value.gain
    assert (gain.gained_usd, gain.pct) == (100, 10)

    equity("quick_short", h10="1000", h0="1000")
    gain = viewer.get(PAGE).context["standing"].value.gain
    # 100 / (1000 + half of 1000)
    assert (gain.last_usd, gain.gained_usd, round(gain.pct, 1)) == (2100, 100, Decimal("6.7"))


def test_a_paper_variant_is_in_no_sum(viewer: Client, equity: Equity) -> None:
    new_trader("on_paper", allocation_pct=Decimal(0), detail__paper_capital_usd=Decimal(9000))
    equity("steady_long", h1="1000", h0="1000")
    equity("on_paper", h1="9000", h0="9000")

    said = text_of(viewer.get(PAGE))
    assert "1,000.00 equity, USD" in said
    assert "9,000.00" in said


def test_change_sets_are_marked_with_who_and_why_and_lead_to_the_diff(viewer: Client, equity: Equity) -> None:
    equity("steady_long", h2="1000", h0="1000")

    marks = drawn(viewer, "?range=1d").marks
    assert [(mark.label, mark.text) for mark in marks[-2:]] == [
        ("steady_long", "mei: cut leverage"),
        ("steady_long", "lee: wider book"),
    ]
    assert viewer.get(marks[-1].url).status_code == 200
    assert [mark.text for mark in drawn(viewer, "?trader=quick_short").marks] in ([], ["cli:test: initial"])


def test_a_trader_has_its_own_curve(viewer: Client, equity: Equity) -> None:
    equity("steady_long", h48="1000", h0="1200")
    equity("quick_short", h48="500", h0="450")

    chart = drawn(viewer, "?trader=quick_short")
    assert chart.title == "Equity of quick_short"
    assert chart.lines[0].values[-1] == 450
    assert drawn(viewer, "?trader=nobody").title == "Equity of the fleet"


@pytest.mark.parametrize(
    ("query", "days"), [("?range=1d", 1), ("?range=7d", 7), ("?range=30d", 30), ("?range=all", 20), ("", 7)]
)
def test_a_range_is_chosen_and_has_at_most_500_points(viewer: Client, equity: Equity, query: str, days: int) -> None:
    equity("steady_long", **{f"h{hours}": "1000" for hours in range(0, 481, 6)})

    chart = drawn(viewer, query)
    assert abs((chart.times[-1] - chart.times[0]) / 86400 - days) < 0.6
    assert 50 < len(chart.times) <= 500


def test_a_large_fleet_has_a_coarse_curve_at_first(
    viewer: Client, equity: Equity, monkeypatch: pytest.MonkeyPatch
) -> None:
    equity("steady_long", h100="1000", h0="1000")
    monkeypatch.setattr("trading.overview.curves.LOOKUPS_AT_ONCE", 100)

    found = [len(drawn(viewer).times) for _ in range(6)]
    assert found[0] == 101
    assert found[1] > found[0]
    assert found[-1] == len(drawn(viewer).times) > 300


def test_a_period_of_ones_own_ends_in_the_past(viewer: Client, equity: Equity) -> None:
    equity("steady_long", h72="1000", h48="1100", h24="1200", h0="1300")
    since, until = (timezone.now() - timedelta(hours=hours) for hours in (60, 36))

    page = viewer.get(PAGE, {"since": f"{since:%Y-%m-%dT%H:%M}", "until": f"{until:%Y-%m-%dT%H:%M}"})
    assert page.context["chart"].value.lines[0].values[-1] == Decimal(1100)
    assert "1,100.00 equity, USD" in text_of(page)


@pytest.mark.parametrize("query", ["since=yesterday", "range=2d", "page=-1", "page=x", "sort=no", "since=9999-01-01"])
def test_what_is_wrong_in_the_address_costs_nothing_else(viewer: Client, equity: Equity, query: str) -> None:
    equity("steady_long", h2="1000", h0="1000")
    assert "1,000.00 equity, USD" in text_of(viewer.get(f"{PAGE}?{query}"))


def test_the_leaderboard_has_the_figures_of_each_trader(viewer: Client, equity: Equity) -> None:
    equity("steady_long", h48="1000", h24="900", h0="1200")
    for minutes, net in ((50, "30"), (40, "-10"), (30, "5")):
        at = now_ms() - minutes * 60_000
        record_trade(make_trade(open_ms=at, close_ms=at + 60_000, net=net))
    record_decision(make_entry(decided_at=timezone.now(), usage={"cost_usd": Decimal("0.25")}))
    open_position(trader_id="steady_long", symbol="BTC", side=Side.LONG, detail=make_position())
    live.rebuild_all()
    live.quoted({"BTC": make_price("50000")})

    first, second = viewer.get(PAGE).context["board"].value.lines
    assert (first.trader_id, second.trader_id) == ("steady_long", "quick_short")
    assert (first.trades, first.pnl_usd, first.return_pct) == (3, Decimal(25), Decimal(20))
    assert first.sharpe is not None
    assert (first.drawdown_pct, first.exposure_usd, first.cost_usd) == (Decimal(10), Decimal(500), Decimal("0.25"))
    assert round(first.win_rate_pct, 2) == Decimal("66.67")
    assert (second.trades, second.return_pct, second.exposure_usd) == (0, None, 0)
    assert viewer.get(f"{PAGE}?sort=drawdown").context["board"].value.sort == "drawdown"


def line_of(client: Client, query: str, trader_id: str = "steady_long") -> Any:
    lines = client.get(f"{PAGE}{query}").context["board"].value.lines
    return next(line for line in lines if line.trader_id == trader_id)


def test_return_and_drawdown_are_of_the_chosen_period(viewer: Client, equity: Equity) -> None:
    equity("steady_long", h480="1000", h456="800", h432="640", h100="800", h50="1000", h40="900", h2="990")

    week = line_of(viewer, "?range=7d")
    # From the 640 that it held when the period began.
    assert (round(week.return_pct, 2), week.drawdown_pct) == (Decimal("54.69"), 10)
    whole = line_of(viewer, "?range=all")
    assert (round(whole.return_pct, 2), whole.drawdown_pct) == (-1, 36)
    day = line_of(viewer, "?range=1d")
    assert (round(day.return_pct, 2), day.drawdown_pct, day.sharpe) == (10, 0, None)


def test_a_withdrawal_is_no_drawdown(viewer: Client, equity: Equity) -> None:
    equity("steady_long", h60="10000", h50="12000", h30="6000", h10="5400")
    transfers.transfer(
        trader_id="steady_long",
        kind=TransferKind.WITHDRAWAL,
        amount=Decimal(-6000),
        ts_ms=now_ms() - 31 * HOUR_MS,
        reason="less",
        actor="mei",
    )
    line = line_of(viewer, "?range=7d")
    assert (round(line.drawdown_pct, 4), round(line.return_pct, 4)) == (10, 8)


def test_the_figures_of_a_period_are_those_of_all_its_points(viewer: Client, equity: Equity) -> None:
    """By days that are kept and added up, and by the functions of `performance` from every point."""
    hours = {hour: Decimal(1000 + (hour * 7919) % 211) for hour in range(0, 240, 3)}
    equity("steady_long", **{f"h{hour}": str(usd) for hour, usd in hours.items()})
    first = line_of(viewer, "?range=all")

    points = [
        EquityPoint(row.trader_id, row.ts_ms, row.equity_usd)
        for row in EquitySnapshot.objects.filter(trader_id="steady_long").order_by("ts_ms")
    ]
    whole = risk((), points, None)
    assert whole.max_drawdown is not None
    assert (float(first.drawdown_pct), float(first.sharpe)) == pytest.approx(
        (whole.max_drawdown.depth_pct, whole.sharpe), abs=1e-3
    )
    again = line_of(viewer, "?range=all")
    assert (again.drawdown_pct, again.sharpe) == (first.drawdown_pct, first.sharpe)


def test_days_are_read_once_and_again_when_a_point_is_set_aside(viewer: Client, equity: Equity) -> None:
    equity("steady_long", **{f"h{hour}": "1000" for hour in range(0, 150, 6)}, h75="800")
    with CaptureQueriesContext(connection) as first:
        assert line_of(viewer, "?range=7d").drawdown_pct == 20
    with CaptureQueriesContext(connection) as second:
        line_of(viewer, "?range=7d")
    asked = [
        max((len(query["sql"]) for query in one if "WITH ORDINALITY" in query["sql"]), default=0)
        for one in (first, second)
    ]
    assert asked[1] < asked[0]

    wrong = EquitySnapshot.objects.get(trader_id="steady_long", equity_usd=800)
    key = RecordKey(RecordKind.EQUITY, f"steady_long|{wrong.ts_ms}")
    exclusions.set_aside([key], reason="a fault", actor="mei")
    assert line_of(viewer, "?range=7d").drawdown_pct == 0


def test_a_board_that_needs_many_days_says_how_many_traders_are_still_read(
    viewer: Client, equity: Equity, monkeypatch: pytest.MonkeyPatch
) -> None:
    for trader in ("steady_long", "quick_short"):
        equity(trader, **{f"h{hour}": str(1000 + hour % 5) for hour in range(0, 480, 12)})
    monkeypatch.setattr("trading.overview.period_risk.SPANS_AT_ONCE", 8)
    monkeypatch.setattr("trading.overview.period_risk.READ_SECONDS", 0)

    said = text_of(viewer.get(f"{PAGE}?range=all&sort=sharpe"))
    assert "The days of 2 traders are still being read for their Sharpe and drawdown." in said
    # How often depends on the time of day: a day that ended just now is read again each time, as today is.
    for _attempt in range(20):
        board = viewer.get(f"{PAGE}?range=all&sort=sharpe").context["board"].value
        if not board.unread:
            break
    assert board.unread == 0
    assert all(line.sharpe is not None for line in board.lines)


def test_exposure_is_by_underlying_and_by_symbol_and_side(viewer: Client) -> None:
    open_position(trader_id="steady_long", symbol="BTC", side=Side.LONG, detail=make_position())
    open_position(trader_id="quick_short", symbol="BTC", side=Side.SHORT, detail=make_position())
    open_position(trader_id="quick_short", symbol="ETH", side=Side.SHORT, detail=make_position())
    live.quoted({"BTC": make_price("50000")})

    page = viewer.get(PAGE)
    found = page.context["exposure"].value
    btc, eth = sorted(found.by_underlying, key=lambda one: one.underlying)
    assert (btc.long, btc.short, btc.gross, btc.net) == (500, 500, 1000, 0)
    assert "0 of 1 marked" in text_of(page)
    assert eth.gross == Decimal("450.005")
    assert [(one.symbol, one.side, one.notional, one.traders, one.is_whole) for one in found.by_symbol] == [
        ("BTC", "long", 500, 1, True),
        ("BTC", "short", 500, 1, True),
        ("ETH", "short", Decimal("450.005"), 1, False),
    ]
    assert "?status=open&amp;symbol=BTC&amp;side=short" in page.content.decode()


def test_a_trader_of_the_leaderboard_leads_to_its_page_not_to_its_form(viewer: Client, equity: Equity) -> None:
    equity("steady_long", h48="1000", h0="1150")
    board = viewer.get(PAGE).text.partition('id="overview-board"')[2].partition("</section>")[0]
    assert 'href="/admin/traders/traderconfig/steady_long/"' in board


def health_line(client: Client, name: str) -> Any:
    return next(line for line in client.get(PAGE).context["health"].value if line.name == name)


def manager_line(client: Client) -> Any:
    return health_line(client, "Manager")


def test_the_live_store_is_not_said_to_be_well_while_its_prices_are_old(viewer: Client) -> None:
    live.quoted({"BTC": make_price("50000", as_of=now_us() - 2 * 3_600_000_000)})
    line = health_line(viewer, "Live store")
    assert line.state is HealthState.OFF
    assert line.said.startswith("youngest price 2 h")

    live.quoted({"ETH": make_price("3000")})
    assert health_line(viewer, "Live store").state is HealthState.WELL


def test_health_says_whether_a_manager_runs(viewer: Client, settings: Any) -> None:
    settings.RUN_MANAGER = False
    assert "Manager RUN_MANAGER is off: this site starts none" in text_of(viewer.get(PAGE))

    cycle = {"number": 1, "config_version": 1, "state": "done", "detail": {}}
    ManagerCycle.objects.create(trader_id="steady_long", opened_at=timezone.now(), **cycle)
    assert manager_line(viewer).said == "runs elsewhere (RUN_MANAGER is off here), last cycle"
    yesterday = timezone.now() - timedelta(days=1)
    ManagerCycle.objects.update(opened_at=yesterday)
    assert manager_line(viewer).said == "RUN_MANAGER is off: this site starts none; last cycle"

    settings.RUN_MANAGER = True
    boards.use(board := Board())
    try:
        board.manager_supervision.write(Supervision(state=RUNNING, since=1.0))
        line = manager_line(viewer)
        assert (line.state, line.said, line.at) == (HealthState.WELL, "runs, last cycle", yesterday)
        board.manager_supervision.write(Supervision(state=RESTARTING, since=1.0, restarts=1, last_exit="ended with 1"))
        line = manager_line(viewer)
        assert (line.state, line.said) == (HealthState.FAULTY, "is started again: ended with 1")
    finally:
        boards.use(Board())


def test_the_last_orders_leave_out_what_holds(viewer: Client) -> None:
    record_decision(make_entry(decided_at=timezone.now() - timedelta(minutes=2)))
    hold = ActionTaken(symbol="ETH", action=Action.HOLD, ok=True)
    record_decision(make_entry(decided_at=timezone.now(), actions=(hold,)))

    [order] = viewer.get(PAGE).context["decisions"].value
    assert (order.symbol, order.action, order.is_done) == ("BTC", "open_long", True)
    assert viewer.get(f"/admin/trading/decisionjournal/{order.name}/").status_code == 200


def test_without_redis_the_rest_of_the_page_stands(viewer: Client, equity: Equity) -> None:
    equity("steady_long", h48="1000", h24="900", h0="1150")
    with own_server() as server:
        server.kill()
        page = viewer.get(PAGE)
    said, line = text_of(page), page.context["board"].value.lines[0]
    assert (line.return_pct, line.drawdown_pct) == (15, 10)
    assert line.sharpe is not None
    assert "Live store Redis does not answer" in said
    assert "1,150.00 equity, USD" in said


@pytest.mark.parametrize(
    ("table", "part"),
    [
        ("decision_journal", "decisions"),
        ("alarms", "attention"),
        ("version_results", "board"),
        ("positions", "exposure"),
    ],
)
def test_a_part_that_fails_says_since_when_and_costs_no_other(
    viewer: Client, equity: Equity, table: str, part: str
) -> None:
    equity("steady_long", h48="1000", h0="1200")
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {table}_away")
    page = viewer.get(PAGE) if table != "alarms" else _without_top_bar(viewer)
    assert page.context[part].value is None
    said = text_of(page)
    assert "Not available since" in said
    assert "1,200.00 equity, USD" in said

    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table}_away RENAME TO {table}")
    assert "Not available since" not in text_of(viewer.get(PAGE))


def _without_top_bar(client: Client) -> Any:
    """The top bar of every page counts alarms."""
    from traders.pages import seams

    kept = list(seams.top_bar)
    seams.top_bar.clear()
    try:
        return client.get(PAGE)
    finally:
        seams.top_bar[:] = kept


def queries_of(client: Client) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(PAGE).status_code == 200
    return len(captured)


@pytest.mark.plain
def test_the_number_of_queries_does_not_grow_with_the_traders(viewer: Client, equity: Equity) -> None:
    for trader in ("steady_long", "quick_short"):
        equity(trader, h48="1000", h0="1200")
        record_trade(make_trade(trader))
        open_position(trader_id=trader, symbol="BTC", side=Side.LONG, detail=make_position())
    live.rebuild_all()
    viewer.get(PAGE)
    few = queries_of(viewer)

    more = [make_trader(f"trader_{number}", allocation_pct=Decimal(1)) for number in range(12)]
    sync_traders(make_trader(), make_trader("quick_short", detail__display_name="Quick Short"), *more)
    now = now_ms()
    for one in more:
        for ago in (50, 0):
            EquitySnapshot.objects.create(trader_id=one.id, ts_ms=now - ago * HOUR_MS, equity_usd=Decimal(100))
        open_position(trader_id=one.id, symbol="BTC", side=Side.LONG, detail=make_position())
    live.rebuild_all()
    viewer.get(PAGE)
    assert queries_of(viewer) == few <= 55


@pytest.mark.parametrize(
    ("permissions", "sees", "not_there"),
    [
        (["view_alarm"], "overview-attention", "overview-board"),
        (["view_traderconfig"], "overview-changes", "overview-chart"),
        (["view_traderconfig", "view_equitysnapshot"], "overview-chart", "overview-board"),
        (["view_traderconfig", "view_position"], "overview-exposure", "overview-chart"),
        (["view_decisionjournal"], "overview-decisions", "overview-changes"),
    ],
)
def test_an_account_sees_what_it_may(traders: None, permissions: list[str], sees: str, not_there: str) -> None:
    user = User.objects.create(username="part", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)

    page = client.get(PAGE).content.decode()
    assert f'id="{sees}"' in page
    assert f'id="{not_there}"' not in page


def test_an_empty_fleet_says_what_to_do_first(db: None) -> None:
    said = text_of(browser_of(Role.VIEWER).get(PAGE))
    assert "python manage.py sync_traders etc/manager.yaml" in said


def test_a_retired_trader_counts_until_its_last_point(viewer: Client, equity: Equity) -> None:
    equity("steady_long", h48="1000", h0="1000")
    equity("quick_short", h48="500", h24="400")
    save_edit("quick_short", detail__retired=True)

    page = viewer.get(PAGE)
    chart = page.context["chart"].value
    assert Decimal(1500) in chart.lines[0].values
    assert chart.lines[0].values[-1] == Decimal(1000)
    assert "1,000.00 equity, USD" in text_of(page)
    assert re.search(r"1 of 1 fresh", text_of(page))
