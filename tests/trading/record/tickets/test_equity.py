"""The page of a point of equity: among its neighbours, with its mark, beside what corrects it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client

from tests.traders.admin.browsing import text_of
from tests.traders.admin.people import browser_of
from traders.accounts.rules import Role
from trading.models import EquitySnapshot
from trading.record.corrections import services as corrections
from trading.record.stored.spread import judging
from trading.schema.exclusion import RecordKey, RecordKind

LOG = "/admin/trading/recordexclusion/"
START = 1_760_000_000_000


@pytest.fixture
def points(traders: None) -> None:
    for minute, usd in enumerate((10_000, 10_010, 100, 10_020)):
        ts_ms = START + minute * 60_000
        EquitySnapshot.objects.create(trader_id="steady_long", ts_ms=ts_ms, equity_usd=usd)
        judging.equity_added([("steady_long", ts_ms, "engine")])


def page_of(minute: int, *, by: Client) -> str:
    return text_of(by.get(f"{LOG}equity/steady_long|{START + minute * 60_000}/"))


def test_a_suspect_point_is_marked_and_explained(points: None, viewer: Client) -> None:
    said = page_of(2, by=viewer)

    assert "Suspect. It is at or below zero, or more than 30 % away" in said
    assert said.count("suspect") == 1, "the others count"
    assert "10,020.00" in said
    assert "A suspect point of equity counts nowhere until the next report agrees with it: steady_long" in text_of(
        viewer.get(LOG)
    )


def test_a_correction_stands_beside_the_point_that_it_corrects(points: None, viewer: Client) -> None:
    wrong = f"steady_long|{START + 120_000}"
    key = RecordKey(RecordKind.EQUITY, wrong)
    corrections.correct(key, {"equity_usd": Decimal(10_015)}, reason="the statement", actor="mei")
    right = f"steady_long|{START + 120_001}"

    old, new = (viewer.get(f"{LOG}equity/{name}/") for name in (wrong, right))

    assert f"It was corrected by {right}" in text_of(old)
    assert "Set aside by mei" in text_of(old)
    assert f"It corrects {wrong}" in text_of(new)
    assert "corrects the point of" in text_of(new)
    assert f'href="{LOG}equity/{wrong}/"'.replace("|", "%7C") in viewer.get(LOG).content.decode(), (
        "the list leads to it"
    )


def test_who_corrects_a_point_comes_to_the_new_one(points: None) -> None:
    name = f"steady_long|{START + 120_000}"
    answer = browser_of(Role.ADMIN).post(
        f"{LOG}correct/?kind=equity&id={name}", {"equity_usd": "10015", "others": "", "reason": "the statement"}
    )

    assert answer["Location"] == f"{LOG}equity/steady_long|{START + 120_001}/".replace("|", "%7C")


def test_a_point_that_is_not_there_leads_back_to_the_list(points: None, viewer: Client) -> None:
    for name in ("steady_long|5", "x"):
        assert viewer.get(f"{LOG}equity/{name}/")["Location"] == LOG
