"""Differences in the browser: the list, the preview, and the settlement with its reason."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from tests.engine_client import Engine
from tests.trading.differences.test_reconcile import causes, opened, reconcile, there
from traders.accounts.rules import Role
from trading.models import ExchangeDifference, Position, Trade

pytestmark = pytest.mark.django_db

LIST = "/admin/trading/exchangedifference/"


def person(role: Role) -> Client:
    user = User.objects.create_user(role.value.lower(), is_staff=True)
    user.groups.add(Group.objects.get(name=role.value))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def operator(engine: Engine) -> Client:
    return person(Role.OPERATOR)


def page(client: Client) -> str:
    row = ExchangeDifference.objects.get()
    return str(client.get(f"{LIST}{row.pk}/change/").content.decode())


def send(client: Client, step: str, **given: Any) -> Any:
    row = ExchangeDifference.objects.earliest("pk")
    form = {"how": "taken", "price": "90", "reason": "the statement", "step": step, **given}
    return client.post(f"{LIST}{row.pk}/settle/", form, follow=True)


def test_a_position_that_is_gone_is_previewed_and_settled(engine: Engine, operator: Client) -> None:
    opened(engine)
    reconcile(engine)
    listed = operator.get(f"{LIST}?state=open").content.decode()
    assert "recorded as open, and not at the exchange" in listed
    assert "is-differing" in listed

    shown = send(operator, "preview").content.decode()
    assert "What would be recorded" in shown
    assert "none is open" in shown
    assert (Trade.objects.count(), causes()) == (0, ["differences"])

    done = send(operator, "save")
    assert "Nothing differs any more" in done.content.decode()
    assert (Trade.objects.count(), causes()) == (1, [])
    row = ExchangeDifference.objects.get()
    assert (row.settled_by, row.reason, row.settlement) == ("operator", "the statement", "taken")
    assert "/settle/" not in page(operator)
    assert "is settled already" in send(operator, "save").content.decode()


@pytest.mark.parametrize(("asked", "is_shown"), [("STEADY", True), ("steady_long", True), ("quick", False)])
def test_the_list_is_narrowed_to_traders(engine: Engine, operator: Client, asked: str, is_shown: bool) -> None:
    opened(engine)
    reconcile(engine)
    listed = operator.get(f"{LIST}?trader={asked}").content.decode()
    assert ("recorded as open, and not at the exchange" in listed) is is_shown
    assert '<option value="steady_long">' in listed


@pytest.mark.parametrize(
    ("given", "said"),
    [({"reason": ""}, "Say why"), ({"price": ""}, "a price is needed"), ({"how": "x"}, "Select a valid choice")],
)
def test_what_cannot_be_done_stands_in_the_form(
    engine: Engine, operator: Client, given: dict[str, str], said: str
) -> None:
    opened(engine)
    reconcile(engine)
    assert said in send(operator, "save", **given).content.decode()
    assert ExchangeDifference.objects.get().settled_at is None
    assert Position.objects.get().status == "open"


def test_a_second_side_can_be_dismissed_alone_and_stays_red(engine: Engine, operator: Client) -> None:
    opened(engine)
    reconcile(engine, there(), there(side="short", quantity=1))
    assert "The record holds one side of a symbol" in page(operator)
    assert 'value="taken"' not in page(operator)
    send(operator, "save", how="dismissed", price="")
    assert causes() == []
    assert "still there" in page(operator)
    assert "is-differing" in operator.get(LIST).content.decode()
    reconcile(engine, there())
    assert "still there" not in page(operator)


def test_viewers_see_and_settle_nothing(engine: Engine) -> None:
    opened(engine)
    reconcile(engine, there(quantity=3))
    viewer = person(Role.VIEWER)
    assert "another quantity at the exchange" in page(viewer)
    assert 'name="how"' not in page(viewer)
    assert send(viewer, "save").status_code == 403
