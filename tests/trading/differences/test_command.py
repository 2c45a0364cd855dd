"""Differences on the command line: listed, previewed and settled, as on the page."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.engine_client import Engine
from tests.trading.differences.test_reconcile import TRADER, causes, opened, reconcile, there
from trading.models import ExchangeDifference, Trade

pytestmark = pytest.mark.django_db


def said(*arguments: Any) -> str:
    call_command("differences", *map(str, arguments), stdout=(out := StringIO()))
    return out.getvalue()


@pytest.fixture
def number(engine: Engine) -> int:
    """Of the one difference: a position that the exchange does not hold any more."""
    opened(engine)
    reconcile(engine)
    return int(ExchangeDifference.objects.get().pk)


def test_what_differs_is_listed(number: int) -> None:
    line = said("list").splitlines()[1]
    assert line.split()[:4] == [str(number), TRADER, "BTC", "long"]
    assert "recorded as open, and not at the exchange" in line
    assert "quantity 2" in line
    [one] = json.loads(said("list", "--trader", TRADER, "--json"))["differences"]
    assert (one["id"], one["kind"], one["ours"]["quantity"], one["theirs"]) == (number, "only_here", 2, {})


def test_a_dry_run_shows_before_and_after_and_writes_nothing(number: int) -> None:
    shown = said("settle", number, "--take", "--price", "90", "--dry-run")
    assert "before: BTC long 2 at 100" in shown
    assert "after:  none is open" in shown
    assert (causes(), Trade.objects.exists()) == (["differences"], False)


def test_the_exchanges_is_taken_with_its_price_and_the_ban_ends(number: int) -> None:
    told = json.loads(
        said("settle", number, "--take", "--price", "90", "--reason", "the statement", "--actor", "mei", "--json")
    )
    assert (told["settlement"], told["before"]["quantity"], told["after"], told["left"]) == ("taken", 2, None, 0)
    row = ExchangeDifference.objects.get()
    assert (row.settled_by, row.reason, causes()) == ("mei", "the statement", [])
    assert Trade.objects.get().detail["pnl"]["gross"] == -20
    assert said("list") == "Nothing differs that is not settled.\n"


def test_the_price_that_the_exchange_said_is_taken_where_none_is_given(engine: Engine) -> None:
    reconcile(engine, there())
    row = ExchangeDifference.objects.get()
    assert "after:  BTC long 2 at 100" in said("settle", row.pk, "--take", "--reason", "the statement")


def test_one_of_two_leaves_the_other(engine: Engine) -> None:
    opened(engine)
    reconcile(engine, there(side="short"))
    first, _second = ExchangeDifference.objects.order_by("pk")
    shown = said("settle", first.pk, "--dismiss", "--reason", "a test account")
    assert f"Not settled of {TRADER}: 1. It opens nothing." in shown
    assert causes() == ["differences"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--take", "--price", "90"), "why"),
        (("--take", "--reason", "the statement"), "a price is needed"),
        (("--take", "--price", "-1", "--reason", "the statement"), "no price in USD above 0"),
        (("--take", "--dismiss", "--reason", "the statement"), "not allowed with"),
        (("--reason", "the statement"), "one of the arguments"),
        (("--dismiss", "--reason", "the statement", "--actor", "system"), "--actor"),
    ],
)
def test_what_cannot_be_settled_is_refused_with_its_reason(number: int, arguments: tuple[str, ...], why: str) -> None:
    with pytest.raises(CommandError, match=why):
        said("settle", number, *arguments)
    assert ExchangeDifference.objects.get().settled_at is None


def test_a_difference_that_is_settled_or_unknown_is_refused(number: int) -> None:
    said("settle", number, "--dismiss", "--reason", "the statement")
    for unknown in (number, 999):
        with pytest.raises(CommandError, match=f"no difference {unknown} that is not settled"):
            said("settle", unknown, "--dismiss", "--reason", "again")
    with pytest.raises(CommandError, match="nobody"):
        said("list", "--trader", "nobody")
