"""A trader that is retired with open positions is drained first, whoever retires it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.engine_client import Engine
from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.admin.browsing import TRADERS, hidden_fields, text_of
from tests.traders.admin.people import browser_of
from tests.traders.controls.asking import TRADER, ask, causes, effect
from tests.trading_factories import make_position
from traders.accounts.rules import Role
from traders.controls import queries
from traders.controls.wanted import wanted_of_one
from traders.models import TraderControl, TraderRuntimeState
from traders.schema.tokens import Scope
from traders.tokens import services as tokens
from traders.versions import services as configs
from traders.versions.lifecycle import services as lifecycle
from trading.alarms.watching.queries import overdue
from trading.record.writing import services
from trading.schema.common import Side

pytestmark = pytest.mark.django_db

OTHER = "quick_short"


@pytest.fixture(autouse=True)
def _fleet() -> None:
    sync_traders(make_trader(detail__auto_start=True), make_trader(OTHER, detail__auto_start=True))
    services.position(trader_id=TRADER, symbol="BTC", side=Side.LONG, detail=make_position())


def by_many() -> None:
    seen = {TRADER: 1, OTHER: 1}
    lifecycle.set_retired(trader_ids=[TRADER, OTHER], retired=True, seen=seen, reason="lost", actor="mei")


def by_one() -> None:
    save_edit(TRADER, detail__retired=True)


def by_the_file() -> None:
    retired = make_trader(detail__auto_start=True, detail__retired=True)
    sync_traders(retired, make_trader(OTHER, detail__auto_start=True))


def by_its_absence() -> None:
    sync_traders(make_trader(OTHER, detail__auto_start=True), retire_missing=True)


@pytest.mark.parametrize("retire", [by_many, by_one, by_the_file, by_its_absence])
def test_it_is_drained_and_one_without_positions_is_not(retire: Callable[[], None]) -> None:
    retire()
    (drained,) = TraderControl.objects.all()
    assert (drained.trader_id, drained.kind, drained.reason) == (TRADER, "drain", "retired with open positions")
    assert causes() == ["retired", "drain"]


def test_the_api_drains_it_too() -> None:
    edit = {"expected_version": 1, "reason": "lost", "set": {"detail.retired": True}}
    _token, text = tokens.create(name="editor", scopes=[Scope.WRITE_CONFIG], actor="ann")
    reply = Engine(text).patch(f"/configs/{TRADER}", edit)
    assert reply.status == 200
    assert [(row.kind, row.actor) for row in TraderControl.objects.all()] == [("drain", "token:editor")]


def test_one_that_is_stopped_stays_stopped() -> None:
    ask("stop")
    by_one()
    assert effect() == "stopped"
    assert [row.kind for row in TraderControl.objects.all()] == ["stop"]


class TestPage:
    """The page asks what becomes of open positions."""

    URL = f"{TRADERS}retire/?trader={TRADER}&trader={OTHER}"

    @pytest.fixture
    def operator(self) -> Client:
        return browser_of(Role.OPERATOR)

    def save(self, client: Client, page: Any, **typed: str) -> Any:
        form = page.context["form"]
        filled = {"then": form["then"].value()} if "then" in form.fields else {}
        answers = hidden_fields(page) | {"step": "save", "reason": "lost"} | filled | typed
        return client.post(self.URL, answers, follow=True)

    def kinds(self) -> list[tuple[str | None, str]]:
        return [(row.trader_id, row.kind) for row in TraderControl.objects.order_by("id")]

    def test_it_names_what_is_open_and_drains_unless_told_otherwise(self, operator: Client) -> None:
        page = operator.get(self.URL)
        words = text_of(page)
        assert "1 position stays open" in words
        assert "1 has no live stop order." in words
        assert "Drain, then retire" in words
        self.save(operator, page)
        assert (self.kinds(), causes()) == ([(TRADER, "drain")], ["retired", "drain"])
        assert configs.existing(OTHER).flat["detail.retired"]

    def test_it_closes_first_once_the_word_is_typed(self, operator: Client) -> None:
        page = operator.get(self.URL)
        assert "Type: close all" in text_of(self.save(operator, page, then="close"))
        assert self.kinds() == []
        self.save(operator, page, then="close", word="close all")
        assert self.kinds() == [(TRADER, "drain"), (TRADER, "close")]
        (close,) = wanted_of_one(TRADER).closes
        assert [one["symbol"] for one in close.detail["positions"]] == ["BTC"]
        assert causes() == ["retired", "drain"]

    def test_a_position_opened_since_is_shown_before_it_is_closed_and_keeps_no_drain_waiting(
        self, operator: Client
    ) -> None:
        page = operator.get(self.URL)
        services.position(trader_id=TRADER, symbol="ETH", side=Side.LONG, detail=make_position())
        answer = text_of(self.save(operator, page, then="close", word="close all"))
        assert "Something changed since this page was made" in answer
        assert "2 positions stay open" in answer
        assert self.kinds() == []
        self.save(operator, page)
        assert self.kinds() == [(TRADER, "drain")]

    def test_without_positions_it_asks_nothing(self, operator: Client) -> None:
        services.close(trader_id=TRADER, symbol="BTC", price=Decimal(46000), closed_at_ns=time.time_ns())
        page = operator.get(self.URL)
        assert "Drain, then retire" not in text_of(page)
        self.save(operator, page)
        assert self.kinds() == []
        assert configs.existing(TRADER).flat["detail.retired"]


def test_an_engine_that_starts_is_given_it_until_it_is_flat() -> None:
    by_one()
    _token, text = tokens.create(name="engine", scopes=[Scope.READ_CONFIG], actor="ann")

    def given() -> list[str]:
        return [one["config_id"] for one in Engine(text).get("/configs").body["configs"]]

    assert TRADER in given()
    services.close(trader_id=TRADER, symbol="BTC", price=Decimal(46000), closed_at_ns=time.time_ns())
    assert TRADER not in given()


def test_its_engine_is_watched_until_it_is_flat() -> None:
    by_one()
    TraderRuntimeState.objects.filter(pk=TRADER).update(active_config_version=1, is_running=True)
    later = timezone.now() + timedelta(days=1)
    assert [row.id for row in overdue(later, 0)] == [TRADER]
    services.close(trader_id=TRADER, symbol="BTC", price=Decimal(46000), closed_at_ns=time.time_ns())
    assert overdue(later, 0) == []


def test_it_counts_among_the_running_of_a_fleet_stop_until_it_is_flat() -> None:
    by_one()
    TraderRuntimeState.objects.filter(pk=TRADER).update(active_config_version=1, is_running=True)
    assert queries.acknowledged_counts(1, holding=[TRADER]) == (0, 1)
    assert queries.acknowledged_counts(1, holding=[]) == (0, 0)
