"""Changes by result: versions ranked by what they earned, beside the version before."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import save_edit
from tests.traders.admin.browsing import text_of
from tests.trading_factories import HOUR_MS, OPENED_MS, make_trade
from traders.versions import services as configs
from traders.versions.changelog.queries import Filter
from trading.record.results import ranking
from trading.record.results.ranking import ranked
from trading.record.writing.trades import record_trade
from trading.schema.trade import Prices

URL = "/admin/trading/trade/outcomes/"


def moment(after_ms: int) -> str:
    return datetime.fromtimestamp((OPENED_MS + after_ms) / 1000, UTC).isoformat().replace("+00:00", "Z")


LEVERAGE = "detail.risk.major_coin_leverage"
EARNED = {
    ("steady_long", 1): [Decimal(10), Decimal("-2.5")],
    ("steady_long", 2): [Decimal(-4)] * 3,
    ("steady_long", 3): [Decimal(1)] * 30,
    ("quick_short", 1): [Decimal("-20.25")],
}


@pytest.fixture
def earned(traders: None) -> None:
    """Results of four versions; those of another from before the first one belong to none."""
    for (trader_id, version), nets in EARNED.items():
        for number, net in enumerate(nets):
            opened = OPENED_MS + number * HOUR_MS + version
            record_trade(make_trade(trader_id, net=net, open_ms=opened, entry_version=version))
    record_trade(make_trade(net=Decimal(-999), entry_version=None, exit_version=None))


def shown(client: Client, query: str = "") -> list[tuple[str, int]]:
    return [(line.result.trader_id, line.result.version) for line in client.get(f"{URL}?{query}").context["lines"]]


def by_net(names: Any) -> list[tuple[str, int]]:
    return sorted(names, key=lambda name: sum(EARNED[name]))


@pytest.mark.usefixtures("earned")
def test_versions_are_ranked_by_what_they_earned(viewer: Client) -> None:
    assert shown(viewer) == by_net(EARNED)
    assert shown(viewer, "order=best") == by_net(EARNED)[::-1]


@pytest.mark.usefixtures("earned")
def test_a_version_stands_beside_the_one_before(viewer: Client) -> None:
    found = {(line.trader_id, line.version): line for line in ranked(Filter(), best_first=False)[0]}
    second = found["steady_long", 2]
    assert (second.net_pnl, second.net_before, second.trades_before) == (Decimal(-12), Decimal("7.5"), 2)
    assert second.change_per_trade == Decimal(-4) - Decimal("3.75")
    assert second.changed_fields == [LEVERAGE]
    assert found["steady_long", 1].net_before is None

    said = text_of(viewer.get(URL))
    assert "Risk - major coin leverage mei · just now · cut leverage" in said
    assert "▼ −12.00 loss 3 trades ▲ +7.50 gain 2 trades ▼ −4.00 loss ▼ −7.75 loss 0.0" in said
    assert "first version" in said


@pytest.mark.usefixtures("earned")
def test_small_samples_are_marked(viewer: Client) -> None:
    content = viewer.get(f"{URL}?config=steady_long&actor=lee").content.decode()
    assert shown(viewer, "config=steady_long&actor=lee") == [("steady_long", 3)]
    assert content.count('title="small sample"') == 1, "the three trades before, not the thirty"


@pytest.mark.usefixtures("earned")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("config=quick_short", {("quick_short", 1)}),
        ("config=QUICK", {("quick_short", 1)}),
        ("path=leverage", {("steady_long", 2)}),
        (f"path={quote(LEVERAGE)}", {("steady_long", 2)}),
        ("actor=mei", {("steady_long", 2)}),
        ("source=sync", {("steady_long", 1), ("quick_short", 1)}),
        ("until=2020-01-01", set()),
        ("since=2020-01-01", set(EARNED)),
        (f"until={moment(HOUR_MS)}", set()),
    ],
)
def test_filters_narrow_the_versions_and_their_sum(viewer: Client, query: str, expected: set[tuple[str, int]]) -> None:
    page = viewer.get(f"{URL}?{query}")
    assert {(line.result.trader_id, line.result.version) for line in page.context["lines"]} == expected
    if expected:
        sums = page.context["sums"]
        assert (sums.versions, sums.net_pnl) == (len(expected), sum(sum(EARNED[name]) for name in expected))


@pytest.mark.usefixtures("earned")
def test_a_change_set_shows_its_sum(viewer: Client) -> None:
    change_set = configs.existing("quick_short").change_set
    page = viewer.get(f"{URL}?change_set={change_set}")

    assert {line.result.version for line in page.context["lines"]} == {1}
    assert page.context["sums"].net_pnl == Decimal("7.5") + Decimal("-20.25")
    opened = viewer.get(f"/admin/traders/traderconfig/changes/{change_set}/").content.decode()
    assert f'href="{URL}?change_set={change_set}"' in opened


@pytest.mark.usefixtures("earned")
@pytest.mark.parametrize("order", ["", "order=best"])
def test_pages_cover_every_version_once(viewer: Client, order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = shown(viewer, order)
    monkeypatch.setattr(ranking, "PER_PAGE", 3)
    first = viewer.get(f"{URL}?{order}")
    second = viewer.get(URL + first.context["following"])

    pages = [
        [(line.result.trader_id, line.result.version) for line in page.context["lines"]] for page in (first, second)
    ]
    assert pages == [whole[:3], whole[3:]]
    assert not second.context["following"]


@pytest.mark.usefixtures("earned")
# Where the record is spread, prices of the past are asked for one by one.
@pytest.mark.plain
def test_more_versions_take_no_more_queries(viewer: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert viewer.get(URL).status_code == 200
        return len(captured)

    few = queries()
    for version in range(4, 12):
        save_edit("steady_long", detail__risk__max_positions=version + 1)
        record_trade(make_trade(entry_version=version, open_ms=OPENED_MS - version))
    assert queries() == few <= 27


def test_an_empty_page_says_what_fills_it(viewer: Client) -> None:
    assert "make demo" in text_of(viewer.get(URL))
    assert "No version with trades matches" in text_of(viewer.get(f"{URL}?actor=lee"))
    assert "No setting has" in text_of(viewer.get(f"{URL}?path=nosuchsetting"))
    assert viewer.get(f"{URL}?after=nonsense").status_code == 200


@pytest.mark.usefixtures("earned")
def test_a_period_takes_the_trades_that_closed_in_it_whenever_the_change_was_made(viewer: Client) -> None:
    # The trades closed years before the versions were made, and trade n of each version an hour after the one before.
    query = f"since={moment(int(1.5 * HOUR_MS))}&until={moment(int(3.5 * HOUR_MS))}"
    page = viewer.get(f"{URL}?{query}")
    found = {(line.result.trader_id, line.result.version): line.result for line in page.context["lines"]}
    assert {name: (one.trades, one.net_pnl) for name, one in found.items()} == {
        ("steady_long", 1): (1, Decimal("-2.5")),
        ("steady_long", 2): (2, Decimal(-8)),
        ("steady_long", 3): (2, Decimal(2)),
    }
    assert found["steady_long", 2].net_before == Decimal("-2.5")
    assert (page.context["sums"].trades, page.context["sums"].net_pnl) == (5, Decimal("-8.5"))
    said = text_of(page)
    assert "P&L from" in said
    assert "are of the trades that closed in the period" in said


@pytest.mark.usefixtures("traders")
def test_beside_a_change_stands_what_bitcoin_did_or_that_no_price_is_known(viewer: Client) -> None:
    made_ms = int(configs.existing("quick_short").changed_at.timestamp() * 1000)

    def sold(at_ms: int, price: str) -> None:
        prices = Prices(avg_entry=Decimal(1), avg_exit=Decimal(price))
        record_trade(make_trade("quick_short", open_ms=at_ms - HOUR_MS, close_ms=at_ms, prices=prices))

    # After the moment of the version, however it is rounded to milliseconds.
    sold(made_ms + 2, "110")
    assert "no price" in text_of(viewer.get(URL))
    sold(made_ms - 10_000, "100")
    assert "▲ +10.00 gain" in text_of(viewer.get(URL))
